from __future__ import annotations

import pytest

from grader.execution.drift import better_run, suggests_legacy_keras
from grader.model import CellRun, CellStatus, KerasFlavour, Limits, Run, RunStatus

OK, FAILED = CellStatus.OK, CellStatus.FAILED


def a_run(
    *cells: CellStatus, error: str | None = None, status: RunStatus = RunStatus.CELL_FAILED, **fields
) -> Run:
    runs = tuple(
        CellRun(cell=number, status=cell, error=error if cell is FAILED else None)
        for number, cell in enumerate(cells, start=1)
    )
    return Run(key="d" * 64, status=status, cells=runs, seed=1, limits=Limits(), **fields)


@pytest.mark.parametrize(
    "error",
    [
        "ValueError: A KerasTensor cannot be used as input to a TensorFlow function. A KerasTensor is …",
        "ValueError: Unknown variable: <Variable path=dense/kernel, shape=(3, 2), dtype=float32>",
        "ValueError: No gradients provided for any variable.",
        "ValueError: not enough values to unpack (expected 2, got 0)",
        "ImportError: `keras.optimizers.legacy` is not supported in Keras 3. When using `tf.keras`, …",
        "ValueError: The filename must end in `.weights.h5`. Received: filepath=model.h5",
        "ValueError: Argument(s) not recognized: {'clipnormx': 1}",
    ],
)
def test_errors_of_keras_2_code_ask_for_legacy_keras(error):
    assert suggests_legacy_keras(a_run(OK, FAILED, error=error))
    assert not suggests_legacy_keras(a_run(FAILED, error=error, keras=KerasFlavour.LEGACY))


@pytest.mark.parametrize(
    "error", ["NameError: name 'h_1' is not defined", "ValueError: shapes do not fit", None]
)
def test_a_students_own_errors_do_not(error):
    assert not suggests_legacy_keras(a_run(OK, FAILED, error=error))


def test_an_old_notebook_with_an_error_of_a_library_asks_for_legacy_keras_too():
    error = "AttributeError: 'Dense' object has no attribute 'output_shape'"
    assert not suggests_legacy_keras(a_run(FAILED, error=error))
    assert not suggests_legacy_keras(a_run(FAILED, error=error), "3.10.12")
    assert suggests_legacy_keras(a_run(FAILED, error=error), "3.7.10")
    assert not suggests_legacy_keras(a_run(FAILED, error="NameError: name 'h_1' is not defined"), "3.6.9")
    assert not suggests_legacy_keras(a_run(OK), "3.6.9")


def test_the_run_in_which_more_worked_is_judged():
    first, second = a_run(OK, FAILED, FAILED), a_run(OK, OK, FAILED)
    assert better_run(first, second) is second
    assert better_run(second, first) is second
    assert better_run(first, a_run(FAILED, OK, FAILED)) is first
    assert better_run(first, a_run(status=RunStatus.LOST)) is first
