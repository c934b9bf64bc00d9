"""Names left out where that is asked for, one person removed wholly, and nothing of others in a report."""

from __future__ import annotations

import json
import re
import sqlite3
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nbformat import v4
from typer.testing import CliRunner

from grader.cli import app
from grader.course import Course
from grader.errors import UsageError
from grader.execution.interface import Finished
from grader.execution.jobs import Job
from grader.forgetting import forget
from grader.gradebook.store import Gradebook
from grader.model import CPU, CellRun, CellStatus, Run, RunStatus
from grader.people import hand_ins_of
from grader.pipeline import Graded, grade
from grader.releasing import release
from grader.terminal import summarise

RUBRIC = """
schema: 1
assignment: a1
title: A small assignment
edition: 2026
scale: points
criteria:
  - {id: names, title: Names are given., points: 1, check: names-given}
  - {id: outputs, title: Outputs are saved., points: 2, check: outputs-saved}
"""
NAMES = re.compile(r"alwin|zwirner|kerstin|quast|sanna|prell|erdmute|blohm|234567", re.IGNORECASE)


class Pretending:
    """An executor that runs nothing: every cell ends well and prints what it is given."""

    device = CPU
    at_once = 1

    device = "cpu"

    def execute(self, jobs: Iterable[Job]) -> Iterator[Finished]:
        for job in jobs:
            cells = [v4.new_code_cell(cell.source, id=f"cell-{cell.number}") for cell in job.cells]
            for cell in cells:
                cell.outputs = [v4.new_output("stream", text="by Kerstin Quast: test accuracy: 0.93\n")]
            ended = tuple(CellRun(cell=cell.number, status=CellStatus.OK) for cell in job.cells)
            run = Run(key=job.key, status=RunStatus.COMPLETED, cells=ended, seed=job.seed, limits=job.limits)
            yield Finished(job, run, v4.new_notebook(cells=cells))


def a_notebook(names: str, code: str = "print(1)") -> str:
    saved = [v4.new_output("stream", text="/home/alwin/idl: test accuracy: 0.93\n")]
    cells = [v4.new_markdown_cell(f"# Assignment 1\n\n{names}"), v4.new_code_cell(code, outputs=saved)]
    return json.dumps(v4.new_notebook(cells=cells))


HAND_INS = {
    "Alwin Zwirner_101": a_notebook(
        "Alwin Zwirner (234567), Kerstin Quast\n\nalwin@zwirner.org", "# Kerstin's\nx = 1"
    ),
    "Kerstin Quast_102": a_notebook("Kerstin Quast and Alwin Zwirner", "# Kerstin's\nx = 1"),
    "Sanna Prell_103": a_notebook("Sanna Prell", "y = 2"),
    "Erdmute Blohm_104": "no notebook",
}


@pytest.fixture
def course(tmp_path: Path) -> Course:
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "a1.yaml").write_text(RUBRIC)
    for name, notebook in HAND_INS.items():
        folder = tmp_path / "submissions" / "a1" / f"{name}_assignsubmission_file"
        folder.mkdir(parents=True)
        (folder / f"A1_{name.split('_')[0].replace(' ', '')}.ipynb").write_text(notebook)
    return Course(root=tmp_path)


def graded(course: Course, path: Path | None = None, *, pseudonyms: bool = False) -> Graded:
    [result] = grade(path or course.root / "submissions", course, Pretending(), pseudonyms=pseudonyms)
    return result


def remove_student(course: Course, who: str, assignment: str | None = None):
    return forget(course, hand_ins_of(course, who, assignment), now=datetime.now(UTC))


def decide(course: Course) -> None:
    rows = "submission,criterion,points,comment,who\n101,names,0.5,Alwin forgot Kerstin,J. Quast\n"
    (course.root / "submissions" / "a1" / "decisions.csv").write_text(rows)


def test_with_pseudonyms_nothing_that_is_written_for_people_holds_a_name(course, capsys):
    decide(course)
    result = graded(course, pseudonyms=True)
    summarise([result])
    told = capsys.readouterr()
    files = [path for path in course.reports.rglob("*") if path.is_file()]
    texts = {str(path): path.read_text("utf-8") for path in files} | {"terminal": told.out + told.err}
    found = {name: NAMES.findall(text) for name, text in texts.items() if NAMES.search(text)}
    assert found == {}
    assert [path for path in files if NAMES.search(str(path.relative_to(course.reports)))] == []
    assert {g.submission for g in result.grades} == {"Participant_101", "Participant_102", "Participant_103"}


def test_with_pseudonyms_grades_stay_what_they_are(course):
    decide(course)
    named = {g.participant.id: (g.score, g.open_points) for g in graded(course).grades}
    nameless = {g.participant.id: (g.score, g.open_points) for g in graded(course, pseudonyms=True).grades}
    assert nameless == named


