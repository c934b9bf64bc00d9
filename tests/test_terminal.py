"""What `grade` prints at its end."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from rich.cells import cell_len

from grader.model import CriterionGrade, Grade, Isolation, Outcome, Participant, Reason, Verdict
from grader.pipeline import Graded
from grader.terminal import summarise


def a_grade(number: int, name: str | None, points: str) -> Grade:
    verdict = Verdict(outcome=Outcome.MET, fraction=Decimal(1), reasons=(Reason(text="All is there."),))
    return Grade(
        submission=f"Participant_{number}",
        assignment="a1",
        participant=Participant(id=str(number), name=name),
        run_key=None,
        rubric_sha256="0" * 64,
        criteria=(CriterionGrade(id="all", title="All.", points=Decimal(points), verdict=verdict),),
    )


def printed(capsys: pytest.CaptureFixture[str], *grades: Grade) -> list[str]:
    graded = Graded(
        assignment="a1",
        grades=grades,
        rejected=(),
        lost=(),
        changes=(),
        executed=0,
        isolation=Isolation.BUBBLEWRAP,
        class_page=Path("reports/a1/index.html"),
    )
    summarise([graded])
    return capsys.readouterr().out.splitlines()


def test_points_stand_below_each_other_however_wide_names_are(capsys):
    told = printed(
        capsys,
        a_grade(101, "Alex Example", "10"),
        a_grade(102, "例子 样本", "7.5"),
        a_grade(1003, None, "1000"),
    )
    assert told[0] == "Assignment a1"
    assert [line.split()[-3:] for line in told[2:5]] == [
        ["10", "0", "10"],
        ["7.5", "0", "7.5"],
        ["1000", "0", "1000"],
    ]
    assert len({cell_len(line) for line in told[1:5]}) == 1


def test_a_long_name_is_printed_as_a_whole_and_nothing_of_it_reaches_the_terminal_as_an_order(
    capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "80")
    name = "Alex \x1b[31m[bold]Example " + "of a very long name " * 20
    _, head, line, other, *_ = printed(capsys, a_grade(101, name.strip(), "10"), a_grade(102, None, "7.5"))
    assert max(len(head), len(other)) <= 80
    assert "\x1b" not in line
    assert "[bold]Example of a very long name" in line
    assert line.count("very long") == 20
