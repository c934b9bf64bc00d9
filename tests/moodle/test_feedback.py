"""The zip of feedback files, read as Moodle reads it."""

from __future__ import annotations

from datetime import datetime

from moodle.made_up import as_moodle_reads

from grader.moodle.feedback import write_feedback


def test_each_member_gets_the_group_s_report_and_nobody_else_s(tmp_path):
    members = {"Rockets_900": ("12", "13"), "Ada_14": ("14",)}
    reports = {"Rockets_900": b"R", "Ada_14": b"A", "Nobody_1": b"N"}
    now = datetime(2026, 11, 25, 12, 0)
    assert write_feedback(tmp_path / "f.zip", reports, members, now=now) == 3
    assert as_moodle_reads(tmp_path / "f.zip") == {
        "12": [("report.html", b"R")],
        "13": [("report.html", b"R")],
        "14": [("report.html", b"A")],
    }
    assert [path.name for path in tmp_path.iterdir()] == ["f.zip"]
