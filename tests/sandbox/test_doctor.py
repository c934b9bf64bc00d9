from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest

from grader.errors import SandboxError
from grader.model import RunStatus
from grader.sandbox import doctor, room_program
from grader.sandbox.trials import TRIALS, Tried


def test_on_this_machine_everything_is_found_by_trying():
    findings = {finding.name: finding for finding in doctor.examine()}
    assert all(finding.is_fine for finding in findings.values()), findings
    assert findings["room: network"].text == "refused"
    assert findings["room: capabilities"].text == "0000000000000000"
    assert findings["limits"].text.startswith("memory and processes: ")
    for trial in TRIALS:
        assert findings[f"limit: {trial.name}"].text.startswith("kept: ")


def test_a_room_that_does_not_lock_is_found_out(monkeypatch):
    def no_room(spec, folder, inside, bounds, **streams):
        process = subprocess.Popen(["env", "SOMETHING=1", *inside], **streams)
        return process, SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(room_program, "launch", no_room)
    found = {finding.name: finding for finding in doctor.examine()}
    assert not found["room: environment"].is_fine
    assert not found["room: processes"].is_fine
    assert not found["room: memory without an owner"].is_fine
    assert not [name for name in found if name.startswith("limit")], "limits are tried only in a locked room"
    with pytest.raises(SandboxError):
        doctor.check_room()


@pytest.mark.parametrize(
    ("tried", "told"),
    [
        (Tried(False, None, 4.0), "NOT KEPT: the room ended by itself"),
        (Tried(False, RunStatus.TOO_MUCH_DISK, 4.0), "NOT KEPT: the room ended too_much_disk"),
    ],
)
def test_a_limit_that_is_not_kept_is_found_out(monkeypatch, tried, told):
    monkeypatch.setattr(doctor, "try_out", lambda trial, mechanism: tried)
    finding = doctor._limit(TRIALS[0], doctor.choose_mechanism())
    assert not finding.is_fine
    assert told in finding.text


@pytest.mark.parametrize(
    ("complaint", "mend"),
    [
        ("bwrap: No permissions to create new namespace", "sysctl"),
        ("bwrap: setting up uid map: Permission denied", "sysctl"),
        ("something else", "docs/install.md"),
    ],
)
def test_a_room_that_cannot_be_built_says_how_to_mend_it(complaint, mend):
    assert mend in room_program._why_no_room(complaint)
