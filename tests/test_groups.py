"""Members who hand in separately, by the command line: what is shared, what is shown, what students get."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from typing import ClassVar

import pytest
from moodle.made_up import ENGLISH, a_row, as_moodle_reads, quoted
from nbformat import v4
from typer.testing import CliRunner

from grader.cli import app
from grader.course import Course
from grader.execution.interface import Finished
from grader.execution.local import LocalExecutor
from grader.gradebook import Gradebook
from grader.model import CellRun, CellStatus, Run, RunStatus
from grader.review.desk import ReviewDesk
from grader.review.pages import Reader, overview_page

RUBRIC = """
schema: 1
assignment: a1
title: A small assignment
edition: 2026
scale: points
criteria:
  - {id: names, title: Names are given., points: 2, check: names-given}
  - {id: outputs, title: Outputs are saved., points: 8, check: outputs-saved}
"""
ADA, BO, CY = "Ada Beispiel", "Bo Muster", "Cy Example"
PEOPLE: dict[int, tuple[str, str, str]] = {
    # number: name, what stands at the top, which work it is
    101: (ADA, f"Names: {ADA} 234567, {BO} (345678, bo@example.org)", "agreeing"),
    102: (BO, "Bo Muster 345678 & Ada Beispiel 234567", "agreeing"),
    111: ("Dana Nagel", "Dana Nagel, Eli Ochs", "names differ"),
    112: ("Eli Ochs", "Eli Ochs", "names differ"),
    121: ("Fay Vogel", "Fay Vogel, Gus Seiler", "a version"),
    122: ("Gus Seiler", "Fay Vogel, Gus Seiler", "quite another piece of work, longer and unlike"),
    131: ("Ida Otto", "Ida Otto, Jo Thiel, Kim Dreyer, Lea Feld", "four"),
    132: ("Jo Thiel", "Ida Otto, Jo Thiel, Kim Dreyer, Lea Feld", "four"),
    133: ("Kim Dreyer", "Ida Otto, Jo Thiel, Kim Dreyer, Lea Feld", "four"),
    134: ("Lea Feld", "Ida Otto, Jo Thiel, Kim Dreyer, Lea Feld", "four"),
    141: ("Max Adler", "Max Adler, Nia Maurer", "alone"),
    151: ("Eve Ingwer", f"{ADA}, {BO}, Eve Ingwer", "agreeing"),
    161: ("Pat Sander", "Pat Sander", "single"),
    171: ("<script>alert(1)</script>", "Names: <script>alert(1)</script>, =cmd()|x, Ada Beispiel", "hostile"),
}


class NothingRuns(LocalExecutor):
    """Every cell ends well, and nothing of it is started."""

    device = "cpu"
    ran: ClassVar[list[str]] = []

    def execute(self, jobs) -> Iterator[Finished]:
        for job in jobs:
            self.ran.append(job.submission)
            cells = [v4.new_code_cell(cell.source, id=f"cell-{cell.number}") for cell in job.cells]
            for cell in cells:
                cell.outputs = [v4.new_output("stream", text="test accuracy: 0.91, for 345678\n")]
            ended = tuple(CellRun(cell=cell.number, status=CellStatus.OK) for cell in job.cells)
            run = Run(key=job.key, status=RunStatus.COMPLETED, cells=ended, seed=job.seed, limits=job.limits)
            yield Finished(job, run, v4.new_notebook(cells=cells))


def a_notebook(number: int) -> str:
    _, top, work = PEOPLE[number]
    dice = random.Random(work)
    words = [f"step_{dice.randrange(500)}" for _ in range(90)]
    code = "\n".join(f"print({work!r}, work.{word}({line}))" for line, word in enumerate(words))
    code += "\nprint('a little more')" if number == 102 else ""
    saved = [v4.new_output("stream", text=f"{work}: test accuracy: 0.91\nhanded in by 345678\n")]
    cells = [v4.new_markdown_cell(f"# Assignment 1\n\n{top}"), v4.new_code_cell(code, outputs=saved)]
    return json.dumps(v4.new_notebook(cells=cells))


def typed(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code in (0, 1), result.output
    return " ".join(result.output.split())


def typed_wrong(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code != 0
    return f"{result.output} {result.exception}"


def grades(course):
    with Gradebook.open(course / ".grader" / "gradebook.sqlite") as gradebook:
        return {grade.participant.id: grade for grade in gradebook.latest("a1").values()}


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.setattr("grader.execution.local.LocalExecutor", NothingRuns)
    monkeypatch.setattr(NothingRuns, "ran", [])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "a1.yaml").write_text(RUBRIC)
    for number, (name, _, _) in PEOPLE.items():
        safe = name.replace("/", "")
        folder = tmp_path / "submissions" / "a1" / f"{safe}_{number}_assignsubmission_file"
        folder.mkdir(parents=True)
        (folder / "work.ipynb").write_text(a_notebook(number))
    rows = [a_row(number, name.replace("/", "")) for number, (name, _, _) in PEOPLE.items()]
    lines = [",".join(map(quoted, row)) + "\n" for row in (ENGLISH, *rows)]
    (tmp_path / "grades.csv").write_text("".join(lines))
    typed("submissions/")
    return tmp_path


def test_only_copies_that_agree_are_graded_together_and_run_once(course):
    found = grades(course)
    shared = {number for number, grade in found.items() if grade.group and grade.group.is_shared}
    assert shared == {"101", "102"}
    assert found["101"].run_key == found["102"].run_key
    assert not found["101"].is_judged_itself  # Bo's is the fuller copy
    assert "Ada-Beispiel_101" not in NothingRuns.ran
    assert found["101"].score == found["102"].score == 10


@pytest.mark.parametrize(
    ("number", "doubt"),
    [
        ("111", "Eli Ochs is listed here, but their own copy lists other people"),
        ("121", "The versions differ"),
        ("131", "4 people are listed"),
        ("141", "Nia Maurer is listed, but there is no hand-in"),
        ("151", "Ada Beispiel is listed here, but their own copy"),
    ],
)
def test_a_disagreement_is_shown_and_nothing_is_shared(course, number, doubt):
    grade = grades(course)[number]
    assert grade.group is not None
    assert grade.group.waits
    assert grade.is_judged_itself
    assert any(doubt in flag for flag in grade.flags), grade.flags


def test_a_copy_that_is_graded_alone_says_that_it_was_graded_together_before(course):
    [folder] = (course / "submissions" / "a1").glob("*_101_*")
    typed(str(folder / "work.ipynb"), "--assignment", "a1")
    assert any("graded by itself now" in flag for flag in grades(course)["101"].flags)
    typed("submissions/")
    assert grades(course)["101"].group.is_shared
    assert not any("graded by itself now" in flag for flag in grades(course)["101"].flags)


def test_whoever_lists_nobody_else_is_in_no_doubt(course):
    found = grades(course)
    assert found["161"].group is None
    assert found["112"].group is None


def test_everybody_gets_their_own_report_without_numbers_and_addresses(course):
    typed("release", "a1", "--by", "J. D.")
    typed("export", "moodle", "a1", "--worksheet", "grades.csv", "--to", "out")
    feedback = as_moodle_reads(course / "out" / "a1-feedback.zip")
    assert {str(number) for number in PEOPLE} - feedback.keys() <= {"171"}
    for number in ("101", "102"):
        [(_, page)] = feedback[number]
        shown = page.decode()
        assert all(secret not in shown for secret in ("234567", "345678", "bo@example.org"))
        assert "one of them was graded for all" in shown
        assert PEOPLE[int(number)][0] in shown
    assert all(b"Group in doubt" not in page for files in feedback.values() for _, page in files)


def test_a_persons_decision_grades_a_group_together_until_a_copy_changes(course):
    said = typed("groups", "a1")
    assert "together: Bo-Muster_102, Ada-Beispiel_101" in said
    assert "in doubt: Dana-Nagel_111, Eli-Ochs_112" in said
    typed("groups", "a1", "--together", "Dana-Nagel_111", "--by", "J. D.", "--why", "both confirmed it")
    typed("submissions/")
    found = grades(course)
    assert not found["112"].is_judged_itself
    assert any("as J. D. decided" in flag for flag in found["112"].flags)
    changed = a_notebook(112).replace("test accuracy: 0.91", "test accuracy: 0.92")
    next((course / "submissions" / "a1").glob("*_112_*/work.ipynb")).write_text(changed)
    typed("submissions/")
    found = grades(course)
    assert found["112"].is_judged_itself
    assert found["111"].group.waits


def test_the_review_asks_about_groups_by_number_and_keeps_who_decided(course):
    desk = ReviewDesk(Course(root=course), "a1")
    page = overview_page(desk, Reader(who="J. D.", csrf="x"))
    assert "Participant_111" in page
    assert "Ochs" not in page
    asked = overview_page(desk, Reader(who="J. D.", csrf="x", sees_names=True))
    assert "Eli Ochs is listed here" in asked
    assert "<script>alert" not in asked
    desk.decide_group("Participant_111", False, who="J. D.", why="two works")
    assert "J. D. decided: apart. two works" in typed("groups", "a1")
    typed("submissions/")
    assert not grades(course)["111"].group.waits


def test_a_decision_on_a_group_is_signed(course):
    said = typed_wrong("groups", "a1", "--apart", "Dana-Nagel_111", "--by", "J. D.")
    assert "add --by NAME --why TEXT" in said
    assert "in no group in doubt" in typed_wrong(
        "groups", "a1", "--apart", "Pat-Sander_161", "--by", "J. D.", "--why", "x"
    )


def test_likeness_is_shown_by_number_and_other_years_only_with_a_recorded_reason(course):
    assert "a hint and no verdict" in typed("likeness", "a1")
    page = (course / "reports" / "a1" / "likeness.html").read_text()
    assert "Participant_151" in page  # alike with the group it is not in
    assert all("Eve Ingwer" not in heading for heading in re.findall(r"<h2.*?</h2>|<p.*?</p>", page))
    assert "records why they may be" in typed_wrong("likeness", "a1", "--earlier", "submissions/a1")
    typed("likeness", "a1", "--allow-earlier", "--by", "J. D.", "--why", "the board allowed it")
    assert "hint" in typed("likeness", "a1", "--earlier", "submissions/a1")
    typed("likeness", "a1", "--forbid-earlier", "--by", "J. D.", "--why", "the term is over")
    assert "records why they may be" in typed_wrong("likeness", "a1", "--earlier", "submissions/a1")


def test_course_material_is_subtracted(course):
    material = course / "course_material"
    material.mkdir()
    (material / "tutorial.ipynb").write_text(a_notebook(101))
    typed("likeness", "a1")
    assert "Participant_151" not in (course / "reports" / "a1" / "likeness.html").read_text()
