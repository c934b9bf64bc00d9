"""What every kind of room promises, locked or not; with real kernels."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import psutil
import pytest

from grader.datasets.interface import DatasetFiles
from grader.execution.local import LocalExecutor
from grader.model import Attachment, DatasetOrigin, Isolation, Limits, RunStatus
from grader.sandbox import bubblewrap, rooms
from grader.sandbox.limits.choosing import choose_mechanism
from grader.sandbox.limits.portable import PortableSampling
from grader.sandbox.limits.sampling import Sampling

SIX_MEBIBYTES = 6 * 1024**2


@pytest.fixture(
    params=[
        (Isolation.BUBBLEWRAP, choose_mechanism),
        (Isolation.NONE, choose_mechanism),
        (Isolation.NONE, Sampling),
        (Isolation.NONE, PortableSampling),
    ],
    ids=["bubblewrap", "none", "none, sampled", "none, as on other systems"],
)
def isolation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Isolation:
    isolation, mechanism = request.param
    monkeypatch.setattr(rooms, "choose_mechanism", mechanism)
    return isolation


def in_the_hosts_content() -> list[Path] | None:
    """What lies in `/content` of this machine, which has no such folder, mostly."""
    return sorted(Path("/content").rglob("*")) if Path("/content").exists() else None


def a_data_file(folder: Path) -> DatasetFiles:
    file = folder / "of-the-course.npz"
    file.write_bytes(b"numbers")
    digest = hashlib.sha256(b"numbers").hexdigest()
    return DatasetFiles(
        name="mnist",
        origin=DatasetOrigin.STAND_IN,
        files=(("datasets/mnist.npz", file),),
        sha256=digest,
        file_sha256=(digest,),
    )


def test_a_notebook_runs_beside_its_files_and_cannot_change_what_they_were_made_from(
    run_cells, tmp_path, isolation
):
    handed_in = tmp_path / "notes.txt"
    handed_in.write_text("mine")
    attachment = Attachment(name="notes.txt", size_bytes=4, sha256=hashlib.sha256(b"mine").hexdigest())
    data = a_data_file(tmp_path)
    before = in_the_hosts_content()
    run, executed = run_cells(
        "print(open('notes.txt').read())\nopen('notes.txt', 'w').write('changed')",
        "import os\ndata = os.environ['KERAS_HOME'] + '/datasets/mnist.npz'\nprint(open(data).read())\n"
        "open(data, 'w').write('changed')",
        "%cd /content/drive/MyDrive/mine\nfrom google.colab import drive, files\n"
        "drive.mount('/content/drive')\nprint(open('notes.txt').read())\nprint(files.upload())",
        attachments=(attachment,),
        datasets=(data,),
        isolation=isolation,
    )
    texts = ["".join(output.get("text", "") for output in cell.outputs) for cell in executed.cells]
    assert texts[0] == "mine\n"
    assert texts[1] == "numbers\n"
    assert "changed" in texts[2]
    assert "{'notes.txt': b'mine'}" in texts[2]
    assert in_the_hosts_content() == before
    assert (handed_in.read_text(), data.files[0][1].read_text()) == ("mine", "numbers")
    assert run.isolation is isolation
    assert any(line.startswith("memory and processes: ") for line in run.limits_in_force)


@pytest.mark.parametrize(
    ("code", "limits", "status"),
    [
        (
            "import os, time\nfor _ in range(3):\n    if not os.fork():\n        kept = b'x' * 120_000_000\n"
            "        time.sleep(60)\ntime.sleep(60)",
            {"memory_bytes": 300_000_000},
            RunStatus.OUT_OF_MEMORY,
        ),
        (
            "import os, time\nos.fork()\nsmall = [open(f'{n}', 'wb') for n in range(20)]\n"
            "for file in small:\n    file.write(b'x' * 1_000_000)\n    file.flush()\ntime.sleep(60)",
            {"disk_bytes": SIX_MEBIBYTES},
            RunStatus.TOO_MUCH_DISK,
        ),
        (
            "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass",
            {"wall_seconds": 1, "reserve_seconds": 1},
            RunStatus.TIMED_OUT,
        ),
    ],
)
def test_limits_hold_and_a_daemon_does_not_outlive_the_run(run_cells, isolation, code, limits, status):
    mark = f"{1_000_000 + time.monotonic_ns() % 1_000_000}"
    daemon = (
        "import os, subprocess\nsubprocess.Popen(['setsid', 'sleep', '{0}'])\n"
        "if not os.fork():\n    os.setsid()\n    os.fork() and os._exit(0)\n"
        "    os.execvp('sleep', ['sleep', '{0}'])"
    )
    run, _ = run_cells(
        daemon.format(mark), code, limits=Limits(**({"wall_seconds": 30} | limits)), isolation=isolation
    )
    assert run.status is status, run.cells
    left = [
        process for process in psutil.process_iter(["cmdline"]) if mark in (process.info["cmdline"] or ())
    ]
    assert left == []


def test_an_interrupted_cell_is_not_the_end(run_cells, isolation):
    run, executed = run_cells(
        "import time\ntime.sleep(60)",
        "print('on')",
        limits=Limits(wall_seconds=2, reserve_seconds=20),
        isolation=isolation,
    )
    assert run.status is RunStatus.CUT_SHORT, run.cells
    assert executed.cells[0].outputs[-1].ename == "KeyboardInterrupt"
    assert executed.cells[1].outputs[0].text == "on\n"


@pytest.mark.parametrize("mechanism", [Sampling, PortableSampling])
def test_without_walls_files_are_on_disk_and_our_google_colab_comes_first(
    run_cells, tmp_path, monkeypatch, mechanism
):
    """In Colab itself its own is installed, which waits for a person."""
    monkeypatch.setattr(rooms, "choose_mechanism", mechanism)
    theirs = tmp_path / "google" / "colab"
    theirs.mkdir(parents=True)
    (theirs / "__init__.py").write_text("raise ImportError('for people only')", "utf-8")
    run, _ = run_cells(
        f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nfrom google.colab import drive",
        "import time\nwith open('large', 'wb') as file:\n    for _ in range(400):\n"
        "        file.write(b'x' * 1_000_000)\ntime.sleep(2.5)",
        limits=Limits(wall_seconds=30, memory_bytes=400_000_000),
        isolation=Isolation.NONE,
    )
    assert run.status is RunStatus.COMPLETED, run.cells


def test_without_bubblewrap_nothing_runs_unless_asked_for_by_name(a_job, monkeypatch):
    def not_installed() -> str:
        raise bubblewrap.SandboxError("bubblewrap is not installed")

    monkeypatch.setattr(bubblewrap, "find_bubblewrap", not_installed)
    with pytest.raises(bubblewrap.SandboxError):
        next(LocalExecutor(1).execute([a_job("print(1)", isolation=Isolation.BUBBLEWRAP)]))
    [finished] = LocalExecutor(1).execute([a_job("print(1)", isolation=Isolation.NONE)])
    assert finished.run.status is RunStatus.COMPLETED
