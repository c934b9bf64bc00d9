"""Prefix replay: the beginning of a saved curve held against that of our run, on curves made here."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.evidence.replay import Likeness, compare_curves, replays
from grader.model import CellRun, CellStatus, DatasetOrigin, DatasetUse, Limits, Run, RunStatus
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind, Quantity, Readings, Split

SHA = "0" * 64
SEEDS = st.integers(0, 10**6)
QUANTITIES = st.sampled_from(Quantity)


def a_curve(
    seed: int, quantity: Quantity = Quantity.LOSS, *, rate: float = 1.0, points: int = 60, noise: float = 0.03
) -> list[tuple[int, float]]:
    """A training's curve: a power law of the steps, faster with a higher rate; noise by the seed."""
    draw = random.Random(seed)
    values = [
        (10 * n, 0.8 * (1 + rate * n) ** -0.6 * math.exp(draw.gauss(0, noise))) for n in range(1, points + 1)
    ]
    if quantity is Quantity.ACCURACY:
        return [(step, max(0.0, 1 - value)) for step, value in values]
    return values


@given(SEEDS, SEEDS, QUANTITIES, st.integers(12, 50), st.floats(0, 0.04))
def test_another_seed_of_the_same_training_is_alike_and_never_apart(one, other, quantity, seen, noise):
    saved, ours = a_curve(one, quantity, noise=noise), a_curve(other, quantity, noise=noise)
    found = compare_curves(saved, ours[:seen], (), quantity)
    assert found.likeness is not Likeness.APART
    if noise < 0.02:
        assert found.likeness is Likeness.ALIKE


@given(
    SEEDS, SEEDS, QUANTITIES, st.integers(6, 50), st.sampled_from([0.1, 0.5, 2.0, 10.0]), st.floats(0, 0.5)
)
def test_another_learning_rate_is_never_alike(one, other, quantity, seen, rate, noise):
    saved, ours = a_curve(one, quantity, rate=rate, noise=noise), a_curve(other, quantity, noise=noise)
    assert compare_curves(saved, ours[:seen], (), quantity).likeness is not Likeness.ALIKE


@given(SEEDS, SEEDS, QUANTITIES, st.floats(0.02, 0.3), st.sampled_from([-1, 1]))
def test_a_constant_offset_is_never_alike(one, other, quantity, offset, sign):
    ours = a_curve(other, quantity, noise=0.01)
    moved = [(step, min(0.999, max(0.001, value + sign * offset))) for step, value in a_curve(one, quantity)]
    assert compare_curves(moved, ours[:30], (), quantity).likeness is not Likeness.ALIKE


@given(st.lists(st.tuples(st.integers(0, 99), st.floats()), max_size=40), SEEDS, QUANTITIES)
def test_whatever_was_saved_something_is_said_and_nothing_raised(saved, seed, quantity):
    compare_curves(saved, a_curve(seed, quantity)[:20], (), quantity)
    compare_curves(a_curve(seed, quantity), saved, (), quantity)


@given(SEEDS, st.integers(0, 5))
def test_too_few_points_in_common_make_no_statement(seed, seen):
    assert compare_curves(a_curve(seed), a_curve(seed)[:seen]).likeness is Likeness.UNTOLD


def test_a_curve_as_smooth_as_none_of_this_code_was_drawn():
    drawn, ours = a_curve(1, noise=0.0, points=200), a_curve(2, noise=0.1, points=200)
    found = compare_curves(drawn, ours[:150])
    assert (found.likeness, found.why) == (Likeness.APART, "it is smoother or rougher than our run's")


def test_a_curve_that_scatters_widely_widens_nothing():
    scattered, ours = a_curve(1, noise=1.0, points=200), a_curve(2, noise=0.03)
    assert compare_curves(scattered, ours[:40]).likeness is Likeness.APART


def test_a_leap_behind_what_our_run_saw_is_not_alike():
    honest, ours = a_curve(1, Quantity.ACCURACY, noise=0.01), a_curve(2, Quantity.ACCURACY, noise=0.01)
    leaping = [*honest[:40], *((step, 0.999) for step, _ in honest[40:])]
    found = compare_curves(leaping, ours[:30], (), Quantity.ACCURACY)
    assert (found.likeness, found.why) == (Likeness.APART, "it leaps where our run did not come to")


def test_a_forged_end_that_climbs_slowly_is_better_than_its_beginning_leads_to_expect():
    ours = [(10 * n, 0.7 - 0.6 * 0.8**n) for n in range(31)]
    forged = [*ours[:20], *((10 * n, 0.69 + 0.004 * (n - 20)) for n in range(20, 91))]
    found = compare_curves(forged, ours[:20], (), Quantity.ACCURACY)
    assert (found.likeness, found.why) == (
        Likeness.APART,
        "it ends better than its beginning leads to expect",
    )


def test_a_log_of_a_model_that_was_trained_before_is_no_match_and_says_what_it_may_be():
    trained = [(10 * n, 0.96 + 0.0001 * n) for n in range(1, 61)]
    found = compare_curves(trained, a_curve(1, Quantity.ACCURACY)[:30], (), Quantity.ACCURACY)
    assert found.likeness is Likeness.APART
    assert "on a trained model" in found.why


