"""The kernel parent and what is forked from it: walls, ends, what is used instead; without TensorFlow."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from grader.errors import SandboxError
from grader.execution.interface import Finished
from grader.execution.room_run import run_in_room
from grader.model import Isolation, KerasFlavour, Limits, RunStatus
from grader.sandbox import parent as parent_module
from grader.sandbox.bubblewrap import SOCKETS, WRITABLE, RoomSpec
from grader.sandbox.parent import FORKED, KernelParent
from grader.sandbox.rooms import OpenRooms, Room
from grader.sandbox.sources import ColdRooms, ForkedRooms, KeptAhead

REPOSITORY = Path(__file__).resolve().parents[2]
SPEC = RoomSpec(limits=Limits(wall_seconds=60, reserve_seconds=10))


def bare() -> KernelParent:
    return KernelParent(is_bare=True)


@pytest.fixture(scope="module")
def parent() -> Iterator[KernelParent]:
    """A parent that has imported nothing: there at once, and the same walls."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("A_SECRET", "known-to-the-launcher")
        started = bare()
    yield started
    started.close()


@pytest.fixture
def run(a_job: Callable[..., object], parent: KernelParent) -> Callable[..., Finished]:
    def run_cells(*sources: str, **fields: object) -> Finished:
        return asyncio.run(run_in_room(a_job(*sources, **fields), parent, OpenRooms()))

    return run_cells


def printed(finished: Finished, cell: int = 1) -> str:
    return "".join(output.get("text", "") for output in finished.notebook.cells[cell - 1].outputs)


# What a forked kernel can reach -----------------------------------------------------------------------


LOOK = """
import ctypes, json, os, signal, socket
libc = ctypes.CDLL(None, use_errno=True)
def tries(function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        return "refused"
    return "POSSIBLE"
def calls(function, *arguments):
    return "POSSIBLE" if function(*arguments) >= 0 else "refused"
print(json.dumps({
    "rooms": os.listdir("/run/rooms"),
    "write to rooms": tries(os.mkdir, "/run/rooms/x"),
    "uncover rooms": calls(libc.umount2, b"/run/rooms", 2),
    "rooms of pid 1": sorted(tries(os.listdir, f"/proc/{n}/root/run/rooms/rooms") for n in (1, os.getpid())),
    "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
    "memory of pid 1": tries(open, "/proc/1/mem", "rb"),
    "environment of pid 1": tries(lambda: open("/proc/1/environ").read()),
    "namespaces": calls(libc.unshare, 0x10000000),
    "mounts": calls(libc.mount, b"tmpfs", b"/tmp", b"tmpfs", 0, None),
    "settings": tries(open, "/run/settings/room.json", "a"),
    "system": tries(open, "/usr/x", "w"),
    "machine": tries(open, "/proc/sys/kernel/core_pattern", "w"),
    "more namespaces": tries(open, "/proc/sys/user/max_user_namespaces", "w"),
    "terminals": sorted(os.listdir("/dev/pts")),
    "writable": sorted({
        place for place in (line.split()[4] for line in open("/proc/self/mountinfo"))
        if os.path.isdir(place) and os.access(place, os.W_OK)
    }),
    "left in places": [os.listdir(place) for place in ("/tmp", "/dev/shm")],
    "network": [name for _, name in socket.if_nameindex()],
    "status": {
        line.split(":")[0]: line.split()[1] for line in open("/proc/self/status")
        if line.startswith(("Cap", "NoNewPrivs", "Seccomp:"))
    },
    "ids": [os.getuid(), os.getgid()],
    "sockets": [s for s in map(os.readlink, (f"/proc/self/fd/{n}" for n in range(3))) if "socket" in s],
}))
"""


def test_a_forked_kernel_is_locked_in_like_one_that_was_started_cold(run):
    found = json.loads(printed(run(LOOK)))
    assert found.pop("status") == {
        **dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), "0" * 16),
        "NoNewPrivs": "1",
        "Seccomp": "2",
    }
    assert found.pop("processes") == [1, 2]
    assert found.pop("ids") == [1000, 1000]
    assert found.pop("rooms") == []
    assert found.pop("terminals") == ["ptmx"]
    assert found.pop("network") == ["lo"]
    assert found.pop("left in places") == [[], []]
    assert found.pop("writable") == sorted([*WRITABLE, SOCKETS])
    assert found.pop("sockets") == []
    assert found.pop("rooms of pid 1") == ["refused", "refused"]
    assert set(found.values()) == {"refused"}, found


