from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.execution.forecast import (
    Past,
    Running,
    Wanted,
    expected_seconds,
    forecast,
    in_words,
    makespan,
    most_seconds,
    remaining,
)
from grader.execution.running import foresee
from grader.execution.store import RunStore
from grader.model import Limits

SECONDS = st.floats(min_value=1, max_value=5_000)
LIMIT = 480.0


def test_without_any_history_only_the_limits_are_told_and_that_nothing_is_known():
    told = forecast([Wanted(LIMIT)] * 40, [], rooms=2)
    assert (told.high, told.unknown) == (20 * LIMIT, 40)
    assert told.sentence == (
        "40 notebooks to run; at most 2 h 40 min in 2 rooms at a time: nothing is known of them yet, and no "
        "limit lets them take longer."
    )


def test_a_few_runs_say_nothing_of_the_others():
    assert forecast([Wanted(LIMIT)] * 4, [Past(10.0)] * 4, rooms=1).unknown == 4
    assert expected_seconds(Wanted(LIMIT), [Past(10.0)] * 4) is None


def test_stored_runs_of_the_assignment_tell_how_long_the_others_take():
    past = [Past(70.0), Past(80.0)] * 15
    told = forecast([Wanted(LIMIT)] * 40, past, rooms=2, stored=12)
    assert 20 * 70 < told.low < told.high < 20 * 80
    assert told.sentence == (
        "40 notebooks to run, 12 are stored; about 25 min in 2 rooms at a time: all by 30 stored runs of "
        "this assignment."
    )


def test_times_of_other_machines_count_as_much_as_runs_here_took_beside_them():
    past = [Past(seconds=3 * told, told=told) for told in (10.0, 20.0, 30.0, 40.0, 50.0, 60.0)]
    told = forecast([Wanted(LIMIT, told=100.0), Wanted(LIMIT)], past, rooms=2)
    assert told.low == told.high == 300.0
    assert "1 by their own times, scaled by past runs; 1 by 6 stored runs" in told.sentence


def test_a_time_of_another_machine_that_nothing_can_be_held_against_is_no_promise():
    told = forecast([Wanted(LIMIT, told=100.0)], [], rooms=1)
    assert (told.low, told.high, told.told, told.unknown) == (100.0, LIMIT, 1, 0)
    assert "2 min to 8 min" in told.sentence


def test_no_notebook_is_expected_to_take_longer_than_it_may():
    past = [Past(seconds=2 * told, told=told) for told in (10.0, 20.0, 30.0, 40.0, 50.0)]
    assert expected_seconds(Wanted(LIMIT, told=90_000.0), past) == LIMIT
    assert most_seconds(Limits(wall_seconds=300, reserve_seconds=60)) == LIMIT


@given(
    st.lists(st.tuples(SECONDS, st.none() | SECONDS), max_size=12),
    st.lists(st.none() | SECONDS, min_size=1, max_size=12),
    st.integers(1, 5),
)
def test_a_forecast_lies_within_what_is_possible(history, told, rooms):
    past = [Past(*one) for one in history]
    found = forecast([Wanted(LIMIT, one) for one in told], past, rooms=rooms)
    assert 0 <= found.low <= found.high <= LIMIT * len(told)
    assert found.told + found.unknown <= found.to_run == len(told)
    assert str(found.to_run) in found.sentence


@given(st.lists(SECONDS, max_size=20), st.integers(1, 6))
def test_a_span_is_no_less_than_the_work_over_the_rooms_and_no_more_than_all_of_it(seconds, rooms):
    span = makespan(seconds, rooms)
    assert max([sum(seconds) / rooms, *seconds, 0]) <= span * 1.000001
    assert span <= sum(seconds) * 1.000001


def test_what_remains_is_not_known_before_anything_ended():
    assert remaining([], [Running(3.0, None, LIMIT)], [None], rooms=2) is None
    assert remaining([], [Running(3.0, 10.0, LIMIT)], [10.0], rooms=1) == 17.0


def test_a_slow_notebook_counts_with_what_it_may_still_take():
    quick = [(10.0, None)] * 6
    assert remaining(quick, [Running(60.0, None, LIMIT)], [], rooms=2) == LIMIT - 60
    others = [*quick, (200.0, None)]
    assert remaining(others, [Running(60.0, None, LIMIT)], [], rooms=2) == 140.0
    assert remaining(quick, [Running(LIMIT + 5, None, LIMIT)], [], rooms=2) == 0.0


def test_what_is_left_is_scaled_by_how_wrong_the_forecast_was():
    ended = [(20.0, 10.0)] * 5
    assert remaining(ended, [], [30.0, 30.0], rooms=2) == 60.0


def test_a_run_that_is_stored_is_neither_run_nor_forecast(a_job, tmp_path, monkeypatch):
    jobs = [a_job("1"), a_job("2")]
    monkeypatch.setattr(RunStore, "holds", lambda self, key: key == jobs[0].key)
    past = [Past(7.0)] * 5
    expecting, told = foresee(jobs, {}, past, RunStore(tmp_path), 2, stored=3)
    assert (told.to_run, told.stored) == (1, 4)
    assert [job.expected_seconds for job in expecting] == [None, 7.0]
    assert [job.key for job in expecting] == [job.key for job in jobs]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(2, "5 s"), (42, "40 s"), (100, "2 min"), (3500, "58 min"), (7900, "2 h 10 min"), (7200, "2 h")],
)
def test_a_forecast_is_told_no_finer_than_it_is(seconds, words):
    assert in_words(seconds) == words
