"""The zip of feedback files, read as Moodle reads it."""

from __future__ import annotations

import zipfile
from datetime import datetime

from grader.moodle.feedback import write_feedback


def as_moodle_reads(path):
    """Participant's number → files: of each path's first part, split at `_`, the second says whose it is."""
    found: dict[str, list[str]] = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            folder, file = name.split("/")
            parts = folder.split("_", 4)
            assert parts[2:] == ["assignfeedback", "file"]
            assert not file.startswith((".", "~"))
            found.setdefault(parts[1], []).append(archive.read(name).decode() + file)
    return found


def test_each_member_gets_the_group_s_report_and_nobody_else_s(tmp_path):
    members = {"Rockets_900": ("12", "13"), "Ada_14": ("14",)}
    reports = {"Rockets_900": b"R ", "Ada_14": b"A ", "Nobody_1": b"N "}
    now = datetime(2026, 11, 25, 12, 0)
    assert write_feedback(tmp_path / "f.zip", reports, members, now=now) == 3
    assert as_moodle_reads(tmp_path / "f.zip") == {
        "12": ["R report.html"],
        "13": ["R report.html"],
        "14": ["A report.html"],
    }
    assert [path.name for path in tmp_path.iterdir()] == ["f.zip"]