@pytest.mark.parametrize(
    ("saved", "ours"),
    [
        ([(step + 1, value) for step, value in a_curve(1)], a_curve(2)[:30]),
        (a_curve(1)[:30], a_curve(2)[:30]),
        ([(10 * n, 0.5) for n in range(1, 61)], [(10 * n, 0.5) for n in range(1, 31)]),
        ([(step, -value) for step, value in a_curve(1)], a_curve(2)[:30]),
        ([(step, value) for step, value in a_curve(1)], [*a_curve(2)[:29], (300, 1e300)]),
    ],
    ids=["other steps", "nothing left to vouch for", "flat", "negative losses", "blown up"],
)
def test_where_nothing_can_be_told_nothing_is(saved, ours):
    assert compare_curves(saved, ours).likeness is Likeness.UNTOLD


def test_seeds_that_are_further_apart_allow_more_and_not_without_end():
    saved = [(step, 1.1 * value) for step, value in a_curve(1, noise=0.0)]
    ours = a_curve(2, noise=0.0)[:40]
    assert compare_curves(saved, ours).likeness is Likeness.APART
    spread = [[(step, factor * value) for step, value in ours] for factor in (0.96, 1.04)]
    assert compare_curves(saved, ours, spread).likeness is Likeness.ALIKE
    wild = [[(step, factor * value) for step, value in ours] for factor in (0.1, 10.0)]
    assert compare_curves([(s, 2 * v) for s, v in saved], ours, wild).likeness is Likeness.APART


# From outputs ---------------------------------------------------------------------------------------


def printed(curve: Sequence[tuple[int, float]], last: str = "") -> Readings:
    lines = [f"step {step}: test accuracy {value:.4f}" for step, value in curve]
    output = Output(kind=OutputKind.STREAM, text="\n".join([*lines, last]))
    return read_outputs(Notebook(cells=(Cell(number=1, kind=CellKind.CODE, source="", outputs=(output,)),)))


def a_run(status: CellStatus = CellStatus.INTERRUPTED, origin: DatasetOrigin = DatasetOrigin.REAL) -> Run:
    return Run(
        key=SHA,
        status=RunStatus.CUT_SHORT,
        seed=1,
        limits=Limits(),
        cells=(CellRun(cell=1, status=status),),
        datasets=(DatasetUse(name="mnist", origin=origin, sha256=SHA),),
    )


SAVED = a_curve(1, Quantity.ACCURACY, noise=0.01)
OURS = a_curve(2, Quantity.ACCURACY, noise=0.01)[:30]


def test_the_curves_of_a_cell_that_was_cut_short_are_compared():
    [found] = replays(printed(SAVED, "Test accuracy: 0.9999"), a_run(), printed(OURS))
    assert found.comparison.likeness is Likeness.ALIKE
    assert (found.cell, found.split, found.reached, found.last) == (1, Split.TEST, 300, 600)
    assert found.final == round(SAVED[-1][1], 4), "a number behind the curve is none of its points"


def test_a_cell_that_came_to_its_end_is_not_replayed():
    assert replays(printed(SAVED), a_run(CellStatus.OK), printed(OURS)) == ()
    assert replays(printed(SAVED), None, None) == ()


def test_on_stand_in_data_nothing_is_told():
    [found] = replays(printed(SAVED), a_run(origin=DatasetOrigin.STAND_IN), printed(OURS))
    assert found.comparison.likeness is Likeness.UNTOLD


def test_of_several_trainings_in_a_cell_the_one_that_was_cut_short_is_compared():
    first, second = SAVED, a_curve(3, Quantity.ACCURACY, rate=3.0, noise=0.01)
    ours = [*a_curve(4, Quantity.ACCURACY, noise=0.01), *a_curve(5, Quantity.ACCURACY, rate=3.0)[:20]]
    third = [(step, 0.99) for step, _ in first]
    [found] = replays(printed([*first, *second, *third]), a_run(), printed(ours))
    assert found.comparison.likeness is Likeness.ALIKE
    assert found.final == round(second[-1][1], 4), "what was never begun is not vouched for"


def test_what_a_bar_showed_before_its_epoch_was_over_is_no_point():
    def bars(seen: int) -> Readings:
        lines = [
            f"Epoch {n}/60\n469/469 ━━━━━ 3s 6ms/step - accuracy: {v:.4f}" for n, (_, v) in enumerate(OURS, 1)
        ]
        lines = [*lines[:seen], f"Epoch {seen + 1}/60\n100/469 ━━━━━ 1s 6ms/step - accuracy: 0.1000"]
        output = Output(kind=OutputKind.STREAM, text="\n".join(lines))
        return read_outputs(
            Notebook(cells=(Cell(number=1, kind=CellKind.CODE, source="", outputs=(output,)),))
        )

    [found] = replays(bars(29), a_run(), bars(20))
    assert (found.comparison.likeness, found.comparison.common) == (Likeness.ALIKE, 20)
