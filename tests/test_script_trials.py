"""What is put into the room for a fix, and which fixes are run how often."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest
from evidence.watching import a_run

from grader.evidence.mended import SEEDS
from grader.evidence.scripts import Trial, TriedFix
from grader.fixes.causes import KNOWN_CAUSES
from grader.fixes.finding import Found
from grader.fixes.records import Bar, Fix, FixKind, Script
from grader.model import Limits, Run, RunStatus
from grader.script_trials import BrokenRuns, ScriptTrials, _tried_in_turn, with_own_steps

SCRIPT = Script(name="one", title="", source="N = 2000\n", steps="N", causes=(KNOWN_CAUSES["softmax-twice"],))


class Trials:
    """Tries fixes by a table of the seed (from 1) with which each first trains; counts the runs."""

    def __init__(self, trains_with: dict[str, int]) -> None:
        self.trains_with = trains_with
        self.runs: Counter[str] = Counter()

    def tried(self, fixes, broken, *, seeds):
        return [self._tried(fix, seeds) for fix in fixes]

    def _tried(self, fix: Fix, seeds: int) -> TriedFix:
        passes = self.trains_with.get(fix.source, SEEDS + 1)
        self.runs[fix.source] = max(self.runs[fix.source], min(passes, seeds))
        trial = Trial.MENDED if passes <= seeds else Trial.FAILED
        return TriedFix(fix=fix, trial=trial, why="It ran.", runs=(a_run(0.5),))


def fixes_of(*sources: str, is_sure: bool = True) -> list[Found]:
    told = [Fix(script="one", kind=FixKind.DIFF, source=source, is_sure=is_sure) for source in sources]
    return [Found(fixes=tuple(told))]


def test_a_mended_script_takes_as_many_steps_as_the_script():
    assert with_own_steps(SCRIPT, "N = 50\nW = 0.1\n") == "N = 2000\nW = 0.1\n"
    assert with_own_steps(SCRIPT, "EPOCHS = 5\n") == "EPOCHS = 5\n"
    nameless = SCRIPT.model_copy(update={"steps": ""})
    assert with_own_steps(nameless, "N = 50\n") == "N = 50\n"


def test_further_seeds_are_run_only_when_no_fix_passes_with_the_first_one():
    trials = Trials({"second": 1})
    tried = _tried_in_turn(fixes_of("first", "second", "third"), {}, trials)
    assert trials.runs == {"first": 1, "second": 1}
    assert [one.trial for one in tried[0, "one"]] == [Trial.FAILED, Trial.MENDED]


def test_each_fix_has_its_three_seeds_where_none_passes_with_one():
    trials = Trials({})
    _tried_in_turn(fixes_of("first", "second"), {}, trials)
    assert trials.runs == {"first": SEEDS, "second": SEEDS}
    trials = Trials({"first": 2})
    tried = _tried_in_turn(fixes_of("first", "second"), {}, trials)
    assert trials.runs == {"first": 2, "second": 1}
    assert [one.trial for one in tried[0, "one"]] == [Trial.MENDED]


def test_a_fix_that_may_be_for_another_script_does_not_end_the_trials():
    trials = Trials({"first": 1, "second": 1})
    _tried_in_turn(fixes_of("first", "second", is_sure=False), {}, trials)
    assert trials.runs == {"first": 1, "second": 1}


@pytest.mark.parametrize(
    ("source", "trial"), [("N = 2000\nW = 0.1\n", Trial.MENDED), ("import ctypes\nN = 2000\n", Trial.UNCLEAR)]
)
def test_a_fix_that_reaches_into_what_runs_it_mends_nothing(source, trial):
    """Its code stands in a text, where nobody else looks at what it does."""
    trials = ScriptTrials(None, None, None, None)  # type: ignore[arg-type]
    broken = BrokenRuns(script=SCRIPT, runs=(a_run(0.1, loss=2.3),), bar=Bar(accuracy=0.9))
    fix = Fix(script="one", kind=FixKind.WHOLE_SCRIPT, source=source)
    assert trials._judged(fix, [a_run(0.95)], broken).trial is trial


def a_told_training(**fields: object) -> list[dict[str, object]]:
    return [{"kind": "recorder"}, {"kind": "training", "id": 1, "updates": 2_000} | fields]


class Kept:
    """A store of runs that knows one run's facts."""

    def __init__(self, facts: list[dict[str, object]], executed: bytes | None) -> None:
        self._facts, self._executed = facts, executed

    def load_executed(self, key: str) -> bytes | None:
        return self._executed

    def load_facts(self, key: str) -> list[dict[str, object]]:
        return self._facts


@pytest.mark.parametrize(
    ("facts", "executed"),
    [
        (a_told_training(updates=10**400), None),
        (a_told_training(), b"no notebook"),
        (a_told_training(), None),
    ],
    ids=["a number without end", "outputs that nobody can read", "nothing odd"],
)
def test_what_a_fix_leaves_behind_never_ends_the_grading_of_the_others(facts, executed, caplog):
    data = SimpleNamespace(keys={})
    trials = ScriptTrials(data, Kept(facts, executed), None, None)  # type: ignore[arg-type]
    run = Run(key="0" * 64, status=RunStatus.COMPLETED, seed=1, limits=Limits())
    shown = trials._script_run(run)
    assert shown.symptoms.accuracy is None
    assert shown.status is RunStatus.COMPLETED
