from __future__ import annotations

import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fuzz.strategies import ODD_JSON, REPOSITORY, TEXTS, fuzzed, in_time_or_refused
from grader.datasets.finding import dataset_names
from grader.errors import RubricError, UsageError
from grader.gradebook.decisions_csv import COLUMNS, read_decisions
from grader.model import Participant
from grader.rubric import Rubric, read_rubric

POINTS = {"names": Decimal("0.5"), "accuracy": Decimal(1)}
WHOSE = {
    "Participant_101": Participant(id="101"),
    "Participant_102": Participant(id="102", name="Ada Example"),
}
CELLS = (
    st.sampled_from(
        ["101", "Participant_102", "names", "accuracy", "0.5", "7,5", "A. B.", '"', '""', "=1+1", ""]
    )
    | TEXTS
)


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """A table of decisions with odd columns, delimiters, quotes, cells and bytes."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    head = (
        draw(st.permutations(COLUMNS))
        if draw(st.booleans())
        else draw(st.lists(st.sampled_from(COLUMNS) | TEXTS, max_size=7))
    )
    rows = [head, *draw(st.lists(st.lists(CELLS, max_size=7), max_size=5))]
    text = draw(st.sampled_from(["\n", "\r\n", "\r"])).join(delimiter.join(row) for row in rows)
    data = bytearray(
        (draw(st.sampled_from(["", "\ufeff", "sep=;\n", "\n\n"])) + text).encode("utf-8", "surrogatepass")
    )
    if data and draw(st.booleans()):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


@fuzzed
@given(tables() | st.binary(max_size=300))
def test_decisions_are_read_or_refused_with_file_and_line(tmp_path_factory, data: bytes) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "decisions.csv"
    path.write_bytes(data)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    found = in_time_or_refused(UsageError, read_decisions, path, POINTS, WHOSE, now=now)
    if isinstance(found, str):
        assert all(line.startswith(str(path)) for line in found.split("\n"))
    else:
        assert all(one.submission in WHOSE and 0 <= one.points <= POINTS[one.criterion] for one in found)


RUBRIC = (REPOSITORY / "rubrics" / "a1.yaml").read_text("utf-8").split("\n")
ODD_YAML = st.sampled_from(
    [
        *(
            "- ",
            "&a ",
            "*a",
            "!!python/object/apply:os.system [id]",
            "? ",
            "|",
            ">",
            "{",
            "}",
            "[",
            "]",
            "%",
            "@",
            "`",
        ),
        *(
            "<<: *a",
            "schema: 1",
            "points: 1e999",
            "points: .nan",
            "points: -1",
            "id: names",
            "---",
            "...",
            "\t",
            "''",
        ),
        *(
            "wall_seconds: 1_0",
            "processes: 0x10",
            "at_least: 99999999999999999999",
            "criteria: []",
            "check: names-given",
        ),
    ]
)


@st.composite
def rubrics(draw: st.DrawFn) -> bytes:
    """The rubric of assignment 1 with lines removed, doubled, moved, cut or filled with odd text."""
    lines = list(RUBRIC)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.integers(0, 5)):
            case 0:
                del lines[at]
            case 1:
                lines.insert(draw(st.integers(0, len(lines) - 1)), lines[at])
            case 2:
                lines[at] += draw(TEXTS | ODD_YAML)
            case 3:
                lines[at] = " " * draw(st.integers(0, 8)) + lines[at].strip()
            case 4:
                lines.insert(at, draw(ODD_YAML | TEXTS))
            case 5:
                cut = draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:cut]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


@fuzzed
@given(
    rubrics()
    | ODD_JSON.map(lambda value: repr(value).encode("utf-8", "surrogatepass"))
    | st.binary(max_size=300)
)
def test_rubrics_are_read_or_refused_with_file_and_line(tmp_path_factory, data: bytes) -> None:
    folder: Path = tmp_path_factory.getbasetemp() / "fuzzed rubrics"
    if not folder.exists():
        shutil.copytree(REPOSITORY / "rubrics", folder)
    (folder / "a1.yaml").write_bytes(data)
    found = in_time_or_refused(RubricError, read_rubric, folder / "a1.yaml", datasets=dataset_names())
    if isinstance(found, str):
        assert all(line.startswith(str(folder / "a1")) for line in found.split("\n"))
    else:
        assert isinstance(found, Rubric)
