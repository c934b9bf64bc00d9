from __future__ import annotations

import pytest

from grader.evidence.own_traces import own_traces
from grader.notebook.code import CodeIndex
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind

BUILT = "for b in tf.data.Dataset.range(5).shuffle(5).batch(2).repeat(2):\n    print(b)"
PRINTED = (
    "tf.Tensor([3 1], shape=(2,), dtype=int64)\ntf.Tensor([0 4], shape=(2,), dtype=int64)\n"
    "tf.Tensor([2], shape=(1,), dtype=int64)\n[4 1]\n[0, 2]\n[3]\n"
)


def traces(source: str, printed: str):
    output = Output(kind=OutputKind.STREAM, text=printed)
    notebook = Notebook(cells=(Cell(number=1, kind=CellKind.CODE, source=source, outputs=(output,)),))
    return own_traces(CodeIndex(notebook.code_cells), notebook)


def test_printed_batches_are_a_trace_of_the_order_that_the_cell_builds() -> None:
    ((cell, trace),) = traces(BUILT, PRINTED)
    assert (cell, trace.order) == (1, "shuffle-batch-repeat")
    assert (trace.examples, trace.batch_size, trace.epochs) == (5, 2, 2)
    assert trace.passes == (((3, 1), (0, 4), (2,), (4, 1), (0, 2), (3,)),)


def test_two_passes_are_told_apart() -> None:
    ((_, trace),) = traces(BUILT, PRINTED * 2)
    assert len(trace.passes) == 2


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        (BUILT, PRINTED[:-4]),  # a batch is missing
        (BUILT, PRINTED.replace("3 1", "3 9")),  # no element of the range
        (BUILT, PRINTED.replace("[3]", "[3]\nloss: [7]")),
        (BUILT.replace("repeat(2)", "repeat()"), PRINTED),
        (BUILT.replace("range(5)", "from_tensor_slices(x)"), PRINTED),
        (BUILT + "\nprint(tf.data.Dataset.range(5).batch(2).shuffle(3).repeat(2))", PRINTED),
        (BUILT, ""),
    ],
)
def test_what_does_not_add_up_is_no_trace(source: str, printed: str) -> None:
    assert traces(source, printed) == ()


def test_hostile_output_is_read_in_bounded_time() -> None:
    assert traces(BUILT, "[1 " * 1_000_000) == ()
    assert traces(BUILT, "[" + "1 " * 1_000_000) == ()
