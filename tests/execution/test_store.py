from __future__ import annotations

import pytest
from nbformat import v4

from grader.errors import StoreError
from grader.execution.store import RunStore
from grader.model import CellRun, CellStatus, Limits, Run, RunStatus

KEY = "c" * 64


def a_run(status: RunStatus = RunStatus.COMPLETED) -> Run:
    cell = CellRun(cell=1, status=CellStatus.OK, seconds=0.5)
    return Run(key=KEY, status=status, cells=(cell,), seed=1, limits=Limits())


def a_notebook(text: str = "1\n"):
    output = v4.new_output("stream", text=text)
    return v4.new_notebook(cells=[v4.new_code_cell("print(1)", id="cell-1", outputs=[output])])


def test_what_was_stored_comes_back(tmp_path):
    store = RunStore(tmp_path / "runs")
    assert store.load(KEY) is None
    store.save(a_run(), a_notebook())
    assert store.load(KEY) == a_run()
    assert b"print(1)" in store.load_executed(KEY)


def test_a_lost_run_is_never_stored(tmp_path):
    store = RunStore(tmp_path)
    store.save(a_run(RunStatus.LOST), a_notebook())
    assert store.load(KEY) is None
    assert list(tmp_path.iterdir()) == []


def test_a_half_written_run_is_not_there_and_is_swept(tmp_path):
    store = RunStore(tmp_path)
    draft = tmp_path / ".draft-1"
    draft.mkdir()
    (draft / "executed.ipynb").write_text("{}")
    assert store.load(KEY) is None
    store.sweep()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_run_is_run_again_and_replaced(tmp_path):
    store = RunStore(tmp_path)
    store.save(a_run(), a_notebook())
    (tmp_path / KEY / "run.json").write_text('{"key": "c')
    assert store.load(KEY) is None
    store.save(a_run(), a_notebook())
    assert store.load(KEY) == a_run()


def test_outputs_that_utf_8_cannot_hold_are_stored_all_the_same(tmp_path):
    store = RunStore(tmp_path)
    store.save(a_run(), a_notebook("\udc80\n"))
    assert store.load(KEY) is not None


def test_a_full_or_forbidden_disk_is_said_with_the_mend(tmp_path):
    (tmp_path / "runs").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="type the same command again"):
        RunStore(tmp_path / "runs").save(a_run(), a_notebook())
