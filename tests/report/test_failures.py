"""Failures stand under their cause, each hand-in once, without anybody's own words."""

from __future__ import annotations

from grader.model import CellRun, CellStatus, Participant, Rejected, RunStatus
from grader.report.examples import ExampleTaker
from grader.report.failures import failures_by_cause


def failed(a_run, cell, name):
    error = f"NameError: name '{name}' is not defined"
    cells = (CellRun(cell=cell, status=CellStatus.FAILED, error=error),)
    return a_run(status=RunStatus.CELL_FAILED, cells=cells)


def test_errors_of_one_cause_are_one_group_whatever_the_names(a_grade, a_run, an_evidence, a_notebook, code):
    grades = [a_grade(submission=name) for name in "abc"]
    runs = {"a": failed(a_run, 1, "h_1"), "b": failed(a_run, 1, "w"), "c": failed(a_run, 1, "x")}
    notebooks = {
        "a": a_notebook(code("h_1")),
        "b": a_notebook(code("w")),
        "c": a_notebook(code("x"), code("x = 1")),
    }
    evidence = {name: an_evidence(notebook, runs[name]) for name, notebook in notebooks.items()}
    first, second = failures_by_cause(grades, runs, [], ExampleTaker(evidence))
    assert [grade.submission for grade in first.grades] == ["a", "b"]
    assert first.cause.startswith("A cell raised NameError. No cell of the notebook sets …")
    assert first.example == "NameError: name 'h_1' is not defined"
    assert "set only further down" in second.cause


def test_a_run_that_was_stopped_stands_under_what_stopped_it(a_grade, a_run):
    runs = {"a": a_run(status=RunStatus.OUT_OF_MEMORY), "b": a_run(), "c": a_run(status=RunStatus.LOST)}
    [group] = failures_by_cause([a_grade(submission=name) for name in "abc"], runs, [], ExampleTaker({}))
    assert "too much memory" in group.cause
    assert group.count == 1


def test_what_could_not_be_graded_is_counted_by_its_reason():
    rejected = [
        Rejected(id=name, assignment="a1", participant=Participant(), reason=f"“{name}.py” is no notebook.")
        for name in "ab"
    ]
    [group] = failures_by_cause([], {}, rejected, ExampleTaker({}))
    assert (group.cause, group.count) == ("Not graded: … is no notebook.", 2)
