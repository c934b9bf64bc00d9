"""When a fix mends a script, when it surely does not, and when nobody can tell."""

from __future__ import annotations

import pytest
from evidence.watching import a_run

from grader.evidence.mended import SEEDS, bar_from, is_mended, judge_fix, with_accuracy_symptom
from grader.evidence.scripts import Trial
from grader.fixes.records import Bar, Symptom
from grader.model import RunStatus, Source

BAR = Bar(accuracy=0.9)
BROKEN = a_run(0.1, loss=2.3)


def judged(*runs, bar=BAR, broken=BROKEN):
    return judge_fix(runs, broken, bar)


def test_one_seed_that_passes_is_enough():
    found = judged(a_run(0.4), a_run(0.95))
    assert found.trial is Trial.MENDED
    assert found.best == 1
    assert "0.950 measured" in found.why


def test_it_failed_when_three_seeds_stay_far_below_on_real_data():
    found = judged(*[a_run(0.4)] * SEEDS)
    assert found.trial is Trial.FAILED
    assert "0.400" in found.why


@pytest.mark.parametrize(
    "runs",
    [
        [a_run(0.4)] * (SEEDS - 1),
        [a_run(0.4, is_real_data=False)] * SEEDS,
        [a_run(0.895)] * SEEDS,
        [a_run(0.55)] * SEEDS,
        [a_run(0.4), a_run(0.4), a_run(0.4, status=RunStatus.CELL_FAILED, error="NameError: x")],
        [a_run(None)] * SEEDS,
        [a_run(0.4, accuracy_from=Source.RERUN)] * SEEDS,
        [a_run(0.4, status=RunStatus.CUT_SHORT)] * SEEDS,
    ],
    ids=[
        "too few seeds",
        "stand-in",
        "near the bar",
        "more than half-way",
        "an error",
        "no figure",
        "only printed",
        "cut short",
    ],
)
def test_nothing_that_is_not_certain_fails(runs):
    assert judged(*runs).trial is Trial.UNCLEAR


def test_a_loss_that_is_no_number_mends_nothing():
    assert not is_mended(a_run(0.95, bad=3), BAR)
    assert judged(*[a_run(0.1, bad=3)] * SEEDS).trial is Trial.FAILED


def test_the_loss_decides_too_where_the_bar_says_so():
    bar = Bar(accuracy=0.9, loss_below=1.0)
    assert not is_mended(a_run(0.92, loss=1.55), bar)
    assert is_mended(a_run(0.92, loss=0.3), bar)


@pytest.mark.parametrize(
    ("run", "word"),
    [
        (a_run(0.97, steps=0), "Nothing is trained"),
        (a_run(0.97, hidden_layers=0), "another kind"),
        (a_run(0.97, shapes=((3, 3, 1, 8), (8,), (1000, 10))), "another kind"),
    ],
)
def test_what_is_no_version_of_the_script_is_refused(run, word):
    found = judged(run)
    assert found.trial is Trial.REFUSED
    assert word in found.why


def test_fewer_layers_that_pass_are_a_fix():
    one = a_run(0.93, hidden_layers=1, shapes=((784, 20), (20,), (20, 10), (10,)))
    assert judged(one).trial is Trial.MENDED


@pytest.mark.parametrize("run", [a_run(0.95, steps=500), a_run(0.95, steps=20_000), a_run(0.95, is_fit=True)])
def test_what_is_hard_to_compare_is_for_a_person(run):
    assert judged(run).trial is Trial.UNCLEAR


def test_a_script_that_could_not_be_watched_refuses_nothing():
    assert judged(a_run(None, steps=0), broken=a_run(None, steps=0)).trial is Trial.UNCLEAR


def test_a_printed_accuracy_counts_only_with_a_loss_that_was_seen():
    assert is_mended(a_run(0.95, accuracy_from=Source.RERUN, loss=0.2), BAR)
    assert not is_mended(a_run(0.95, accuracy_from=Source.RERUN, loss=2.3), BAR)


@pytest.mark.parametrize("source", [Source.RERUN, Source.OBSERVED])
def test_what_only_its_room_says_mends_no_script_that_was_measured(source):
    """A fix can learn labels that are all alike in a way that nobody can measure, and print what it likes."""
    found = judged(*[a_run(0.97, accuracy_from=source, loss=0.01)] * SEEDS)
    assert found.trial is Trial.UNCLEAR
    assert "could not be computed outside" in found.why


def test_a_recorder_that_was_changed_settles_nothing():
    assert judged(*[a_run(None, steps=0, is_trusted=False)] * SEEDS).trial is Trial.UNCLEAR


def test_a_bar_lies_between_the_broken_script_and_a_right_one():
    assert bar_from([a_run(0.1, loss=2.3)]).accuracy == 0.8
    assert bar_from([a_run(0.1, loss=2.3)]).loss_below is None
    close = bar_from([a_run(0.84, loss=1.63), a_run(0.91, loss=1.55)])
    assert close.accuracy == pytest.approx(0.925)
    assert 0.4 < (close.loss_below or 0) < 0.6
    assert is_mended(a_run(0.93, loss=0.25), close)
    assert not is_mended(a_run(0.93, loss=1.5), close)


def test_the_bar_says_whether_the_accuracy_is_low():
    assert Symptom.ACCURACY_LOW in with_accuracy_symptom(a_run(0.5), BAR).symptoms.shown
    assert Symptom.ACCURACY_LOW in with_accuracy_symptom(a_run(0.95), BAR).symptoms.absent
    assert with_accuracy_symptom(a_run(None), BAR).symptoms.absent == frozenset()
