"""When a run's errors say that the notebook was written for Keras 2, and which of two runs to judge."""

from __future__ import annotations

import re

from grader.model import CellRun, CellStatus, KerasFlavour, Run, RunStatus

# Errors of Keras 3.15 on code that ran with Keras 2, as seen when the two were tried side by side.
_KERAS_2_ERRORS = re.compile(
    r"KerasTensor cannot be used as input to a TensorFlow function"
    r"|Unknown variable: <Variable"
    r"|No gradients provided for any variable"  # of a model whose `call` is a `tf.function`
    r"|not enough values to unpack \(expected 2, got 0\)"  # a `tf.Module` has no variables of its layers
    r"|optimizer can only be called for the variables it was"
    r"|keras\.optimizers\.legacy"
    r"|must end in `\.weights\.h5`"
    r"|Invalid filepath extension for saving"
    r"|argument\(s\) not recognized|Argument\(s\) not recognized|Unrecognized keyword arguments"
    r"|object has no attribute '(reset_states|state_updates|sample_weights|total_loss)'"
    r"|module 'keras[\w.]*' has no attribute"
    r"|No module named 'keras\.(layers|utils|optimizers|preprocessing|backend)\.",
)


# The last Python that Colab had with Keras 2 only was 3.9; 3.10 and later had first one, then the other.
_PYTHON_OF_KERAS_2 = re.compile(r"3\.[4-9](\.|$)")
_FROM_A_LIBRARY = re.compile(
    r"^(AttributeError|TypeError|ValueError|ImportError|ModuleNotFoundError|NotImplementedError)\b"
    r".*(keras|tensorflow|optimi[sz]er|layer|unexpected keyword argument|has no attribute)",
    re.IGNORECASE,
)


def suggests_legacy_keras(run: Run, written_with_python: str = "") -> bool:
    """Whether legacy Keras may run more of the notebook.

    So it is when one of the run's errors is known to come from Keras 3 meeting Keras 2 code, or when the
    notebook's metadata names a Python (`written_with_python`) from before Keras 3 and an error looks as if a
    library had changed.
    """
    if run.keras is KerasFlavour.LEGACY:
        return False
    errors = [cell.error for cell in run.failed_cells if cell.error is not None]
    if any(_KERAS_2_ERRORS.search(error) for error in errors):
        return True
    is_old = _PYTHON_OF_KERAS_2.match(written_with_python) is not None
    return is_old and any(_FROM_A_LIBRARY.search(error) for error in errors)


def better_run(first: Run, second: Run) -> Run:
    """The run in which more of the notebook worked; the first when they are alike."""
    if second.status is RunStatus.LOST:
        return first
    return second if _worked(second) > _worked(first) else first


def _worked(run: Run) -> int:
    return sum(1 for cell in run.cells if _is_fine(cell))


def _is_fine(cell: CellRun) -> bool:
    return cell.status is CellStatus.OK
