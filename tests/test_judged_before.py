"""What has not changed is not judged again, and whatever a grade rests on is a change."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nbformat import v4

from grader import judged_before, judging, pipeline
from grader.assess import find
from grader.checks.registry import Check
from grader.course import Course
from grader.errors import StoreError
from grader.evidence.collect import EvidenceStore
from grader.execution.local import LocalExecutor
from grader.gradebook.store import Gradebook
from grader.judged_before import JudgedBefore
from grader.model import Group, Outcome, RunStatus, hand_in_mark
from grader.pipeline import Graded, grade
from grader.report import publish as publishing
from grader.report.publish import render_class

RUBRIC = """
schema: 1
assignment: a1
title: A small assignment
edition: 2026
scale: points
datasets: []
limits: {wall_seconds: 30, reserve_seconds: 10}
late: {penalty: per-day, percent_per_day: 10}
criteria:
  - {id: names, title: Names are given., points: 1, check: names-given}
  - {id: outputs, title: Outputs are saved., points: 2, check: outputs-saved}
"""
Judge = Callable[..., tuple[Graded, list[str]]]


def hand_in(course: Course, number: int, names: str = "Alex Example") -> Path:
    """A hand-in that saved an accuracy, of `names`; the names of all but one are of nobody else's."""
    cells = [
        v4.new_markdown_cell(f"# Assignment 1\n\nNames: {names}"),
        v4.new_code_cell(
            "print('accuracy: 0.91')", outputs=[v4.new_output("stream", text="accuracy: 0.9\n")]
        ),
    ]
    folder = course.root / "submissions" / "a1" / f"Participant_{number}_assignsubmission_file"
    folder.mkdir(parents=True, exist_ok=True)
    notebook = folder / "work.ipynb"
    notebook.write_text(json.dumps(v4.new_notebook(cells=cells)))
    return notebook


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = Course(root=tmp_path)
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "a1.yaml").write_text(RUBRIC)
    for number, names in {101: "Alex Example", 102: "Sam Sample", 103: "Kim Case"}.items():
        hand_in(course, number, names)
    return course


