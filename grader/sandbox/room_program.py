"""Small programs in a room, and what they print: how a machine is tried out."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from grader.sandbox.bubblewrap import RoomFolder, RoomSpec
from grader.sandbox.launching import launch
from grader.sandbox.limits.choosing import choose_mechanism

_SECONDS = 60.0


def printed_in_a_room(program: str, spec: RoomSpec) -> str:
    """What `program` (Python) prints in a room; its complaints are left out.

    Raises `RuntimeError`, with the mend, when there is no room, `TimeoutError` when it does not end.
    """
    with tempfile.TemporaryDirectory(prefix="grader-doctor-") as name:
        folder = RoomFolder(Path(name))
        folder.make()
        with tempfile.TemporaryFile() as complaints:
            bounds = choose_mechanism().open(spec.limits)
            try:
                process, standing = launch(
                    spec,
                    folder,
                    [sys.executable, "-c", program],
                    bounds,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                )
                standing.close()
                printed, _ = process.communicate(timeout=_SECONDS)
            except subprocess.TimeoutExpired as error:
                text = "a room did not stand within a minute: the machine is overloaded, try again."
                raise TimeoutError(text) from error
            except RuntimeError as error:
                complaints.seek(0)
                raise RuntimeError(_why_no_room(complaints.read().decode("utf-8", "replace"))) from error
            finally:
                bounds.close()
    return printed.decode("utf-8", "replace")


def _why_no_room(complaint: str) -> str:
    last = complaint.strip().splitlines()[-1] if complaint.strip() else "no message"
    if "namespace" in last or "uid map" in last or "ermission" in last:
        return (
            f"bubblewrap cannot make a user namespace ({last}): allow them with `sudo sysctl -w "
            "kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0`."
        )
    return f"a room cannot be built ({last}); see docs/install.md."