def test_siblings_that_run_at_the_same_time_share_nothing(a_job, parent, tmp_path):
    meet = (
        "import os, time, socket, glob\n"
        "for place in ('/tmp', '/dev/shm', '/content', os.path.expanduser('~'), '/keras'):\n"
        "    open(f'{place}/of-ME', 'w').write('x')\n"
        "listener = socket.create_server(('127.0.0.1', 45678))\n"
        "abstract = socket.socket(socket.AF_UNIX); abstract.bind('\\0the-same-name')\n"
        "time.sleep(2)\n"
        "seen = [name for place in ('/tmp', '/dev/shm', '/content', os.path.expanduser('~'), '/keras')\n"
        "        for name in glob.glob(place + '/of-*')]\n"
        "print(len(seen), all(name.endswith('of-ME') for name in seen), len(glob.glob('/proc/[0-9]*')))"
    )
    jobs = [a_job(meet.replace("ME", name), submission=name) for name in ("one", "two")]
    finished: list[Finished] = []
    threads = [
        threading.Thread(
            target=lambda job=job: finished.append(asyncio.run(run_in_room(job, parent, OpenRooms())))
        )
        for job in jobs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [printed(one) for one in finished] == ["5 True 2\n"] * 2


def test_what_others_ran_and_the_launcher_knows_is_not_in_the_memory_of_a_fork(run):
    run("sibling = 'the-siblings-own-words'")
    # A pattern with brackets does not find itself.
    search = (
        "import re\n"
        "sought = re.compile(b'find-myself-[h]ere|the-siblings-[o]wn-words|known-to-the-[l]auncher')\n"
        "mine = 'find-myself-here'\n"
        "found = set()\n"
        "for line in open('/proc/self/maps'):\n"
        "    span, rights = line.split()[:2]\n"
        "    start, end = (int(part, 16) for part in span.split('-'))\n"
        "    if rights[0] != 'r' or end - start > 2**28: continue\n"
        "    try:\n"
        "        with open('/proc/self/mem', 'rb') as memory:\n"
        "            memory.seek(start)\n"
        "            found |= set(sought.findall(memory.read(end - start)))\n"
        "    except (OSError, OverflowError): continue\n"
        "print(sorted(found))"
    )
    assert printed(run(search)) == "[b'find-myself-here']\n"


# How it ends ------------------------------------------------------------------------------------------


def test_killing_a_room_ends_all_in_it_and_nothing_else(parent):
    first, second = parent.room(SPEC), parent.room(SPEC)
    try:
        first.start()
        second.start()
        first_process = psutil.Process(first.process.pid)
        until(lambda: len(first_process.children()) == 1)
        inside = first_process.children(recursive=True)
        first.kill()
        assert psutil.wait_procs(inside, timeout=5)[1] == []
        assert first.process.wait() == 0
        assert second.poll() is None
    finally:
        first.close()
        second.close()
    assert not first.folder.path.exists()


def test_a_fork_that_fails_is_told_and_the_parent_goes_on(parent, run, tmp_path):
    missing = tmp_path / "gone.npz"
    missing.write_bytes(b"x")
    room = parent.room(SPEC.model_copy(update={"data_files": {"../" * 9 + "usr/x": missing}}))
    with pytest.raises(RuntimeError):
        room.start()
    room.close()
    assert "Error" in room.complaint
    assert run("print(1)").run.status is RunStatus.COMPLETED


def test_a_parent_that_died_is_replaced_and_its_rooms_died_with_it(a_job):
    rooms = ForkedRooms(bare)
    try:
        standing = rooms.room(SPEC)
        standing.start()
        os.kill(rooms._parent._process.pid, signal.SIGKILL)
        assert asyncio.run(asyncio.wait_for(standing.wait(), 10)) == 0
        standing.close()
        finished = asyncio.run(run_in_room(a_job("print(1)"), rooms, OpenRooms()))
        assert finished.run.status is RunStatus.COMPLETED
        assert f"kernel: {FORKED}" in finished.run.limits_in_force
    finally:
        rooms.close()


GRADER = """
import sys, time
from grader.model import Limits
from grader.sandbox.bubblewrap import SOCKETS, WRITABLE, RoomSpec
from grader.sandbox.parent import KernelParent
parent = KernelParent(is_bare=True)
room = parent.room(RoomSpec(limits=Limits()))
room.start()
print("stands", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_the_grader(how):
    grader = subprocess.Popen(
        [sys.executable, "-c", GRADER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with grader:
        assert grader.stdout.readline() == b"stands\n"
        started = psutil.Process(grader.pid).children(recursive=True)
        assert len(started) >= 4
        grader.send_signal(how)
    assert psutil.wait_procs(started, timeout=10)[1] == []


# What is used instead ---------------------------------------------------------------------------------


def refused() -> KernelParent:
    raise SandboxError("No kernel parent can be had (not permitted).")


def test_where_no_parent_can_be_had_kernels_start_cold_and_it_is_told_once(a_job, caplog):
    rooms = ForkedRooms(refused)
    for _ in range(2):
        finished = asyncio.run(run_in_room(a_job("print(1)"), rooms, OpenRooms()))
        assert finished.run.status is RunStatus.COMPLETED
        assert "kernel: started for this run" in finished.run.limits_in_force
    rooms.close()
    assert len([record for record in caplog.records if "not permitted" in record.getMessage()]) == 1


def test_a_machine_that_refuses_nesting_is_found_out_before_anything_is_imported(monkeypatch):
    real = parent_module.parent_command
    monkeypatch.setattr(
        parent_module, "parent_command", lambda *a: [*real(*a)[:-5], "--disable-userns", *real(*a)[-5:]]
    )
    begin = time.monotonic()
    with pytest.raises(SandboxError, match="No kernel parent can be had"):
        KernelParent()
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    "spec",
    [
        SPEC.model_copy(update={"keras": KerasFlavour.LEGACY}),
        SPEC.model_copy(update={"isolation": Isolation.NONE}),
        SPEC.model_copy(update={"is_fresh": True}),
    ],
)
def test_runs_that_need_a_process_of_their_own_from_the_beginning_start_cold(spec):
    rooms = ForkedRooms(refused)  # not even asked for
    room = rooms.room(spec)
    assert room.kind.kernel == "started for this run"
    room.close()


# Rooms ahead ------------------------------------------------------------------------------------------


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("kind", ["cold", "forked"])
def test_a_room_is_kept_ahead_for_the_next_job_of_the_same_kind(kind, a_job, monkeypatch):
    source = ColdRooms() if kind == "cold" else ForkedRooms(bare)
    monkeypatch.setattr(source, "close", lambda close=source.close: close())
    ahead = KeptAhead(source)
    job = a_job("print(1)")
    spec = SPEC.model_copy(update={"limits": job.limits})
    try:
        first = ahead.room(spec)
        assert first.process is None
        first.close()
        until(lambda: len(ahead._waiting) == 1)
        [waiting] = ahead._waiting
        finished = asyncio.run(run_in_room(job, ahead, OpenRooms()))
        assert finished.run.status is RunStatus.COMPLETED
        assert not waiting.folder.path.exists(), "the job ran in the room that had been waiting"
        until(lambda: len(ahead._waiting) == 1)
        [useless] = ahead._waiting
        ahead.room(spec.model_copy(update={"limits": Limits(wall_seconds=7)})).close()
        until(lambda: useless.process.poll() is not None)
    finally:
        ahead.close()
    assert ahead._waiting == []


def test_a_room_that_died_while_it_waited_is_not_given_to_a_job(a_job):
    ahead = KeptAhead(ForkedRooms(bare))
    try:
        ahead.room(SPEC).close()
        until(lambda: len(ahead._waiting) == 1)
        dead: Room = ahead._waiting[0]
        dead.kill()
        until(lambda: dead.poll() is not None)
        given = ahead.room(SPEC)
        assert given is not dead
        given.close()
    finally:
        ahead.close()
