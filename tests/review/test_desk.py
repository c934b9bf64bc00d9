"""The desk itself, without a browser: what is written down stays, whatever dies."""

from __future__ import annotations

from decimal import Decimal

import pytest

from grader.review.desk import ReviewDesk
from grader.review.server import usual_port


def test_a_decision_is_kept_though_the_server_dies_in_the_middle_of_it(course, monkeypatch):
    desk = ReviewDesk(course, "a1")
    item = desk.by_question("interface")[0]

    def die(*_):
        raise SystemExit

    monkeypatch.setattr(desk, "_record", die)
    with pytest.raises(SystemExit):
        desk.decide(item, Decimal(1), "half", who="J. D.", seen="")
    again = ReviewDesk(course, "a1")
    [decided] = [one for one in again.by_question("interface") if one.is_decided]
    assert (decided.key, decided.criterion.awarded) == (item.key, Decimal(1))


def test_a_course_has_the_same_port_each_time_and_another_course_another(tmp_path):
    ports = {usual_port(tmp_path / name) for name in "abc"}
    assert len(ports) == 3
    assert usual_port(tmp_path / "a") in ports
    assert all(20_000 <= port < 30_000 for port in ports)


def test_what_another_desk_decides_is_seen_at_once(course):
    one, other = ReviewDesk(course, "a1"), ReviewDesk(course, "a1")
    for number in range(6):
        item = one.by_question("interface")[number]
        assert (one if number % 2 else other).decide(item, Decimal(number % 3), "", who="J. D.", seen="")
        assert one.grades() == other.grades()
        assert sum(found.is_decided for found in one.by_question("interface")) == number + 1
