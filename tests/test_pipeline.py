"""The whole way on a small course, with real rooms and notebooks that need no TensorFlow."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from nbformat import v4

from grader import processes
from grader.cleaning import clean
from grader.course import Course
from grader.errors import RubricError, StoreError, UsageError
from grader.execution.local import LocalExecutor
from grader.pipeline import Graded, grade

RUBRIC = """
schema: 1
assignment: a1
title: A small assignment
edition: 2026
scale: points
datasets: []
limits: {wall_seconds: 30, reserve_seconds: 10}
criteria:
  - {id: names, title: Names are given., points: 1, check: names-given}
  - {id: outputs, title: Outputs are saved., points: 2, check: outputs-saved}
"""


def a_notebook(*sources: str, saved: str | None = None) -> str:
    outputs = [v4.new_output("stream", text=saved)] if saved else []
    cells = [v4.new_markdown_cell("# Assignment 1\n\nNames: Alex Example, Sam Sample")]
    cells += [v4.new_code_cell(source, outputs=outputs) for source in sources]
    return json.dumps(v4.new_notebook(cells=cells))


@pytest.fixture
def course(tmp_path: Path) -> Course:
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "a1.yaml").write_text(RUBRIC)
    for number, notebook in {
        101: a_notebook("print('accuracy: 0.91')", saved="test accuracy: 0.91\n"),
        102: a_notebook("1 / 0"),
        103: "this is no notebook",
    }.items():
        folder = tmp_path / "submissions" / "a1" / f"Participant_{number}_assignsubmission_file"
        folder.mkdir(parents=True)
        (folder / "work.ipynb").write_text(notebook)
    return Course(root=tmp_path)


def graded(course: Course, path: Path | None = None, executor=None) -> Graded:
    [result] = grade(path or course.root / "submissions", course, executor or LocalExecutor(2))
    return result


class NothingMayRun:
    """An executor for calls in which everything must come from the store."""

    device = "cpu"

    def execute(self, jobs):
        assert list(jobs) == [], "a finished run was run again"
        return iter(())


def test_how_long_it_will_take_is_said_before_the_first_run_and_only_where_there_is_one(course):
    heard = []

    def again():
        list(
            grade(
                course.root / "submissions",
                course,
                LocalExecutor(2),
                progress=lambda doing, done, total: heard.append(done),
                foretell=heard.append,
            )
        )

    again()
    first, *progress = heard
    assert (first.to_run, first.stored, first.unknown) == (2, 0, 2)
    assert progress == [0, 1, 2]
    again()
    assert len(heard) == 4


def test_hand_ins_go_in_and_reports_come_out(course):
    result = graded(course)
    assert [g.submission for g in result.grades] == ["Participant_101", "Participant_102"]
    assert [r.id for r in result.rejected] == ["Participant_103"]
    reports = course.reports / "a1"
    assert result.class_page == reports / "index.html"
    assert "Participant_101/index.html" in result.class_page.read_text("utf-8")
    assert sorted(p.name for p in (reports / "Participant_101").iterdir()) == [
        *("executed.ipynb", "grade.json", "index.html"),
    ]
    told = json.loads((reports / "Participant_101" / "grade.json").read_text("utf-8"))
    assert told["score"] == 3
    assert (reports / "gradebook.csv").read_text("utf-8").count("\n") == 4


def test_our_outputs_stand_in_the_cells_that_gave_them(course):
    graded(course)
    executed = json.loads((course.reports / "a1" / "Participant_102" / "executed.ipynb").read_text("utf-8"))
    assert [cell["cell_type"] for cell in executed["cells"]] == ["markdown", "code"]
    assert executed["cells"][1]["outputs"][0]["ename"] == "ZeroDivisionError"
    page = (course.reports / "a1" / "Participant_102" / "index.html").read_text("utf-8")
    assert "ZeroDivisionError" in page


def test_the_second_call_runs_nothing_and_writes_nothing(course):
    graded(course)
    page = course.reports / "a1" / "Participant_101" / "index.html"
    before = page.stat().st_mtime_ns
    result = graded(course, executor=NothingMayRun())
    assert result.executed == 0
    assert result.changes == ()
    assert page.stat().st_mtime_ns == before


def test_deleted_reports_are_made_again_without_running(course):
    graded(course)
    for page in course.reports.rglob("*.*"):
        page.unlink()
    graded(course, executor=NothingMayRun())
    assert (course.reports / "a1" / "Participant_101" / "index.html").is_file()
    assert (course.reports / "a1" / "Participant_101" / "executed.ipynb").is_file()


def test_a_changed_rubric_judges_again_and_tells_whose_grade_moved(course):
    graded(course)
    rubric = course.rubrics / "a1.yaml"
    rubric.write_text(rubric.read_text().replace("points: 2", "points: 4"))
    result = graded(course, executor=NothingMayRun())
    moved = {change.submission: (change.old_score, change.new_score) for change in result.changes}
    assert moved["Participant_101"] == (3, 5)


def test_equal_code_is_run_once_and_nobody_gets_anothers_text(course):
    twin = course.root / "submissions" / "a1" / "Participant_104_assignsubmission_file"
    twin.mkdir()
    theirs = json.loads(a_notebook("print('accuracy: 0.91')", saved="mine: 0.5\n"))
    theirs["cells"][0]["source"] = "A secret of participant 104"
    (twin / "work.ipynb").write_text(json.dumps(theirs))
    result = graded(course)
    assert result.executed == 2, "101 and 104 share a run"
    for name in ("executed.ipynb", "index.html"):
        assert (
            "secret of participant 104" not in (course.reports / "a1" / "Participant_101" / name).read_text()
        )
        assert "secret of participant 104" in (course.reports / "a1" / "Participant_104" / name).read_text()


def test_decisions_beside_the_hand_ins_close_what_is_open(course):
    graded(course)
    decisions = course.root / "submissions" / "a1" / "decisions.csv"
    decisions.write_text(
        "submission,criterion,points,comment,who\n102,outputs,1.5,seen in the exercise,TA 1\n"
    )
    result = graded(course, executor=NothingMayRun())
    assert {g.submission: float(g.score) for g in result.grades}["Participant_102"] == 2.5
    again = graded(course, executor=NothingMayRun())
    assert again.changes == ()
    decisions.write_text("submission,criterion,points,comment,who\n102,outptus,1.5,,TA 1\n")
    with pytest.raises(UsageError, match=r"line 2.*outputs"):
        graded(course, executor=NothingMayRun())


def test_decisions_may_lie_elsewhere_when_they_are_named(course, tmp_path):
    graded(course)
    elsewhere = tmp_path / "mine.csv"
    elsewhere.write_text("submission;criterion;points;comment;who\n102;outputs;1,5;;TA 1\n")
    [result] = grade(course.root / "submissions", course, NothingMayRun(), decisions=elsewhere)
    assert {g.submission: float(g.score) for g in result.grades}["Participant_102"] == 2.5


def test_a_student_s_own_decisions_are_never_taken(course):
    """Nor where a TA names a folder inside a hand-in that is called like the assignment."""
    inside = course.root / "submissions" / "a1" / "Alice" / "a1"
    inside.mkdir(parents=True)
    (inside / "work.ipynb").write_text(a_notebook("x = 1"))
    (inside / "decisions.csv").write_text(
        "submission,criterion,points,comment,who\nAlice,outputs,2,,the TA\n"
    )
    for path in (inside, inside.parent):
        [grade] = graded(course, path).grades
        assert not any(criterion.override for criterion in grade.criteria)


def test_grading_one_hand_in_leaves_the_others_pages_and_rows(course):
    graded(course)
    one = course.root / "submissions" / "a1" / "Participant_102_assignsubmission_file"
    result = graded(course, one, NothingMayRun())
    assert [g.submission for g in result.grades] == ["Participant_102"]
    assert (course.reports / "a1" / "Participant_101" / "index.html").is_file()
    assert "Participant_101/index.html" in result.class_page.read_text("utf-8")
    assert "Participant_101" in (course.reports / "a1" / "gradebook.csv").read_text("utf-8")


def test_a_hand_in_that_is_gone_leaves_the_class_page(course):
    graded(course)
    shutil.rmtree(course.root / "submissions" / "a1" / "Participant_101_assignsubmission_file")
    result = graded(course, executor=NothingMayRun())
    assert not (course.reports / "a1" / "Participant_101").exists()
    assert "Participant_101/index.html" not in result.class_page.read_text("utf-8")


def test_a_bad_rubric_stops_the_call_before_anything_is_run(course):
    rubric = course.rubrics / "a1.yaml"
    rubric.write_text(rubric.read_text().replace("names-given", "names-giben"))
    with pytest.raises(RubricError, match="names-given"):
        graded(course, executor=NothingMayRun())


def test_an_assignment_without_a_rubric_is_said_with_the_nearest(course):
    (course.root / "submissions" / "a1").rename(course.root / "submissions" / "a2")
    with pytest.raises(UsageError, match="a1"):
        graded(course)


def test_a_run_lost_to_our_machinery_is_run_again_next_time(course, monkeypatch):
    from grader.execution import local
    from grader.sandbox import launching

    with monkeypatch.context() as broken:
        broken.setattr(local, "check_room", lambda: None)
        broken.setattr(launching, "room_command", lambda *_: ["false"])
        result = graded(course)
    assert set(result.lost) == {"Participant_101", "Participant_102"}
    assert graded(course).executed == 2


ODD = {
    "lone surrogates": "print('\ud800\udc80')  # \ud800",
    "a NUL": "print('a\x00b')",
    "right to left": "print('\u202etxt.exe')",
    "deep nesting": "(" * 3000 + ")" * 3000,
    "a display nested a thousand deep": (
        "d = 'x'\nfor _ in range(900): d = {'a': d}\n"
        "from IPython.display import publish_display_data\n"
        "publish_display_data({'application/json': d, 'text/plain': 'ok'})"
    ),
    "an error whose text is odd": "raise ValueError('\udc80 \x1b[31m ' + 'x' * 100_000)",
}


def test_odd_notebooks_stop_nobody(course):
    for number, code in enumerate(ODD.values(), start=110):
        folder = course.root / "submissions" / "a1" / f"Participant_{number}_assignsubmission_file"
        folder.mkdir()
        (folder / "work.ipynb").write_text(a_notebook(code))
    result = graded(course)
    told = {g.submission for g in result.grades} | {r.id for r in result.rejected}
    assert {f"Participant_{number}" for number in range(110, 110 + len(ODD))} <= told
    assert {"Participant_101", "Participant_102"} <= {g.submission for g in result.grades}
    assert [item.id for item in result.rejected] == ["Participant_103"]
    assert result.lost == ()


@pytest.mark.parametrize("where", ["grader.gathering.collect", "grader.report.publish.render_submission"])
def test_a_bug_at_one_hand_in_stops_nobody_else(course, monkeypatch, where):
    module, _, name = where.rpartition(".")
    real = getattr(sys.modules[module], name)

    def broken(*arguments, **options):
        if "Participant_102" in repr(arguments[:2]):
            raise ValueError("a bug")
        return real(*arguments, **options)

    monkeypatch.setattr(where, broken)
    graded(course)
    assert "Names are given" in (course.reports / "a1" / "Participant_101" / "index.html").read_text("utf-8")
    class_page = (course.reports / "a1" / "index.html").read_text("utf-8")
    assert "Participant_102" in class_page


def test_a_bug_in_the_machinery_loses_one_run_and_stops_nobody_else(course, monkeypatch):
    from grader.execution import slot_run

    real = slot_run.run_in_room

    async def broken(job, source, rooms):
        if job.submission == "Participant_102":
            raise ValueError("a bug")
        return await real(job, source, rooms)

    monkeypatch.setattr(slot_run, "run_in_room", broken)
    result = graded(course)
    assert result.lost == ("Participant_102",)
    assert {g.submission for g in result.grades} == {"Participant_101", "Participant_102"}


def test_two_gradings_of_one_course_do_not_mix(course):
    with course.locked(), pytest.raises(StoreError, match="wait until it is done"):
        graded(course)


def test_clean_frees_what_no_grade_needs_and_nothing_else(course):
    graded(course)
    notebook = course.root / "submissions/a1/Participant_102_assignsubmission_file/work.ipynb"
    notebook.write_text(a_notebook("print('better')", saved="accuracy: 0.5\n"))
    graded(course)
    freed = clean(course)
    assert (freed.runs, freed.evidence) == (1, 1)
    assert freed.bytes > 0
    assert graded(course, executor=NothingMayRun()).changes == ()
    assert clean(course).runs == 0


def test_a_grading_killed_in_the_middle_loses_nothing_and_repeats_nothing(course):
    slow = course.root / "submissions" / "a1" / "Participant_105_assignsubmission_file"
    slow.mkdir()
    (slow / "work.ipynb").write_text(a_notebook("import time\ntime.sleep(20)\nprint(1)"))
    program = [sys.executable, "-m", "grader", str(course.root / "submissions"), "--course", str(course.root)]
    killed = subprocess.Popen([*program, "--jobs", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    runs = course.state / "runs"
    deadline = time.monotonic() + 60
    rooms: list[psutil.Process] = []
    while time.monotonic() < deadline and not (rooms and len(list(runs.glob("*/run.json"))) >= 2):
        time.sleep(0.05)
        rooms = psutil.Process(killed.pid).children(recursive=True)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert rooms
    assert psutil.wait_procs(rooms, timeout=10)[1] == [], "the rooms must die with the grader"
    finished = {path: path.stat().st_mtime_ns for path in runs.glob("*/run.json")}
    assert len(finished) >= 2
    (slow / "work.ipynb").write_text(a_notebook("print(1)"))
    result = graded(course)
    assert result.executed == 1
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert not [g for g in result.grades if g.run_key is None]
    assert result.lost == ()


def test_a_grading_that_is_stopped_says_so_leaves_nothing_running_and_goes_on(course):
    slow = course.root / "submissions" / "a1" / "Participant_105_assignsubmission_file"
    slow.mkdir()
    (slow / "work.ipynb").write_text(a_notebook("import time\ntime.sleep(200)\nprint(1)"))
    program = [
        "env",
        "--default-signal=INT",
        sys.executable,
        "-m",
        "grader",
    ]  # which ignore it in the background
    program += [str(course.root / "submissions"), "--course", str(course.root), "--limit", "wall_seconds=300"]
    stopped = subprocess.Popen([*program, "--jobs", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    runs = course.state / "runs"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(list(runs.glob("*/run.json"))) < 2:
        time.sleep(0.05)
    time.sleep(0.5)
    rooms = psutil.Process(stopped.pid).children(recursive=True)
    stopped.send_signal(signal.SIGINT)
    _, told = stopped.communicate(timeout=60)
    assert stopped.returncode == 130
    assert b"Stopped. What is finished is kept" in told
    assert b"[2/" in told
    assert b"left" in told, "an estimate of what remains"
    assert psutil.wait_procs(rooms, timeout=10)[1] == []
    (slow / "work.ipynb").write_text(a_notebook("print(1)"))
    assert graded(course).lost == ()


def test_several_processes_grade_as_one_does(course, monkeypatch):
    for number in range(110, 116):
        folder = course.root / "submissions" / "a1" / f"Participant_{number}_assignsubmission_file"
        folder.mkdir()
        printed = "'accuracy: 0.91'" if number % 2 else "'no', 1 / 0"
        (folder / "work.ipynb").write_text(a_notebook(f"print({printed})", saved=f"accuracy: 0.{number}\n"))
    graded(course)

    def anew(processors: int) -> tuple[list[str], dict[str, bytes], set[int]]:
        shutil.rmtree(course.reports)
        shutil.rmtree(course.state / "judged")
        by: set[int] = set()
        monkeypatch.setattr(processes, "_FEWEST_EACH", 1)
        monkeypatch.setattr(processes, "processors", lambda: processors)
        monkeypatch.setattr(processes.os, "fork", lambda fork=os.fork: by.add(pid := fork()) or pid)
        told = [grade.model_dump_json() for grade in graded(course).grades]
        files = {str(file): file.read_bytes() for file in course.reports.rglob("*") if file.is_file()}
        monkeypatch.undo()
        return told, files, by

    *alone, forked_alone = anew(1)
    *together, forked = anew(3)
    assert (len(forked_alone), len(forked)) == (0, 4)  # two beside this process, for judging and for showing
    assert together == alone
    assert len(alone[0]) == 8
