"""Cells are replaced, and every other byte stays."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.moodle.sheet import Sheet


def read(tmp_path, raw):
    path = tmp_path / "sheet.csv"
    path.write_bytes(raw)
    return Sheet.read(path)


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00\r"), max_size=12)


@given(
    rows=st.lists(st.lists(TEXT, min_size=3, max_size=3), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_what_the_csv_module_writes_is_read_and_only_the_cell_named_changes(
    tmp_path_factory, rows, delimiter, line_end, mark
):
    table = [["first", "second", "third"], *rows]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator=line_end).writerows(table)
    raw = mark + buffer.getvalue().encode()
    sheet = read(tmp_path_factory.mktemp("sheet"), raw)
    assert [[cell.text for cell in row] for row in sheet.rows] == table
    assert sheet.replaced({}) == raw
    changed = sheet.replaced({(1, 1): 'a "new" one, with; signs\n'})
    content = changed.removeprefix(mark).decode()
    expected = [list(row) for row in table]
    expected[1][1] = 'a "new" one, with; signs\n'
    assert list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)) == expected
    start, end = sheet.rows[1][1].start, sheet.rows[1][1].end
    text = buffer.getvalue()
    assert content.startswith(text[:start])
    assert content.endswith(text[end:])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_encoding_stays(tmp_path, encoding):
    raw = "Name,Bewertung\nJürgen Example,\n".encode(encoding)
    sheet = read(tmp_path, raw)
    assert sheet.rows[1][0].text == "Jürgen Example"
    assert sheet.replaced({(1, 1): "7,5"}) == 'Name,Bewertung\nJürgen Example,"7,5"\n'.encode(encoding)


def test_a_comment_that_the_encoding_cannot_hold_is_refused(tmp_path):
    sheet = read(tmp_path, "Name,Bewertung\nJürgen Example,\n".encode("cp1252"))
    with pytest.raises(UsageError, match="has no '→'"):
        sheet.replaced({(1, 1): "a → b"})


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "no header"),
        (b'Name,Grade\n"never ends,1\n', "line 2: a quoted cell never ends"),
        (b"\xff\xfea", "damaged"),
    ],
)
def test_what_is_no_table_is_refused_with_the_mend(tmp_path, raw, message):
    with pytest.raises(UsageError, match=message):
        read(tmp_path, raw)


def test_a_large_table_takes_time_in_proportion(tmp_path):
    rows = 20_000
    sheet = read(tmp_path, b"Name,Grade\n" + b"x,1\n" * rows)
    assert len(sheet.rows) == rows + 1
