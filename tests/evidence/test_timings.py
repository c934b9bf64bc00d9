import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.evidence.timings import Timing, interval_of


def test_fewer_than_six_values_give_no_interval():
    assert interval_of([1.0] * 5) is None
    assert interval_of([1.0] * 6) == (1.0, 1.0, 1.0)


def test_the_ranks_are_those_of_the_binomial_distribution():
    low, middle, high = interval_of([float(value) for value in range(1, 11)])
    assert (low, middle, high) == (2.0, 5.5, 9.0)  # ranks 2 and 9 of 10, as tables of the sign test have it


def test_the_median_lies_in_the_interval_in_95_of_100_cases():
    drawn = random.Random(1)
    inside = 0
    for _ in range(1_000):
        found = interval_of([drawn.expovariate(1.0) for _ in range(15)])
        inside += found.low <= 0.6931 <= found.high
    assert inside >= 940


@given(st.lists(st.floats(0.01, 100), min_size=6, max_size=60), st.randoms())
def test_the_order_of_the_values_does_not_matter(values, mixed):
    other = list(values)
    mixed.shuffle(other)
    found = interval_of(values)
    assert found == interval_of(other)
    assert found.low <= found.middle <= found.high


def test_one_call_that_was_held_up_hardly_moves_the_interval():
    calm = Timing(eager=(0.004,) * 12, graph=(0.001,) * 12).gain
    held_up = Timing(eager=(0.004,) * 12, graph=(*(0.001,) * 11, 0.5)).gain
    assert held_up.middle == calm.middle == pytest.approx(4.0)
    assert held_up.low == pytest.approx(4.0)


def test_times_that_do_not_come_in_pairs_are_refused():
    with pytest.raises(ValueError, match="pairs"):
        Timing(eager=(1.0,), graph=())
