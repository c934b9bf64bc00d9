from __future__ import annotations

import os
from pathlib import Path

from grader.sandbox.limits import groups

GONE = 2**22 + 1  # more than any process id


def a_group(parent: Path, name: str, *pids: int) -> Path:
    folder = parent / name
    folder.mkdir()
    (folder / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))
    return folder


def test_only_groups_of_graders_that_are_gone_are_left_behind(tmp_path):
    left = a_group(tmp_path, f"grader-{GONE}-aa")
    a_group(tmp_path, f"grader-{os.getpid()}-bb")
    a_group(tmp_path, "somebody-elses")
    a_group(tmp_path, f"grader-{GONE}-cc", 0)  # holds a process of another container
    assert list(groups.left_behind(tmp_path)) == [left]


def test_a_process_that_cannot_be_seen_is_never_killed(tmp_path, monkeypatch):
    killed: list[int] = []
    monkeypatch.setattr(groups, "_REMOVAL_SECONDS", 0.05)
    monkeypatch.setattr(os, "kill", lambda pid, signal: killed.append(pid))
    groups.kill_all(a_group(tmp_path, "grader-1-aa", 0, GONE))
    assert set(killed) == {GONE}


def test_numbers_are_read_by_key_or_alone(tmp_path):
    file = tmp_path / "memory.events"
    file.write_text("oom 3\noom_kill 2\n")
    assert groups.read_number(file, "oom_kill") == 2
    assert groups.read_number(file, "max") == 0
    file.write_text("77\n")
    assert groups.read_number(file) == 77
    file.write_text("max\n")
    assert groups.read_number(file) == 0
    assert groups.read_number(tmp_path / "not-there") == 0


def test_our_own_groups_are_folders_that_are_there():
    assert all(folder.is_dir() for folder in groups.own_groups().values())
