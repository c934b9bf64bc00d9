"""`drive.mount`: the Drive is there already, with the hand-in's files in it."""

from __future__ import annotations

import contextlib
import os
from typing import Any

CONTENT = os.environ.get("GRADER_CONTENT", "/content")  # set where there is no room


def mount(mountpoint: str = "/content/drive", *_: Any, **__: Any) -> None:
    """Make `mountpoint` lead to the room's Drive."""
    if CONTENT == "/content" and not os.path.lexists(mountpoint):
        with contextlib.suppress(OSError):  # outside what can be written: the fixed place is still there
            os.makedirs(os.path.dirname(mountpoint) or "/", exist_ok=True)
            os.symlink(f"{CONTENT}/drive", mountpoint)
    print(f"Mounted at {mountpoint}")


def flush_and_unmount(*_: Any, **__: Any) -> None:
    """Nothing to flush."""
