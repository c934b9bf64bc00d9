"""`decisions.csv`: read as a spreadsheet writes it; one bad row stops everything, and is told."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.gradebook.decisions_csv import read_decisions
from grader.model import Override, Participant

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
POINTS = {"names": Decimal("0.5"), "question-zeros": Decimal(1), "big": Decimal(10)}
SUBMISSIONS = {
    "Participant_101": Participant(id="101", is_blind=True),
    "Participant_102": Participant(id="102", is_blind=True),
    "Jane_Doe_7": Participant(id="7", name="Jane Doe"),
    "Jim_Doe_7": Participant(id="7", name="Jim Doe"),
    "2024": Participant(),
}
HEADER = "submission,criterion,points,comment,who\n"


def read(folder: Path, content: str | bytes) -> tuple[Override, ...]:
    path = folder / "decisions.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_decisions(path, POINTS, SUBMISSIONS, now=NOW)


def complaints(folder: Path, content: str | bytes) -> list[str]:
    with pytest.raises(UsageError) as caught:
        read(folder, content)
    lines = str(caught.value).splitlines()
    prefix = str(folder / "decisions.csv")
    assert all(line.startswith(prefix) for line in lines)
    return [line.removeprefix(prefix).lstrip(",: ") for line in lines]


def test_a_row_becomes_a_decision(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + "Participant_101,question-zeros,0.75,says why,J. D.\n") == (
        Override(
            submission="Participant_101",
            criterion="question-zeros",
            points=Decimal("0.75"),
            comment="says why",
            who="J. D.",
            when=NOW,
        ),
    )


@pytest.mark.parametrize(
    "content",
    [
        "submission;criterion;points;comment;who\nParticipant_101;big;7,5;so, so;TA\n",
        "\ufeffsubmission;criterion;points;comment;who\r\nParticipant_101;big;7,5;so, so;TA\r\n",
        'who,comment,points,criterion,submission\nTA,"so, so","7,5",big,Participant_101\n',
        'Submission , Criterion,POINTS,comment,who,note\n101,big,7.50,"so, so",TA,seen\n',
        "sep=;\nsubmission;criterion;points;comment;who\n101;big;7,5;so, so;TA\n",
        "submission\tcriterion\tpoints\tcomment\twho\nParticipant 101\tbig\t+7.5\tso, so\tTA\n",
        "submission;criterion;points;comment;who\n;;;;\n\nparticipant_101;big;7,5;so, so;TA;;\n;;;;\n",
    ],
)
def test_what_spreadsheets_write_is_read(tmp_path: Path, content: str) -> None:
    (override,) = read(tmp_path, content)
    assert (override.submission, override.criterion, override.points) == (
        "Participant_101",
        "big",
        Decimal("7.5"),
    )
    assert (override.comment, override.who) == ("so, so", "TA")


def test_an_id_that_looks_like_a_number_comes_before_a_participants_number(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + "2024,big,1,,TA\n")[0].submission == "2024"


def test_a_file_with_only_its_header_decides_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER) == ()


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            "Participant_110,big,1,,TA",
            "there is no submission 'Participant_110': did you mean 'Participant_1",
        ),
        ("999,big,1,,TA", "there is no submission '999'"),
        (",big,1,,TA", "the column `submission` is empty"),
        ("7,big,1,,TA", "the submission '7' may be any of Jane_Doe_7, Jim_Doe_7: write which"),
        ("101,question-zero,1,,TA", "there is no criterion 'question-zero': did you mean 'question-zeros'?"),
        ("101,,1,,TA", "there is no criterion ''"),
        ("101,names,0.75,,TA", "0.75 points are out of range: from 0 to 0.5"),
        ("101,names,-0.5,,TA", "-0.5 points are out of range"),
        ("101,names,half,,TA", "the points 'half' are not a number"),
        ("101,names,NaN,,TA", "the points 'NaN' are not a number"),
        ("101,names,1e-1,,TA", "the points '1e-1' are not a number"),
        ("101,names,,,TA", "the column `points` is empty"),
        ("101,names,0.125,,TA", "at most two decimals"),
        ("101,names,0.5,,", "the column `who` is empty"),
        ("101,names,0.5", "the column `who` is empty"),
        ("101,names,0,5,good,TA", "6 cells, but the header has 5"),
        ('101,names,0.5,"good,TA', "not a CSV row"),
        ('101,names,0.5,"good" job,TA', "not a CSV row"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_the_mend(tmp_path: Path, row: str, told: str) -> None:
    (line,) = complaints(tmp_path, HEADER + "102,big,1,fine,TA\n" + row + "\n")
    assert line.startswith("line 3: ")
    assert told in line


def test_all_bad_rows_are_told_and_multi_line_comments_do_not_shift_the_lines(tmp_path: Path) -> None:
    rows = '101,names,9,"two\nlines",\n\n102,nmes,x,,TA\n'
    first, second = complaints(tmp_path, "\n" + HEADER + rows)
    assert first.startswith("line 3: ")
    assert "out of range" in first
    assert "`who` is empty" in first
    assert second.startswith("line 6: ")
    assert "did you mean 'names'?" in second
    assert "not a number" in second


def test_two_rows_on_the_same_thing_are_refused(tmp_path: Path) -> None:
    rows = "101,names,0.5,,TA\nParticipant_101,names,0,,TA\n"
    assert complaints(tmp_path, HEADER + rows) == [
        "line 3: line 2 already decides this: remove one of the two"
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "the file is empty: its first line is submission,criterion,points,comment,who"),
        ("\n \n", "the file is empty"),
        (
            "submission,criterion,points,coment,who\n",
            "line 1: the column 'comment' is missing, 'coment' does",
        ),
        ("101,names,0.5,,TA\n", "line 1: the column 'submission' is missing"),
        ("who,submission,criterion,points,comment,who\n", "line 1: the column 'who' stands there twice"),
        (HEADER.encode() + b"101,names,0.5,gr\xfcn,TA\n", "line 2: this is not UTF-8 text: save it as"),
        (HEADER.encode("utf-16"), "not UTF-8"),
        (HEADER + "#" * (6 * 1024**2), "larger than 5 MiB"),
        (HEADER + '101,names,0.5,"' + "x" * 200_000 + '",TA\n', "not a CSV row"),
    ],
)
def test_a_file_that_is_no_such_table_is_told(tmp_path: Path, content: str | bytes, told: str) -> None:
    assert told in complaints(tmp_path, content)[0]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_decisions(tmp_path, POINTS, SUBMISSIONS, now=NOW)


@given(garbage=st.one_of(st.binary(max_size=80), st.text(max_size=80).map(lambda t: (HEADER + t).encode())))
def test_any_bytes_are_decisions_or_a_usage_error(
    garbage: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with suppress(UsageError):
        for override in read(tmp_path_factory.mktemp("decisions"), garbage):
            assert override.points <= POINTS[override.criterion]
