"""Functions that train, timed beside real TensorFlow: eagerly and as graphs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grader.evidence.observed import Observed, read_observed

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("timing")
    command = [
        sys.executable,
        str(HERE / "training_functions.py"),
        str(HERE.parents[1] / "grader"),
        str(folder),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr[-3000:]
    found: dict[str, Any] = json.loads((folder / "timed.json").read_text())
    assert found["failure"] == ""
    return found


@pytest.fixture(scope="module")
def observed(told: dict[str, Any]) -> Observed:
    return read_observed(told["facts"])


def test_a_ratio_measured_by_hand_is_about_the_one_that_was_timed(told, observed):
    timed = {one.parameters: one.gain for one in observed.timings if one.name == "step"}
    assert {str(size) for size in timed} == told["by_hand"].keys()
    for size, by_hand in told["by_hand"].items():
        gain = timed[int(size)]
        assert gain.low / 1.5 < by_hand < gain.high * 1.5  # other tests load the machine between the two


def test_variables_are_as_they_were_before_anything_was_timed(told):
    assert told["is_restored"]


def test_time_that_is_slept_is_told_and_left_out(observed):
    (sleepy,) = [one for one in observed.timings if one.name == "sleepy"]
    assert sleepy.slept == pytest.approx(0.5)
    assert max(sleepy.eager) < 0.25


def test_two_nets_of_ours_stand_beside_the_notebooks(observed):
    small, large = [one for one in observed.timings if one.is_reference]
    assert (small.parameters, large.parameters) == (13_002, 1_863_690)
    assert small.gain.low > large.gain.high


def test_each_trace_of_a_function_with_python_numbers_is_counted(observed):
    (numbered,) = [one for one in observed.functions if one.name == "numbered"]
    assert (numbered.calls, numbered.traces) == (6, 6)
    assert all("int: " in signature for signature in numbered.signatures)


def test_methods_of_two_objects_are_timed_apart(observed):
    timed = {one.parameters for one in observed.timings if one.name == "in_graph" and one.gain}
    assert timed == {1_000, 1_200}


def test_a_step_of_fit_is_timed_where_it_trained_eagerly_too(observed):
    (step,) = [one for one in observed.timings if one.name == "train_step"]
    assert step.parameters == 200 * 7 + 7 + 7 * 10 + 10
    assert step.gain.low > 1


def test_python_in_a_graph_and_beside_tensorflow_and_large_arrays_are_told(observed):
    (slow,) = [one for one in observed.timings if one.name == "step_with_python"]
    assert slow.python_operations == 1
    assert slow.constant_bytes >= 1_200_000
    assert slow.outside > 0.5
    others = [one for one in observed.timings if one.gain and one.name in ("step", "in_graph", "train_step")]
    assert max(one.outside for one in others) < 0.25


def test_a_function_that_stops_training_when_it_is_called_again_is_not_timed(observed):
    tried = [one for one in observed.timings if one.name == "counted"]
    assert tried
    assert all(one.gain is None for one in tried)
    assert {one.why_not for one in tried} == {"called again eagerly, it does not train"}


def test_gradients_are_counted_by_the_way_and_by_the_cell(observed):
    training = next(one for one in observed.trainings if one.parameters == 1_000)
    assert (training.eager_gradients, training.graph_gradients) == (3, 3)
    assert training.work == ((4, 3, 3),)
    assert (training.updates, training.foreign_writes) == (6, 0)


def test_how_long_tracing_took_is_told(observed):
    assert all(one.tracing_seconds > 0 for one in observed.functions if one.traces)
