from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.errors import SandboxError
from grader.model import KerasFlavour, Limits
from grader.sandbox import bubblewrap
from grader.sandbox.bubblewrap import (
    Ends,
    RoomFolder,
    RoomSpec,
    find_bubblewrap,
    room_command,
    room_environment,
)

PACKAGE = Path(bubblewrap.__file__).resolve().parents[1]


def test_without_bubblewrap_one_sentence_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="sudo apt-get install bubblewrap"):
        find_bubblewrap()


def test_the_environment_holds_nothing_of_the_launcher(monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "x")
    environment = room_environment()
    assert "SOME_TOKEN" not in environment
    assert environment["KERAS_HOME"] == "/keras"
    assert "TF_USE_LEGACY_KERAS" not in environment
    assert room_environment(KerasFlavour.LEGACY)["TF_USE_LEGACY_KERAS"] == "1"


def test_every_writable_place_is_a_sized_tmpfs_and_nothing_of_the_host(tmp_path):
    spec = RoomSpec(limits=Limits(disk_bytes=12345))
    command = room_command(spec, RoomFolder(tmp_path), ["true"], Ends(9, 10, 11))
    assert "--bind" not in command
    places = [i for i, word in enumerate(command) if word == "--tmpfs" and command[i + 1] != str(PACKAGE)]
    sizes = {command[i + 1]: command[i - 1] for i in places if command[i - 2] == "--size"}
    assert len(sizes) == len(places) == 6
    assert sizes.pop("/run/kernel") == str(1024**2)
    assert set(sizes.values()) == {"12345"}


def test_a_grader_installed_inside_a_bound_prefix_is_covered(monkeypatch):
    monkeypatch.setattr(bubblewrap, "_python_prefixes", lambda: [str(PACKAGE.parent)])
    assert bubblewrap._without_grader() == ["--tmpfs", str(PACKAGE), "--remount-ro", str(PACKAGE)]


def test_devices_and_sockets_that_lead_out_are_not_there(in_room):
    places = ["/var/run", "/run/docker.sock", "/run/containerd", "/run/systemd", "/run/user", "/sys", "/boot"]
    program = (
        f"import json, os\nprint(json.dumps([os.listdir('/dev'), [*filter(os.path.lexists, {places})]]))"
    )
    devices, there = json.loads(in_room(program))
    assert there == []
    assert set(devices) <= {
        *("console", "core", "fd", "full", "null", "ptmx", "pts", "random", "shm"),
        *("stderr", "stdin", "stdout", "tty", "urandom", "zero"),
    }


def test_a_room_can_make_no_user_namespace_of_its_own(in_room):
    program = "import ctypes\nprint(ctypes.CDLL(None).unshare(0x10000000))"
    assert in_room(program).strip() == "-1"
    if "--disable-userns" not in bubblewrap._options(find_bubblewrap()):
        pytest.skip("this bubblewrap has no --disable-userns: only the filter refuses them")
    assert in_room(program, is_filtered=False).strip() == "-1"


def test_nothing_of_the_machine_can_be_set_through_proc(in_room):
    """Where the grader is root, the room's user owns what lies there in the eyes of the host."""
    places = ["/proc/sys/kernel/core_pattern", "/proc/sys/vm/swappiness", "/proc/sysrq-trigger", "/proc/irq"]
    program = f"import os\nprint([place for place in {places} if os.access(place, os.W_OK)])"
    assert in_room(program).strip() == "[]"
