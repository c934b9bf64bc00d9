from __future__ import annotations

from typing import Any

import pytest

from grader.calibration.rule import Calibration, Reached
from grader.checks.accuracy_shown import Line
from grader.model import DatasetOrigin


def reached(*accuracies: float, **fields: Any) -> Reached:
    given = {"dataset": "mnist", "origin": DatasetOrigin.REAL, "notebook": "solution.ipynb"}
    now = Line(full=0.8, partly=0.5)
    return Reached.model_validate(given | {"accuracies": accuracies, "now": now} | fields)


def calibration(*of: Reached) -> Calibration:
    return Calibration(assignment="a1", criterion="accuracy", seeds=5, reached=of, band=0.02)


@pytest.mark.parametrize(
    ("median", "full", "partly"),
    [(0.955, 0.80, 0.50), (0.84, 0.70, 0.45), (1.0, 0.80, 0.50), (0.5, 0.40, 0.30)],
)
def test_thresholds_stand_part_of_the_way_from_guessing_to_the_reference(median, full, partly):
    line = reached(median, median).proposed
    assert (line.full, line.partly) == (full, partly)


def test_one_seed_that_went_badly_moves_no_threshold():
    assert reached(0.95, 0.95, 0.6).proposed == reached(0.95, 0.95, 0.95).proposed


@pytest.mark.parametrize(
    ("accuracies", "band"),
    [((0.95, 0.95), 0.02), ((0.92, 0.95), 0.03), ((0.90, 0.95), 0.04), ((0.8, 0.9, 1.0), 0.10)],
)
def test_the_band_is_the_standard_deviation_rounded_up_and_never_less_than_its_least(accuracies, band):
    assert calibration(reached(*accuracies)).proposed_band == band


def test_the_largest_deviation_of_all_data_sets_makes_the_band():
    assert calibration(reached(0.95, 0.95), reached(0.80, 0.84)).proposed_band == 0.03


def test_one_seed_has_no_spread():
    with pytest.raises(ValueError, match="at least 2"):
        reached(0.95)
