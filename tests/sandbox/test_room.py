"""What a notebook finds in the room, and what it does not; with real kernels of every kind."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from pathlib import Path

import nbformat
import pytest

from grader.model import Attachment, Limits, RunStatus
from grader.sandbox.bubblewrap import RoomSpec
from grader.sandbox.sources import ColdRooms


@pytest.fixture(params=["cold", "forked"])
def rooms(request, kernel_parent):
    return ColdRooms() if request.param == "cold" else kernel_parent


def printed(executed: nbformat.NotebookNode, cell: int = 1) -> str:
    return "".join(str(output.get("text", "")) for output in executed.cells[cell - 1].outputs)


def attachment(folder: Path, name: str, content: bytes) -> Attachment:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Attachment(name=name, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def test_the_room_has_no_network_no_rights_and_cannot_write_to_the_system(run_cells):
    _, executed = run_cells(
        """
import os, socket, json
def tries(f):
    try:
        f()
    except OSError as error:
        return type(error).__name__
    return "POSSIBLE"
def connect(*where):
    s = socket.socket(); s.settimeout(1); s.connect(where)
caps = [l.split()[1] for l in open("/proc/self/status") if l.startswith("Cap")]
print(json.dumps({
    "internet": tries(lambda: connect("192.0.2.1", 80)),
    "dns": tries(lambda: socket.getaddrinfo("example.org", 80)),
    "usr": tries(lambda: open("/usr/x", "w")),
    "dev": tries(lambda: open("/dev/x", "w")),
    "root": tries(lambda: open("/x", "w")),
    "room": tries(lambda: open("/room/startup.py", "a")),
    "caps": sorted(set(caps)),
    "uid": os.getuid(),
    "processes": sum(p.isdigit() for p in os.listdir("/proc")),
}))
"""
    )
    found = json.loads(printed(executed))
    assert "POSSIBLE" not in found.values()
    assert found["caps"] == ["0000000000000000"]
    assert found["uid"] != 0
    assert found["processes"] <= 4


def test_nothing_of_the_launcher_or_the_course_can_be_read(run_cells, monkeypatch):
    monkeypatch.setenv("A_SECRET_OF_THE_LAUNCHER", "hunter2")
    repository = Path(__file__).resolve().parents[2]
    _, executed = run_cells(
        f"""
import os, json
environments = []
for process in filter(str.isdigit, os.listdir("/proc")):
    try:
        environments.append(open(f"/proc/{{process}}/environ").read())
    except OSError:
        pass
print(json.dumps({{
    "secret": any("hunter2" in e for e in [*environments, str(dict(os.environ))]),
    "rubrics": os.path.exists({str(repository / "rubrics")!r}),
    "state": os.path.exists({str(repository / ".grader")!r}),
    "home": os.path.exists({str(Path.home())!r}) and sorted(os.listdir({str(Path.home())!r})),
}}))
try:
    import grader
    print("IMPORTED")
except ImportError:
    print("no grader here")