def test_pages_with_names_give_way_to_pages_without(course):
    graded(course)
    assert (course.reports / "a1" / "Alwin-Zwirner_101").is_dir()
    graded(course, pseudonyms=True)
    assert not (course.reports / "a1" / "Alwin-Zwirner_101").exists()
    assert (course.reports / "a1" / "Participant_101" / "index.html").is_file()


def test_with_pseudonyms_those_who_were_graded_before_are_shown_without_names_too(course):
    decide(course)
    graded(course)
    one = course.root / "submissions" / "a1" / "Sanna Prell_103_assignsubmission_file"
    graded(course, one, pseudonyms=True)
    for name in ("index.html", "gradebook.csv"):
        page = (course.reports / "a1" / name).read_text("utf-8")
        assert "Participant_101" in page
        assert not NAMES.search(page)


def test_a_hand_in_without_a_number_gets_one_that_tells_nobody_the_name(tmp_path, course):
    folder = course.root / "submissions" / "a1"
    (folder / "Torben Ahlers.ipynb").write_text(a_notebook("Torben Ahlers"))
    result = graded(course, pseudonyms=True)
    [called] = [g.submission for g in result.grades if g.submission.startswith("Hand-in_")]
    assert re.fullmatch(r"Hand-in_[0-9a-f]{8}", called)
    assert called in [g.submission for g in graded(course, pseudonyms=True).grades]


def test_a_report_holds_nothing_of_others(course):
    graded(course)
    for name in ("index.html", "executed.ipynb", "grade.json"):
        text = (course.reports / "a1" / "Sanna-Prell_103" / name).read_text("utf-8")
        text = text.replace("by Kerstin Quast: test accuracy: 0.93", "")  # printed by the run itself
        assert not NAMES.search(re.sub("Sanna|Prell|/home/alwin/idl", "", text))


def test_removing_a_student_leaves_nothing_of_them_and_all_of_the_others(course):
    decide(course)
    graded(course)
    course.for_moodle("a1").mkdir()
    (course.for_moodle("a1") / "grades.csv").write_text("Alwin-Zwirner_101")
    state = course.state
    before = {run.name for run in (state / "runs").iterdir()}
    removed = remove_student(course, "101")
    [entries] = removed.entries
    assert (entries.grades, entries.decisions, len(removed.evidence), len(removed.reports)) == (1, 1, 1, 1)
    assert (removed.runs, removed.shared_runs) == ((), 1)  # Kerstin handed in the same code: it is hers too
    assert {run.name for run in (state / "runs").iterdir()} == before
    kept = [path for path in (*state.rglob("*"), *course.reports.rglob("*")) if path.is_file()]
    assert [path for path in kept if b"Alwin-Zwirner_101" in path.read_bytes()] == []
    assert [path for path in kept if "101" in path.name] == []
    with Gradebook.open(state / "gradebook.sqlite") as gradebook:
        assert set(gradebook.latest("a1")) == {"Kerstin-Quast_102", "Sanna-Prell_103"}
    assert removed.left == (course.root / "submissions" / "a1" / "Alwin Zwirner_101_assignsubmission_file",)


def test_a_run_that_is_nobody_elses_goes_with_the_student(course):
    graded(course)
    removed = remove_student(course, "Sanna-Prell_103")
    assert (len(removed.runs), removed.shared_runs) == (1, 0)
    assert not any(b"y = 2" in path.read_bytes() for path in course.state.rglob("*") if path.is_file())


def test_after_a_removal_the_next_grading_makes_the_class_page_again(course):
    graded(course)
    remove_student(course, "103")
    assert not (course.reports / "a1" / "index.html").exists()
    hand_in = course.root / "submissions" / "a1" / "Sanna Prell_103_assignsubmission_file"
    for file in hand_in.iterdir():
        file.unlink()
    hand_in.rmdir()
    graded(course)
    assert "Sanna" not in (course.reports / "a1" / "index.html").read_text("utf-8")


def test_that_there_was_an_erasure_is_kept_and_of_whom_is_not(course):
    decide(course)
    graded(course)
    remove_student(course, "101")
    with closing(sqlite3.connect(course.state / "gradebook.sqlite")) as book:
        [(assignment, grades, decisions)] = book.execute(
            "SELECT assignment, grades, decisions FROM erasures"
        ).fetchall()
        assert (assignment, grades, decisions) == ("a1", 1, 1)
        assert book.execute("SELECT count(*) FROM erasing").fetchone() == (0,)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            book.execute("DELETE FROM grade_states")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            book.execute("DELETE FROM erasures")
    assert b"Alwin-Zwirner_101" not in (course.state / "gradebook.sqlite").read_bytes()


def test_that_a_grade_was_released_is_kept_and_which_is_not(course):
    graded(course)
    release(course, "a1", who="J. D.", now=datetime.now(UTC))
    assert remove_student(course, "101").released_in == ("a1",)
    with closing(sqlite3.connect(course.state / "gradebook.sqlite")) as book:
        assert book.execute("SELECT releases FROM erasures").fetchall() == [(1,)]


