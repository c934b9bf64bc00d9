"""How runs end, with real rooms of every kind."""

from __future__ import annotations

import asyncio
import socket
import time

import psutil
import pytest

from grader.execution.room_run import run_in_room
from grader.execution.store import RunStore
from grader.model import CellStatus, Limits, RunStatus
from grader.sandbox import launching
from grader.sandbox.rooms import OpenRooms
from grader.sandbox.sources import ColdRooms


@pytest.fixture(params=["cold", "forked"])
def rooms(request, kernel_parent):
    return ColdRooms() if request.param == "cold" else kernel_parent


QUICK = Limits(wall_seconds=2, reserve_seconds=4)


def statuses(run):
    return [cell.status for cell in run.cells]


def test_an_error_does_not_stop_the_cells_after_it(run_cells):
    run, executed = run_cells("1 / 0", "print('still here')")
    assert run.status is RunStatus.CELL_FAILED
    assert statuses(run) == [CellStatus.FAILED, CellStatus.OK]
    assert run.cells[0].error == "ZeroDivisionError: division by zero"
    assert executed.cells[1].outputs[0].text == "still here\n"


def test_an_endless_cell_is_interrupted_and_the_next_one_still_runs(run_cells):
    run, executed = run_cells("while True:\n    pass", "print('after')", limits=QUICK)
    assert run.status is RunStatus.CUT_SHORT
    assert statuses(run) == [CellStatus.INTERRUPTED, CellStatus.OK]
    assert executed.cells[1].outputs[0].text == "after\n"


def test_a_cell_that_ignores_interrupts_is_killed_by_our_own_clock(run_cells):
    begin = time.monotonic()
    run, _ = run_cells(
        "print('kept')",
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass",
        "print('never')",
        limits=QUICK,
    )
    assert time.monotonic() - begin < 15
    assert run.status is RunStatus.TIMED_OUT
    assert statuses(run) == [CellStatus.OK, CellStatus.FAILED, CellStatus.NOT_RUN]


def test_a_stopped_kernel_is_killed_by_our_own_clock(run_cells):
    run, _ = run_cells("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", limits=QUICK)
    assert run.status is RunStatus.TIMED_OUT


def test_a_kernel_that_dies_leaves_what_it_gave_before(run_cells):
    run, executed = run_cells("print('kept')", "import os\nos._exit(0)", "print('never')")
    assert run.status is RunStatus.KERNEL_DIED
    assert statuses(run) == [CellStatus.OK, CellStatus.FAILED, CellStatus.NOT_RUN]
    assert executed.cells[0].outputs[0].text == "kept\n"


def test_a_flood_of_output_ends_the_run(run_cells):
    run, _ = run_cells("while True:\n    print('x' * 50_000)", limits=Limits(output_bytes=2_000_000))
    assert run.status is RunStatus.TOO_MUCH_OUTPUT


def test_memory_is_weighed_over_all_processes_of_the_room(run_cells):
    children = (
        "import os, time\nfor _ in range(3):\n    if not os.fork():\n        b = bytearray(120_000_000)\n"
    )
    children += "        b[::4096] = b[::4096]\n        time.sleep(60)\ntime.sleep(60)"
    run, _ = run_cells(children, limits=Limits(memory_bytes=300_000_000, wall_seconds=30))
    assert run.status is RunStatus.OUT_OF_MEMORY


@pytest.mark.parametrize(
    ("code", "limits", "status"),
    [
        ("while True:\n    pass", {"cpu_seconds": 4}, RunStatus.TOO_MUCH_CPU),
        ("kept = [open('/dev/null') for _ in range(400)]", {"open_files": 256}, RunStatus.TOO_MANY_FILES),
        (
            "import os, time\nfor _ in range(80):\n    os.fork() or time.sleep(30)\ntime.sleep(30)",
            {"processes": 20},
            RunStatus.TOO_MANY_PROCESSES,
        ),
    ],
)
def test_each_limit_has_its_own_status(run_cells, code, limits, status):
    run, _ = run_cells("print('kept')", code, limits=Limits(wall_seconds=30, **limits))
    assert run.status is status, run.cells
    assert run.wall_seconds < 25
    assert run.cells[0].status is CellStatus.OK


def test_nothing_is_left_behind(run_cells):
    run_cells("1")
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    run_cells("import subprocess\nsubprocess.Popen(['setsid', 'sleep', '1000'])\nprint(1)")
    after = {process.pid for process in psutil.Process().children(recursive=True)}
    assert after <= before


def test_the_same_job_gives_the_same_random_numbers(run_cells):
    code = "import random, numpy\nprint(random.random(), numpy.random.rand(), hash('a'))"
    first, second = run_cells(code), run_cells(code)
    texts = ["".join(output.text for output in executed.cells[0].outputs) for _, executed in (first, second)]
    assert texts[0] == texts[1] != ""
    assert first[0].seed == second[0].seed


def test_a_kernel_that_cannot_start_is_our_fault(a_job, monkeypatch):
    monkeypatch.setattr(launching, "room_command", lambda *_: ["sh", "-c", "echo no namespaces >&2; exit 1"])
    run = asyncio.run(run_in_room(a_job("print(1)"), ColdRooms(), OpenRooms())).run
    assert run.status is RunStatus.LOST
    assert "no namespaces" in run.remarks[0]
    assert "grade doctor" in run.remarks[0]