@pytest.fixture
def judge(course: Course, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Grades the course, or what is named of it; tells what came of it, and on whom evidence was asked."""
    judged: list[str] = []

    def listed(evidence, *given):
        judged.append(evidence.submission.id.removeprefix("Participant_"))
        return find(evidence, *given)

    monkeypatch.setattr(judging, "find", listed)

    def run(path: Path | None = None, **options: object) -> tuple[Graded, list[str]]:
        judged.clear()
        [graded] = grade(path or course.root / "submissions", course, LocalExecutor(2), **options)
        return graded, sorted(judged)

    return run


def files_of(course: Course) -> dict[str, bytes]:
    return {str(f.relative_to(course.reports)): f.read_bytes() for f in course.reports.rglob("*.*")}


def test_what_has_not_changed_is_not_judged_again_and_all_that_is_shown_stays(course, judge):
    first, judged = judge()
    assert judged == ["101", "102", "103"]
    shown = files_of(course)
    again, judged = judge()
    assert judged == []
    assert (again.grades, again.rejected, again.changes) == (first.grades, first.rejected, ())
    assert files_of(course) == shown


OTHER_AMOUNTS = {
    "points": ("points: 2", "points: 3"),
    "a bonus": ("points: 2", "points: 2, bonus: true"),
    "lateness": ("percent_per_day: 10", "percent_per_day: 20"),
}


@pytest.mark.parametrize("change", [*OTHER_AMOUNTS, "deadline", "group"])
def test_other_amounts_need_no_evidence_and_the_pages_are_as_if_made_anew(course, judge, change):
    if change == "group":
        for number in (101, 102):
            hand_in(course, number, "Alex Example and Sam Sample")
    first, _ = judge()
    assert (first.grades[0].group is not None) is (change == "group")
    before = files_of(course)
    rubric = course.root / "rubrics" / "a1.yaml"
    rubric.write_text(rubric.read_text().replace(*OTHER_AMOUNTS.get(change, OTHER_AMOUNTS["points"])))
    if change == "deadline":
        (course.root / "deadlines.yaml").write_text("a1: {deadline: 2026-11-10 23:59, time_zone: UTC}")
    graded, judged = judge()
    assert judged == []
    assert graded.grades != first.grades
    shown = files_of(course)
    assert {file for file in shown if shown[file] != before[file]} >= {
        f"a1/Participant_{number}/index.html" for number in (101, 102, 103)
    }
    assert judge()[1] == []
    assert files_of(course) == shown
    shutil.rmtree(course.state / "judged")
    shutil.rmtree(course.reports)
    anew, judged = judge()
    assert len(judged) == 3
    assert (anew.grades, files_of(course)) == (graded.grades, shown)


@pytest.mark.parametrize("harm", ["page gone", "page edited", "evidence gone", "another title", "a decision"])
def test_pages_that_differ_in_more_than_amounts_are_made_anew(course, judge, harm):
    judge()
    rubric = course.root / "rubrics" / "a1.yaml"
    rubric.write_text(rubric.read_text().replace("points: 2", "points: 3"))
    page = course.reports / "a1" / "Participant_102" / "index.html"
    if harm == "page gone":
        page.unlink()
    elif harm == "page edited":
        page.write_text(f"<!-- grader 0 0 -->\n{page.read_text()}")
    elif harm == "evidence gone":
        [stored] = [one for one in (course.state / "evidence").iterdir() if "Sam Sample" in one.read_text()]
        stored.unlink()
    elif harm == "a decision":
        decisions = course.root / "submissions" / "a1" / "decisions.csv"
        decisions.write_text("submission,criterion,points,comment,who\nParticipant_102,outputs,1,one,TA\n")
    else:
        rubric.write_text(rubric.read_text().replace("Names are given.", "Names."))
    _, judged = judge()
    assert judged == (["101", "102", "103"] if harm == "another title" else ["102"])
    shown = files_of(course)
    shutil.rmtree(course.state / "judged")
    shutil.rmtree(course.reports)
    judge()
    assert files_of(course) == shown


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The checks that are asked, one entry for each hand-in."""
    asked: list[str] = []
    call = Check.__call__

    def told(check: Check, *given):
        asked.append(check.name)
        return call(check, *given)

    monkeypatch.setattr(Check, "__call__", told)
    return asked


def test_of_a_changed_rubric_only_checks_that_are_asked_something_else_are_asked(course, judge, asked):
    judge()
    assert sorted(asked) == ["names-given"] * 3 + ["outputs-saved"] * 3
    rubric = course.root / "rubrics" / "a1.yaml"
    text = rubric.read_text().replace("points: 2", "points: 3").replace("Names are given.", "Names.")
    changes = {
        text: [],
        text.replace("check: outputs-saved", "check: outputs-saved, accepts: [measured]"): ["outputs-saved"],
        text.replace("id: names", "id: who"): ["outputs-saved"],
        text.replace("check: names-given", "check: outputs-saved"): [],
    }
    for changed, expected in changes.items():
        rubric.write_text(changed)
        asked.clear()
        graded, judged = judge()
        assert judged == ["101", "102", "103"]
        assert asked == expected * 3
        shown = files_of(course)
        shutil.rmtree(course.state / "judged")
        anew, _ = judge()
        assert (anew.grades, files_of(course)) == (graded.grades, shown), "as if all checks were asked"


@pytest.mark.parametrize("change", ["program", "evidence", "grade", "kept by an earlier version"])
def test_a_verdict_stands_only_on_all_that_it_rests_on(course, judge, asked, monkeypatch, change):
    judge()
    asked.clear()
    [kept] = (course.state / "judged").iterdir()
    if change == "program":
        monkeypatch.setattr(judged_before, "program_sha256", lambda: "another")
    elif change == "evidence":
        for number in (101, 102, 103):
            hand_in(course, number, "Jo Doe")
    elif change == "grade":
        with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
            others = [one.model_copy(update={"flags": ("x",)}) for one in gradebook.latest("a1").values()]
            gradebook.record(others, now=datetime.now(UTC))
    else:
        before = {mark: parts[:3] for mark, parts in json.loads(kept.read_text()).items()}
        kept.write_text(json.dumps(before))
        rubric = course.root / "rubrics" / "a1.yaml"
        rubric.write_text(rubric.read_text().replace("points: 2", "points: 3"))
    judge()
    assert len(asked) == 6


def test_a_verdict_of_a_check_that_was_distrusted_does_not_stand(course, judge, asked, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "distrusted", lambda agreements: frozenset({"names-given"}))
        graded, _ = judge()
        assert {grade.criteria[0].verdict.outcome for grade in graded.grades} == {Outcome.NEEDS_REVIEW}
    asked.clear()
    graded, _ = judge()
    assert {grade.criteria[0].verdict.outcome for grade in graded.grades} == {Outcome.MET}
    assert asked == ["names-given"] * 3


def test_another_version_of_the_program_judges_everybody(judge, monkeypatch):
    judge()
    monkeypatch.setattr(judged_before, "program_sha256", lambda: "another")
    assert judge()[1] == ["101", "102", "103"]


def test_another_notebook_and_a_decision_judge_only_whom_they_concern(course, judge):
    judge()
    hand_in(course, 102, "Sam Sample and Jo Doe")
    assert judge()[1] == ["102"]
    header = "submission,criterion,points,comment,who\n"
    decisions = course.root / "submissions" / "a1" / "decisions.csv"
    decisions.write_text(f"{header}Participant_103,outputs,0.5,as agreed,TA\n")
    graded, judged = judge()
    assert judged == ["103"]
    assert [grade.score for grade in graded.grades] == [3, 3, 1.5]
    decisions.write_text(header)
    assert judge()[1] == ["103"], "a decision that is withdrawn is a change, too"


@pytest.mark.parametrize("harm", ["gone", "edited", "of a fault"])
def test_a_page_that_is_not_the_one_that_was_written_is_made_again(course, judge, harm):
    judge()
    page = course.reports / "a1" / "Participant_102" / "index.html"
    whole = page.read_bytes()
    if harm == "gone":
        shutil.rmtree(page.parent)
    else:
        page.write_text("<!doctype html>" if harm == "of a fault" else "<!-- grader 0 -->\n<p>another page")
    assert judge()[1] == ["102"]
    assert page.read_bytes() == whole


@pytest.mark.parametrize("change", ["none", "page gone", "hand-in gone", "no notebook", "judged anew"])
def test_the_class_page_is_made_again_only_where_it_shows_something_else(course, judge, monkeypatch, change):
    judge()
    made: list[int] = []
    monkeypatch.setattr(
        publishing, "render_class", lambda *given, **named: made.append(1) or render_class(*given, **named)
    )
    page = course.reports / "a1" / "index.html"
    before = page.read_text()
    [work] = (course.root / "submissions" / "a1").glob("Participant_102_*/work.ipynb")
    if change == "page gone":
        page.unlink()
    elif change == "hand-in gone":
        shutil.rmtree(work.parent)
    elif change == "no notebook":
        work.rename(work.with_suffix(".txt"))
    elif change == "judged anew":
        hand_in(course, 102, "Robin Sample")
    judge()
    assert made == ([] if change == "none" else [1])
    assert (page.read_text() == before) is (change in ("none", "page gone", "judged anew"))
    made.clear()
    judge()
    assert made == []


def test_a_kept_file_that_cannot_be_read_judges_everybody(course, judge):
    judge()
    [kept] = (course.state / "judged").iterdir()
    assert "Participant" not in kept.read_text(), "nobody is named in it"
    for text in ("no JSON", "[]", '{"a": 1}'):
        kept.write_text(text)
        assert judge()[1] == ["101", "102", "103"]


def test_a_lost_run_is_not_kept(judge, monkeypatch):
    original = pipeline.gather

    def lost(*given):
        gathered = original(*given)
        evidence = tuple(
            one.model_copy(update={"run": one.run.model_copy(update={"status": RunStatus.LOST})})
            for one in gathered.evidence
        )
        return gathered.model_copy(update={"evidence": evidence})

    monkeypatch.setattr(pipeline, "gather", lost)
    judge()
    assert judge()[1] == ["101", "102", "103"]


def test_what_rests_on_no_stored_evidence_does_not_stand(judge, monkeypatch):
    with monkeypatch.context() as patched:  # as where one run of a hand-in, with legacy Keras, was lost
        patched.setattr(EvidenceStore, "save", lambda self, key, evidence: None)
        judge()
    assert judge()[1] == ["101", "102", "103"]
    assert judge()[1] == []


def test_evidence_on_another_copy_than_the_one_that_is_judged_is_none(tmp_path):
    store = EvidenceStore(tmp_path)
    (tmp_path / "of-sam.json").write_text("{}")
    keys = {"Alex": "of-alex", "Sam": "of-sam"}
    by_sam, by_alex = (
        Group(hand_ins=tuple(map(hand_in_mark, names)), is_shared=True, mark="m")
        for names in (("Sam", "Alex"), ("Alex", "Sam"))
    )
    before = JudgedBefore(tmp_path / "judged.json", (), keys, store, (), tmp_path, {})
    before.standing({"Alex": by_sam, "Sam": by_sam}, {}, (), {})
    assert before.basis("Alex") != ""
    before.standing({"Alex": by_alex, "Sam": by_alex}, {}, (), {})
    assert before.basis("Alex") == before.basis("Sam") == ""


def test_a_grade_whose_page_was_never_written_does_not_stand_for_the_one_before(course, judge, monkeypatch):
    first, _ = judge()
    rubric = course.root / "rubrics" / "a1.yaml"
    as_it_was = rubric.read_text()
    rubric.write_text(as_it_was.replace("points: 2", "points: 3"))

    def full(*given: object, **named: object) -> Path:
        raise StoreError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "publish", full)
        with pytest.raises(StoreError):
            judge()
    rubric.write_text(as_it_was)
    again, judged = judge()
    assert judged == ["101", "102", "103"]
    assert again.grades == first.grades


