from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import SandboxError
from grader.model import KerasFlavour, Limits
from grader.sandbox import bubblewrap
from grader.sandbox.bubblewrap import RoomFolder, RoomSpec, find_bubblewrap, room_command, room_environment


def a_command(path: Path, **limits: int) -> list[str]:
    return room_command(RoomSpec(limits=Limits(**limits)), RoomFolder(path), ["true"])


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


def test_every_writable_place_but_the_sockets_is_a_sized_tmpfs(tmp_path):
    command = a_command(tmp_path, disk_bytes=12345)
    assert [command[i + 2] for i, word in enumerate(command) if word == "--bind"] == ["/run/kernel"]
    sized = [
        i for i, word in enumerate(command) if word == "--tmpfs" and command[i - 2 : i] == ["--size", "12345"]
    ]
    assert len(sized) == 5


def test_a_grader_installed_inside_a_bound_prefix_is_covered(monkeypatch):
    package = Path(bubblewrap.__file__).resolve().parents[1]
    monkeypatch.setattr(bubblewrap, "_python_prefixes", lambda: [str(package.parent)])
    assert bubblewrap._without_grader() == ["--tmpfs", str(package)]