def test_missing_libraries_and_private_files_are_told_apart(run_cells):
    run, _ = run_cells("import cv2", "import my_private_layers")
    assert run.missing_modules == ("cv2",)
    assert run.remarks == ("The notebook imports `my_private_layers`, a file that was not handed in.",)


@pytest.mark.parametrize("code", ["exit()", "import sys\nsys.exit(1)", "quit()"])
def test_leaving_politely_costs_nobody_anything(run_cells, code):
    run, _ = run_cells("print(1)", code)
    assert run.status in (RunStatus.COMPLETED, RunStatus.CELL_FAILED, RunStatus.KERNEL_DIED)
    assert run.cells[0].status is CellStatus.OK


def test_one_enormous_message_never_reaches_the_grader(run_cells):
    before = psutil.Process().memory_info().rss
    run, _ = run_cells("print('kept')", "print('x' * 300_000_000)", limits=Limits(output_bytes=2_000_000))
    assert run.status is RunStatus.TOO_MUCH_OUTPUT
    assert psutil.Process().memory_info().rss - before < 100_000_000


def test_facts_and_errors_that_utf_8_cannot_hold_are_mended(run_cells, tmp_path):
    forge = (
        "import os\nfor end in range(3, 60):\n    try:\n"
        '        os.write(end, b\'{"kind": "mend", "name": "x", "text": "\\\\ud800"}\\n\')\n'
        "    except OSError:\n        pass"
    )
    # Written to every open file, the lines break some kernels' sockets: the wall clock must hold still.
    begin = time.monotonic()
    run, executed = run_cells(forge, "raise ValueError('\\ud800')", "print('end')", limits=QUICK)
    assert time.monotonic() - begin < 25
    RunStore(tmp_path / "runs").save(run, executed)
    assert statuses(run)[1] is not CellStatus.OK
    assert run.mends == ()


def test_what_student_code_does_to_the_kernels_sockets_reaches_nothing_on_the_host(run_cells, tmp_path):
    """The grader connects once, before that code runs: a link put in a socket's place is never followed."""
    replace = (
        "import os, socket, time\nos.chdir('/run/kernel')\nfor name in os.listdir():\n"
        f"    os.remove(name)\n    os.symlink({str(tmp_path / 'of-the-host')!r}, name)\n"
        "for end in range(3, 100):\n    try:\n        ours = socket.socket(fileno=os.dup(end))\n"
        "        if str(ours.getsockname()).startswith('/run/kernel') and ours.getpeername() is not None:\n"
        "            ours.shutdown(socket.SHUT_RDWR)\n    except OSError:\n        pass\ntime.sleep(2)"
    )
    with socket.socket(socket.AF_UNIX) as called:
        called.bind(str(tmp_path / "of-the-host"))
        called.listen()
        called.settimeout(0)
        run, _ = run_cells(replace, limits=QUICK)
        assert run.status is not RunStatus.LOST
        with pytest.raises(BlockingIOError):
            called.accept()


def test_an_open_file_without_a_name_counts_as_disk_wherever_it_lies(run_cells):
    grow = (
        "import os, time\nfile = open('{0}/x', 'wb')\nos.remove('{0}/x')\n"
        "try:\n    while True:\n        file.write(b'x' * 100_000); file.flush()\n"
        "except OSError as full:\n    print(full)\n    time.sleep(5)"
    )
    run, executed = run_cells(grow.format("/run/kernel"), limits=Limits(disk_bytes=50_000_000))
    assert "No space left" in executed.cells[0].outputs[0].text, "the sockets' place holds a megabyte"
    assert run.status is RunStatus.COMPLETED
    run, _ = run_cells(grow.format("/content"), limits=Limits(disk_bytes=50_000_000))
    assert run.status is RunStatus.TOO_MUCH_DISK


FORGE = """
kernel = get_ipython().kernel
def send(kind, content, **more):
    message = kernel.session.msg(kind, content={}, parent=kernel.get_parent())
    message |= {"content": content, **more}
    kernel.iopub_socket.send_multipart(kernel.session.serialize(message, ident=b"x"))
"""


def test_messages_that_no_kernel_sends_are_left_out(run_cells):
    nonsense = (
        "deep = []\nfor _ in range(400):\n    deep = [deep]\n"
        "send('display_data', {})\nsend('stream', {'name': 'stdout', 'text': {'a': 1}})\n"
        "send('error', {'ename': 3})\nsend('nonsense', {'data': [1]})\nsend('status', b'[1]')\n"
        "send('execute_result', {'data': {}, 'metadata': {}, 'execution_count': deep})\nprint('ok')"
    )
    run, executed = run_cells(FORGE + nonsense, "print('end')")
    assert run.status is RunStatus.COMPLETED, run.cells
    assert executed.cells[0].outputs[-1].text == "ok\n"
    assert executed.cells[1].outputs[0].text == "end\n"


def test_a_kernel_that_cannot_be_followed_is_the_notebooks_doing_not_our_fault(run_cells):
    run, executed = run_cells(
        "print('kept')", FORGE + "send('stream', {}, parent_header=[3])", "print('end')"
    )
    assert run.status is RunStatus.KERNEL_DIED
    assert executed.cells[0].outputs[0].text == "kept\n"
    assert statuses(run)[2] is CellStatus.NOT_RUN
