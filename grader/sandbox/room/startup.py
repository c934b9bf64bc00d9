"""The first thing that runs in a room: prepares the process and starts the kernel."""

from __future__ import annotations

import ctypes
import json
import os
import random
import signal
import sys
from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
ROOM = os.path.dirname(os.path.abspath(__file__))
SETTINGS = sys.argv[1]

with open(f"{SETTINGS}/room.json", encoding="utf-8") as _file:
    settings = json.load(_file)
HARNESS = settings["harness"]  # the folder of the package `probes`
CONTENT = settings["content"]

sys.path.remove(ROOM)
sys.path[:0] = [ROOM, HARNESS]

import after_import  # noqa: E402
import colab  # noqa: E402
import drift  # noqa: E402
import keras_home  # noqa: E402
import wire  # noqa: E402
from probes import recorder  # noqa: E402


def seed_everything(seed: int) -> None:
    """Seed Python now, NumPy and TensorFlow when they are imported. The notebook's own seeds come later."""
    random.seed(seed)
    after_import.after_import("numpy", lambda numpy: numpy.random.seed(seed % 2**32))
    after_import.after_import("tensorflow", lambda tensorflow: tensorflow.random.set_seed(seed % 2**31))


def die_with_grader() -> None:
    """Without a room: be killed when the grader is, and adopt orphans, so that they can be found."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)


def main() -> None:
    """Prepare the room as its settings say, then be the kernel until the end."""
    wire.open_wire(settings["wire"])
    if not wire.has_reader():
        sys.exit("the grader is gone")
    if not settings["is_locked"]:
        die_with_grader()
    after_import.install()
    colab.make_folders(settings["attachments"], CONTENT)
    keras_home.let_legacy_keras_find_it()
    seed_everything(settings["seed"])
    keras_home.answer_hash_check(frozenset(settings["known_files"]))
    drift.mend_known_calls(is_legacy=settings["is_legacy"])
    recorder.install(after_import.after_import)
    recorder.begin(wire.send_long, wire.current_cell)
    sys.path.remove(ROOM)
    sys.path.remove(HARNESS)
    sys.path.append(f"{ROOM}/lib")

    from ipykernel.kernelapp import IPKernelApp

    app: Any = IPKernelApp.instance()
    app.initialize(["-f", f"{SETTINGS}/connection.json"])
    sys.path.insert(0, "")
    working_folder = os.path.normpath(os.path.join(CONTENT, settings["working_folder"]))
    os.makedirs(working_folder, exist_ok=True)
    os.chdir(working_folder)
    colab.follow_drive_paths(CONTENT)
    colab.register_magics(app.shell)
    app.shell.events.register("pre_run_cell", wire.count_cell)
    app.shell.events.register("post_run_cell", lambda _: recorder.cell_ended())
    colab.answer_input(app.kernel)
    recorder.look_around(app.shell, CONTENT)
    wire.send("started", python=sys.version.split()[0])
    app.start()


main()