"""
    )
    lines = printed(executed).splitlines()
    found = json.loads(lines[0])
    assert not found["secret"]
    assert not found["rubrics"]
    assert not found["state"]
    assert not set(found["home"] or []) & {".ssh", ".bashrc", ".config", ".cache", ".profile"}
    assert lines[1] == "no grader here"


def test_what_was_handed_in_beside_the_notebook_is_there_and_can_be_changed(run_cells, tmp_path):
    files = (
        attachment(tmp_path, "helper.py", b"VALUE = 41\n"),
        attachment(tmp_path, "tables/a b.csv", b"1;2\n"),
    )
    _, executed = run_cells(
        "import helper; print(helper.VALUE + 1)",
        "open('tables/a b.csv', 'a').write('3;4'); print(open('tables/a b.csv').read())",
        attachments=files,
    )
    assert printed(executed, 1) == "42\n"
    assert printed(executed, 2) == "1;2\n3;4\n"
    assert (tmp_path / "tables" / "a b.csv").read_bytes() == b"1;2\n", "the hand-in itself must stay as it is"


def test_a_notebook_in_a_subfolder_runs_beside_its_own_files(run_cells, tmp_path):
    files = (attachment(tmp_path, "work/helper.py", b"VALUE = 1\n"), attachment(tmp_path, "top.txt", b"t"))
    _, executed = run_cells(
        "import helper, os; print(os.getcwd(), os.listdir('..'))", attachments=files, working_folder="work"
    )
    assert printed(executed).startswith("/content/work [")
    assert "top.txt" in printed(executed)


def test_a_file_that_was_handed_in_is_found_in_any_folder_of_the_drive_that_a_cell_names(run_cells, tmp_path):
    run, executed = run_cells(
        "print(open('/content/drive/MyDrive/IDL/week 1/notes.txt').read())",
        "import os; print(os.listdir('/content/gdrive/My Drive/other'))",
        attachments=(attachment(tmp_path, "notes.txt", b"mine"),),
    )
    assert run.status is RunStatus.COMPLETED, run.cells
    assert printed(executed, 1) == "mine\n"
    assert printed(executed, 2) == "['notes.txt']\n"


def test_colab_notebooks_find_their_drive_before_and_after_the_mount(run_cells, tmp_path):
    files = (attachment(tmp_path, "notes.txt", b"mine"),)
    run, executed = run_cells(
        "import os\nos.chdir('/content/drive/My Drive/IDL 1')\nprint(open('notes.txt').read())",
        "from google.colab import drive, files\ndrive.mount('/content/drive')\nprint(files.upload())",
        "%cd /content/drive/MyDrive/somewhere\nimport os; print(os.getcwd())",
        "%tensorflow_version 2.x\n%load_ext tensorboard\n%tensorboard --logdir logs\n!ls /content | wc -l",
        "from numba import cuda\ncuda.get_current_device().reset()",
        attachments=files,
    )
    assert run.status is RunStatus.COMPLETED, run.cells
    assert printed(executed, 1) == "mine\n"
    assert "{'notes.txt': b'mine'}" in printed(executed, 2)
    assert "/My Drive/somewhere" in printed(executed, 3)


def test_the_course_helper_is_there_and_a_handed_in_one_comes_first(run_cells, tmp_path):
    code = "from datasets import MNISTDataset\nprint(MNISTDataset.__module__, MNISTDataset.__doc__)"
    _, ours = run_cells(code)
    assert "float32 in [0, 1]" in printed(ours)
    own = (attachment(tmp_path, "datasets.py", b"class MNISTDataset:\n    'my own'\n"),)
    _, theirs = run_cells(code, attachments=own)
    assert printed(theirs) == "datasets my own\n"


def test_the_course_helper_does_what_the_course_says(run_cells):
    _, executed = run_cells(
        """
import numpy as np
from datasets import MNISTDataset
x = np.arange(10 * 784, dtype=np.uint8).reshape(10, 28, 28); y = np.arange(10, dtype=np.uint8)
d = MNISTDataset(x, y, x[:4], y[:4], batch_size=4)
a, b = d.next_batch()
print(d.train_data.shape, d.train_data.dtype, float(d.train_data.max()) <= 1, d.train_labels.dtype)
seen = np.concatenate([b, d.next_batch()[1]])
print(a.shape, b.shape, len(set(seen.tolist())), d.test_labels.tolist())
"""
    )
    assert printed(executed).splitlines() == [
        "(10, 784) float32 True int32",
        "(4, 784) (4,) 8 [0, 1, 2, 3]",
    ]


def test_input_is_answered_without_a_person_and_a_loop_over_it_ends(run_cells):
    run, executed = run_cells("print(repr(input('go on?')))", "while True:\n    input('again?')")
    assert printed(executed, 1).endswith("''\n")
    assert run.cells[1].error == "EOFError: nobody answers input() while a notebook is graded"


def test_installing_what_is_there_works_and_anything_else_fails_at_once(run_cells):
    run, executed = run_cells("!pip install numpy", "!pip install a-package-that-is-not-here")
    assert "already satisfied" in printed(executed, 1)
    assert "No matching distribution" in printed(executed, 2)
    assert run.wall_seconds < 40


@pytest.mark.skipif(os.geteuid() != 0, reason="only as root could the room write as another user")
def test_the_room_is_not_root_even_when_the_grader_is(run_cells):
    _, executed = run_cells("import os; print(os.getuid(), os.getgid())")
    assert printed(executed) == "1000 1000\n"


def test_a_room_whose_grader_died_before_it_stood_ends_by_itself():
    """Bubblewrap ties the room to its parent only once it runs; a grader killed before leaves an orphan."""
    orphan = ColdRooms().room(RoomSpec(limits=Limits()))
    orphan._job.outside.close()
    orphan.start()
    assert asyncio.run(asyncio.wait_for(orphan.wait(), 20)) == 1
    orphan.close()
    assert orphan.complaint == "the grader is gone"