def test_one_name_is_one_person_in_all_assignments(course):
    (course.rubrics / "a2.yaml").write_text(RUBRIC.replace("assignment: a1", "assignment: a2"))
    other = course.root / "submissions" / "a2" / "Sanna Prell_771_assignsubmission_file"
    other.mkdir(parents=True)
    (other / "A2.ipynb").write_text(a_notebook("Sanna Prell", "z = 3"))
    list(grade(course.root / "submissions", course, Pretending()))
    found = hand_ins_of(course, "sanna  prell")
    assert [(one.assignment, one.submission) for one in found] == [
        ("a1", "Sanna-Prell_103"),
        ("a2", "Sanna-Prell_771"),
    ]


def test_two_people_of_one_name_are_told_apart_by_their_ids(course):
    other = course.root / "submissions" / "a1" / "Sanna Prell_105_assignsubmission_file"
    other.mkdir(parents=True)
    (other / "A1.ipynb").write_text(a_notebook("Sanna Prell", "z = 3"))
    graded(course)
    with pytest.raises(UsageError, match=r"several people \(Sanna-Prell_103, Sanna-Prell_105\)"):
        hand_ins_of(course, "Sanna Prell")


def test_a_group_s_hand_in_is_not_one_person_s(course):
    team = course.root / "submissions" / "a1" / "Group 4_12_assignsubmission_file"
    team.mkdir(parents=True)
    (team / "A1.ipynb").write_text(a_notebook("Sanna Prell, Erdmute Blohm", "z = 3"))
    graded(course)
    with pytest.raises(UsageError, match="hand-in of a group"):
        hand_ins_of(course, "12")
    assert len(hand_ins_of(course, "12", is_whole_group=True)) == 1


def typed(course: Course, *words: str, answer: str = "") -> str:
    result = CliRunner().invoke(app, [*words, "--course", str(course.root)], input=answer)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_forgetting_says_what_it_will_remove_and_asks(course):
    decide(course)
    graded(course)
    release(course, "a1", who="J. D.", now=datetime.now(UTC))
    said = typed(course, "forget", "101", answer="n\n")
    assert "Alwin-Zwirner_101 (Alwin Zwirner): 1 states of the grade, 1 decisions, 1 releases" in said
    assert "Stays: 1 runs that the grade of somebody else rests on." in said
    assert "Nothing was removed." in said
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        assert "Alwin-Zwirner_101" in gradebook.latest("a1")
    said = typed(course, "forget", "101", "--yes")
    assert "A grade had been released in a1" in said
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        assert "Alwin-Zwirner_101" not in gradebook.latest("a1")


def test_all_of_one_person_is_in_one_zip_and_nothing_of_anybody_else(course, tmp_path):
    decide(course)
    graded(course)
    release(course, "a1", who="J. D.", now=datetime.now(UTC))
    typed(course, "export", "person", "Sanna Prell", "--to", str(tmp_path / "out"))
    with zipfile.ZipFile(tmp_path / "out" / "all-of-Sanna-Prell_103.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(files["contents.json"])["files"]
    assert told.keys() == files.keys() - {"contents.json"}
    ours = {name.removeprefix("a1/Sanna-Prell_103/") for name in files if name.startswith("a1/")}
    assert {"grades.json", "decisions.json", "releases.json", "evidence/1.json"} <= ours
    assert {"report/index.html", "handed-in/A1_SannaPrell.ipynb"} <= ours
    assert not any(name.startswith("rubric") for name in ours)
    others = re.compile(rb"Alwin|Zwirner|Erdmute|Blohm|_101|_102")
    assert [name for name, content in files.items() if others.search(content)] == []


def test_nobody_known_is_told_with_the_nearest_name(course):
    graded(course)
    with pytest.raises(UsageError, match="did you mean 'Sanna-Prell_103'"):
        remove_student(course, "Sanna-Prell_13")


def test_a_number_that_several_assignments_know_may_be_several_people(course):
    (course.rubrics / "a2.yaml").write_text(RUBRIC.replace("assignment: a1", "assignment: a2"))
    other = course.root / "submissions" / "a2" / "Torben Ahlers_101_assignsubmission_file"
    other.mkdir(parents=True)
    (other / "A2.ipynb").write_text(a_notebook("Torben Ahlers", "z = 3"))
    list(grade(course.root / "submissions", course, Pretending()))
    with pytest.raises(UsageError, match="found in a1, a2: name one of them with --assignment"):
        remove_student(course, "101")
    remove_student(course, "101", "a2")
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        assert "Alwin-Zwirner_101" in gradebook.latest("a1")
        assert gradebook.latest("a2") == {}


def test_a_student_graded_with_pseudonyms_is_removed_by_their_number(course):
    graded(course, pseudonyms=True)
    assert len(remove_student(course, "101").reports) == 1
    assert not (course.reports / "a1" / "Participant_101").exists()
