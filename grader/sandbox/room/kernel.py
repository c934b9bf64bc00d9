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
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import after_import
import colab
import drift
import keras_home
import shelf
import wire
from probes import recorder

_JOB_BYTES = 65_536
_IDLE_SECONDS = 1.0  # a job that is there already comes sooner
_FLUSH_SECONDS = 0.05  # ipykernel's own 0.2 let a flood fill the memory before anybody can see it
_NO_RANDOM_TIPS = "--InteractiveShell.enable_tip=False"  # they use up the notebook's random numbers


def become_kernel(receive: Callable[[], bytes], places: Mapping[str, Any]) -> None:
    """Be the kernel, until the end, of the run that `receive` waits for; `places` has the room's layout.

    What goes wrong before the first cell is told on standard error, which is the kernel's own later.
    """
    from ipykernel.kernelapp import IPKernelApp

    with _complaining():
        sys.argv = [f"{places['room']}/startup.py"]
        streams = sys.stdout, sys.stderr
        app: Any = IPKernelApp.instance()
        app.initialize(["-f", f"{places['settings']}/connection.json", _NO_RANDOM_TIPS])
        shelf.speak_through(dict(zip(streams, (sys.stdout, sys.stderr), strict=True)))
        printing: Any = (sys.stdout, sys.stderr)
        for stream in printing:
            stream.flush_interval = _FLUSH_SECONDS
        sys.path.insert(0, "")
        message = receive()
        if not message:
            sys.exit("the grader is gone")
        settings = json.loads(message)
        _take(settings, places)
        drift.mend_known_calls(is_legacy=_is_legacy())
        recorder.install(after_import.after_import)
        chosen = {"watches": settings["watches"], "times": settings["times"]}
        recorder.begin(wire.send_long, wire.current_cell, **chosen)
        colab.register_magics(app.shell)
        colab.answer_input(app.kernel)
        app.shell.events.register("pre_run_cell", wire.count_cell)
        app.shell.events.register("post_run_cell", lambda _: recorder.cell_ended())
        recorder.look_around(app.shell, places["content"])
        wire.send("started", python=sys.version.split()[0])
    app.start()


@contextmanager
def _complaining() -> Iterator[None]:
    """Tell of any failure on the standard error of now: IPython puts its own in the place of it."""
    complaints = os.dup(2)
    try:
        yield
    except BaseException as failure:
        text = str(failure) if isinstance(failure, SystemExit) else traceback.format_exc()
        os.write(complaints, text.encode("utf-8", "replace"))
        raise
    finally:
        os.close(complaints)


def _is_legacy() -> bool:
    return os.environ.get("TF_USE_LEGACY_KERAS") == "1"


def received(job: socket.socket) -> bytes:
    """The settings of the run, once there is one; a kernel that has to wait imports what it may need."""
    with job:
        if not select.select([job], [], [], _IDLE_SECONDS)[0] and not _is_legacy():
            shelf.fill()
        return job.recv(_JOB_BYTES)


def _take(settings: dict[str, Any], places: Mapping[str, Any]) -> None:
    """Prepare files, seeds and the working folder as the settings of the run say."""
    os.environ.update(settings["environment"])
    os.makedirs(os.environ["MPLCONFIGDIR"], exist_ok=True)  # Matplotlib makes it only where it is imported
    colab.make_folders(places["attachments"], places["content"])
    keras_home.let_legacy_keras_find_it()
    keras_home.answer_hash_check(frozenset(settings["known_files"]))
    seed_everything(settings["seed"])
    working_folder = os.path.normpath(os.path.join(places["content"], settings["working_folder"]))
    os.makedirs(working_folder, exist_ok=True)
    os.chdir(working_folder)
    colab.follow_drive_paths(places["content"])


def seed_everything(seed: int) -> None:
    """Seed Python now, NumPy and TensorFlow when they are imported. The notebook's own seeds come later."""
    random.seed(seed)
    after_import.after_import("numpy", lambda numpy: numpy.random.seed(seed % 2**32))
    after_import.after_import("tensorflow", lambda tensorflow: tensorflow.random.set_seed(seed % 2**31))
    after_import.after_import("keras", lambda keras: None)  # watched, so that it uses up no random numbers
