import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.report.allowance import fair_limit, size_of


@pytest.mark.parametrize(
    ("sizes", "total", "limit"),
    [((10, 20), 100, 20), ((10, 90), 50, 40), ((30, 30, 30), 30, 10), ((), 50, 50), ((5, 100, 100), 65, 30)],
)
def test_short_pieces_stay_whole_and_long_ones_give_way(sizes, total, limit):
    assert fair_limit(sizes, total) == limit


@given(st.lists(st.integers(0, 1_000)), st.integers(0, 5_000))
def test_pieces_cut_to_the_limit_never_come_to_more_than_the_total(sizes, total):
    limit = fair_limit(sizes, total)
    assert sum(min(size, limit) for size in sizes) <= total


def test_a_size_is_counted_in_bytes():
    assert size_of("aß") == 3
