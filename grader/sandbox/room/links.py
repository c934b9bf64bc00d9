"""Links, and what stands for them on a system that lets nobody make any, as Windows mostly does."""

from __future__ import annotations

import os
import shutil


def link(target: str, name: str) -> None:
    """Let `name` lead to `target`, which may be relative to its folder; without links it is a copy of it.

    Raises `OSError` when it can be neither, above all when there is something of that name.
    """
    try:
        os.symlink(target, name)
    except FileExistsError:
        raise
    except OSError:
        original = os.path.join(os.path.dirname(name), target)
        if os.path.isdir(original):
            shutil.copytree(original, name)
        else:
            shutil.copyfile(original, name)
