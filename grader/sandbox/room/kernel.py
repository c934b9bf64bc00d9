"""From a process in a room to the kernel of one run; the same for a cold start and for a fork.

The kernel is made ready first and waits for its job then, so that it can be started before there is one.
"""

from __future__ import annotations

import json
import os
import random
import select
import socket
import sys
from typing import Any, NoReturn

import after_import
import colab
import drift
import keras_home
import shelf
import wire
from probes import recorder

ROOM = "/room"
HARNESS = "/harness"  # the folder of the package `probes`
CONTENT = "/content"
SETTINGS = "/run/settings"
ATTACHMENTS = "/run/attachments"

_JOB_BYTES = 65_536
_IDLE_SECONDS = 1.0  # a job that is there already comes sooner
_NO_RANDOM_TIPS = "--InteractiveShell.enable_tip=False"  # they use up the notebook's random numbers


def become_kernel(job: socket.socket, wire_end: int) -> NoReturn:
    """Be the kernel, until the end, of the run that `job` will tell of; facts go to the pipe `wire_end`."""
    wire.open_wire(wire_end)
    from ipykernel.kernelapp import IPKernelApp

    sys.argv = [f"{ROOM}/startup.py"]
    app: Any = IPKernelApp.instance()
    app.initialize(["-f", f"{SETTINGS}/connection.json", _NO_RANDOM_TIPS])
    sys.path.insert(0, "")
    _take(_received(job))
    drift.mend_known_calls(is_legacy=_is_legacy())
    recorder.install(after_import.after_import, wire.send_long, wire.current_cell)
    colab.register_magics(app.shell)
    colab.answer_input(app.kernel)
    app.shell.events.register("pre_run_cell", wire.count_cell)
    app.shell.events.register("post_run_cell", lambda _: recorder.cell_ended())
    wire.send("started", python=sys.version.split()[0])
    app.start()
    sys.exit()


def _is_legacy() -> bool:
    return os.environ.get("TF_USE_LEGACY_KERAS") == "1"


def _received(job: socket.socket) -> dict[str, Any]:
    """The settings of the run, once there is one; a kernel that has to wait imports what it may need."""
    with job:
        if not select.select([job], [], [], _IDLE_SECONDS)[0] and not _is_legacy():
            shelf.fill()
        message = job.recv(_JOB_BYTES)
    if not message:
        sys.exit("the grader is gone")
    settings: dict[str, Any] = json.loads(message)
    return settings


def _take(settings: dict[str, Any]) -> None:
    """Prepare files, seeds and the working folder as the settings of the run say."""
    os.environ.update(settings["environment"])
    keras_home.let_legacy_keras_find_it()
    colab.make_folders(ATTACHMENTS, CONTENT)
    keras_home.answer_hash_check(frozenset(settings["known_files"]))
    seed_everything(settings["seed"])
    working_folder = os.path.normpath(os.path.join(CONTENT, settings["working_folder"]))
    os.makedirs(working_folder, exist_ok=True)
    os.chdir(working_folder)
    colab.follow_drive_paths(CONTENT)


def seed_everything(seed: int) -> None:
    """Seed Python now, NumPy and TensorFlow when they are imported. The notebook's own seeds come later."""
    random.seed(seed)
    after_import.after_import("numpy", lambda numpy: numpy.random.seed(seed % 2**32))
    after_import.after_import("tensorflow", lambda tensorflow: tensorflow.random.set_seed(seed % 2**31))
    after_import.after_import("keras", lambda keras: None)  # watched, so that it uses up no random numbers
