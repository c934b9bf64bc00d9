from __future__ import annotations

import pytest

from grader.errors import SandboxError
from grader.sandbox import doctor


def test_on_this_machine_everything_is_found_by_trying():
    findings = {finding.name: finding for finding in doctor.examine()}
    assert all(finding.is_fine for finding in findings.values()), findings
    assert findings["room: network"].text == "refused"
    assert findings["room: capabilities"].text == "0000000000000000"


def test_a_room_that_does_not_lock_is_found_out(monkeypatch):
    def open_room(spec, folder, inside):
        return ["env", "SOMETHING=1", *inside]

    monkeypatch.setattr(doctor, "room_command", open_room)
    found = {finding.name: finding for finding in doctor.examine()}
    assert not found["room: environment"].is_fine
    assert not found["room: processes"].is_fine
    with pytest.raises(SandboxError):
        doctor.check_room()


@pytest.mark.parametrize(
    ("complaint", "mend"),
    [
        ("bwrap: No permissions to create new namespace", "sysctl"),
        ("bwrap: setting up uid map: Permission denied", "sysctl"),
        ("something else", "docs/install.md"),
    ],
)
def test_a_room_that_cannot_be_built_says_how_to_mend_it(complaint, mend):
    assert mend in doctor._why_no_room(complaint)
