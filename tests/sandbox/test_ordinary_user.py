"""The same walls and limits for a grader that is not root: tried here by becoming nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from grader.sandbox.parent import FORKED

NOBODY = 65534
REPOSITORY = Path(__file__).resolve().parents[2]
EXAMINE = """
import json, os
from grader.sandbox.doctor import examine
print(json.dumps([os.getuid(), {f.name: [f.is_fine, f.text] for f in examine()}]))
"""


def as_nobody(python: str, program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-B", "-c", program],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{REPOSITORY}:{sysconfig.get_path('purelib')}"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def findings() -> dict[str, list]:
    """What `grade doctor` finds for a user without any right."""
    if os.geteuid() != 0:
        pytest.skip("the other tests of this folder run as an ordinary user already")
    for python in (sys.executable, "/usr/bin/python3"):  # root's own Python may be where nobody can go
        try:
            can_import = as_nobody(python, "import grader.sandbox.doctor")
        except PermissionError:
            continue
        if can_import.returncode == 0:
            uid, found = json.loads(as_nobody(python, EXAMINE).stdout)
            assert uid == NOBODY
            return found
    pytest.skip("no Python that an ordinary user may start can import the grader")


def test_the_room_locks_for_an_ordinary_user(findings):
    locks = {name: found for name, found in findings.items() if name.startswith("room: ")}
    assert len(locks) >= 10
    assert all(is_fine for is_fine, _ in locks.values()), locks


def test_every_limit_holds_for_an_ordinary_user_too(findings):
    limits = {name: found for name, found in findings.items() if name.startswith("limit: ")}
    assert len(limits) >= 7
    assert all(is_fine for is_fine, _ in limits.values()), limits
    assert findings["limits"][1].startswith("memory and processes: ")


def test_kernels_can_be_forked_for_an_ordinary_user_too(findings):
    assert findings["kernels"] == [True, FORKED]
