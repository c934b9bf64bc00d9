from __future__ import annotations

import pytest

from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind
from grader.notebook.timings import seconds_in_metadata, told_seconds

MIDNIGHT = {"iopub.execute_input": "2026-11-25T23:59:50.5Z", "shell.execute_reply": "2026-11-26T00:01:00.5Z"}


def printing(*texts: str, seconds: float | None = None) -> Notebook:
    outputs = tuple(Output(kind=OutputKind.STREAM, text=text) for text in texts)
    return Notebook(cells=(Cell(number=1, kind=CellKind.CODE, source="", outputs=outputs, seconds=seconds),))


@pytest.mark.parametrize(
    ("metadata", "seconds"),
    [
        ({"executionInfo": {"elapsed": 2500, "status": "ok"}}, 2.5),
        ({"execution": MIDNIGHT}, 70.0),
        ({"ExecuteTime": {"start_time": "2026-11-25T10:00:00", "end_time": "2026-11-25T10:00:07.5"}}, 7.5),
        ({"execution": {"iopub.execute_input": "yesterday", "shell.execute_reply": "today"}}, None),
        ({"executionInfo": {"elapsed": -3}}, None),
        ({"executionInfo": {"elapsed": "long"}}, None),
        ({"executionInfo": {"elapsed": float("nan")}}, None),
        ({"executionInfo": {"elapsed": 10**15}}, None),
        ({"execution": {"shell.execute_reply": "2026-11-26T00:01:00Z"}}, None),
        ([1], None),
        (None, None),
    ],
)
def test_what_metadata_says_of_a_cells_time(metadata, seconds):
    assert seconds_in_metadata(metadata) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("CPU times: user 3 s, sys: 1 s, total: 4 s\nWall time: 1min 2s\n", 62.0),
        ("Wall time: 350 ms\n", 0.35),
        (
            "Epoch 1/2\n469/469 ━━━━━ 3s 6ms/step - loss: 0.3\n469/469 ━━━━━ 2s 5ms/step - loss: 0.2",
            5.0,
        ),
        ("60/60 [==============================] - 0s 2ms/step - loss: 0.5", 0.12),
        ("1875/1875 - 1:05 34ms/step - accuracy: 0.9", 65.0),
        ("epoch 1 took 3.5 seconds\nepoch 2 took 3.1 seconds\nthe training took 7 s in all", 7.0),
        ("Time elapsed: 2.5 minutes", 150.0),
        ("It took 12 steps, loss 0.3", None),
        ("accuracy: 0.95", None),
        ("120/469 ━━━━━━━━━━ 3s 6ms/step", None),
    ],
)
def test_times_that_a_cell_printed(text, seconds):
    assert told_seconds(printing(text)) == (None if seconds is None else pytest.approx(seconds))


def test_metadata_comes_before_what_was_printed_and_cells_add_up():
    one = printing("Wall time: 10 s", seconds=3.0).cells[0]
    two = printing("Wall time: 10 s").cells[0].model_copy(update={"number": 2})
    assert told_seconds(Notebook(cells=(one, two))) == 13.0
