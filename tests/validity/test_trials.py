"""What is tried, and that it is tried with other seeds each time; rooms are only pretended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.datasets.finding import dataset_names
from grader.model import Outcome
from grader.references import Expected
from grader.rubric import Rubric, read_rubric
from grader.validity.trials import Kind, Trial, run_trials, trials_of

ROOT = Path(__file__).resolve().parents[2]


def rubric_of(root: Path) -> Rubric:
    return read_rubric(root / "rubrics" / "a1.yaml", datasets=dataset_names())


def trials(root: Path) -> list[Trial]:
    return trials_of(root / "reference_solutions" / "a1", rubric_of(root))


def test_honest_work_comes_first_then_mutants_then_what_is_generated(root):
    (root / "reference_solutions" / "a1" / "references.yaml").write_text("", "utf-8")
    assert [(trial.kind, trial.name) for trial in trials(root)] == [
        (Kind.HONEST, "solution"),
        (Kind.HONEST, "plain"),
        (Kind.MUTANT, "cleared"),
        (Kind.GENERATED, "solution + activations-left-out"),
        (Kind.GENERATED, "solution + activations-are-identities"),
    ]
    assert {trial.breaks for trial in trials(root)[3:]} == {frozenset({"activation"})}


def test_what_the_reference_does_not_meet_anyway_cannot_be_broken(root):
    assert [trial for trial in trials(root) if trial.kind is Kind.GENERATED] == []


def test_generated_trials_of_what_we_ship_break_criteria_that_are_met_without_them():
    rubric = read_rubric(ROOT / "rubrics" / "a1.yaml", datasets=dataset_names())
    found = trials_of(ROOT / "reference_solutions" / "a1", rubric)
    generated = [trial for trial in found if trial.kind is Kind.GENERATED]
    assert len(generated) >= 100
    assert len({trial.name for trial in found}) == len(found)
    for trial in generated:
        assert trial.breaks
        assert trial.breaks <= {criterion.id for criterion in rubric.criteria}
        assert {trial.reference.expected(name, is_real=True) for name in trial.breaks} == {Expected.MET}


def tried(root: Path, executor: Any, honest: int = 2, mutant: int = 1):
    repeats = {Kind.HONEST: honest, Kind.MUTANT: mutant, Kind.GENERATED: 1}
    return run_trials(
        trials(root),
        repeats,
        rubrics=root / "rubrics",
        folder=root / "validity",
        executor=executor,
        data=root,
    )


def test_each_kind_is_tried_as_often_as_asked_for_with_other_seeds(root, pretending):
    executor = pretending()
    found = tried(root, executor)
    assert {one.trial.name: len(one.seen) for one in found} == {"solution": 2, "plain": 2, "cleared": 1}
    assert len(executor.jobs) == 4, "the mutant shares its run with the solution"
    assert len({job.seed for job in executor.jobs}) == 4
    seeds = [job.cells[0].source for job in executor.jobs if "seed" in job.cells[0].source]
    assert ["seed(1)" in source for source in seeds] == [True, False]


def test_verdicts_are_those_of_the_repeat(root, pretending):
    outcomes = {
        one.trial.name: [seen.verdicts["outputs"].outcome for seen in one.seen]
        for one in tried(root, pretending())
    }
    assert outcomes == {
        "solution": [Outcome.MET, Outcome.MET],
        "plain": [Outcome.MET, Outcome.MET],
        "cleared": [Outcome.NOT_MET],
    }


def test_what_was_run_is_not_run_again_and_more_repeats_are_only_the_new_ones(root, pretending):
    tried(root, pretending())
    again = pretending()
    assert len(tried(root, again)) == 3
    assert again.jobs == []
    tried(root, again, honest=3)
    assert [job.repeat for job in again.jobs] == [6, 6]