def test_pages_without_names_are_made_for_all_and_leave_nothing_that_stands(judge):
    judge()
    assert judge(pseudonyms=True)[1] == ["101", "102", "103"]
    assert judge()[1] == ["101", "102", "103"]


def test_a_group_is_judged_as_one(course, judge):
    both = "Alex Example and Sam Sample"
    hand_in(course, 101, both)
    hand_in(course, 102, both)
    judge()
    graded, judged = judge()
    assert judged == []
    assert [grade.group is not None for grade in graded.grades] == [True, True, False]
    decisions = course.root / "submissions" / "a1" / "decisions.csv"
    decisions.write_text("submission,criterion,points,comment,who\nParticipant_102,outputs,1,one,TA\n")
    graded, judged = judge()
    assert judged == ["101", "102"]
    assert [grade.score for grade in graded.grades] == [2, 2, 3]


def test_grading_one_of_a_group_by_itself_does_not_break_the_group_up_for_good(course, judge):
    both = "Alex Example and Sam Sample"
    hand_in(course, 101, both)
    hand_in(course, 102, both)
    judge()
    _, judged = judge(course.root / "submissions" / "a1" / "Participant_102_assignsubmission_file")
    assert judged == ["102"]
    graded, _ = judge()
    assert [grade.group is not None for grade in graded.grades] == [True, True, False]
    judge(course.root / "submissions" / "a1" / "Participant_102_assignsubmission_file", pseudonyms=True)
    graded, _ = judge()
    assert [grade.group is not None for grade in graded.grades] == [True, True, False]
