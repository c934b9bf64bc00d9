"""A run comes out the same with a kernel that was started cold or forked, alone or among others."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

from grader.execution.interface import Finished
from grader.execution.jobs import CodeCell, Job
from grader.execution.room_run import run_in_room
from grader.model import Limits, RunStatus
from grader.sandbox.rooms import OpenRooms
from grader.sandbox.sources import ColdRooms, ForkedRooms, RoomSource

# What a notebook can see of the process it runs in. Called again after each import.
STATE = """
import gc, json, locale, logging, os, random, resource, signal, sys, threading, warnings
LIBRARIES = ("matplotlib", "tensorflow", "keras", "pandas", "sklearn", "scipy", "h5py", "numpy")
def show():
    print(json.dumps({
        "modules": [name for name in LIBRARIES if name in sys.modules],
        "filters": sorted(map(str, warnings.filters)),
        "handlers": [str(type(handler)) for handler in logging.root.handlers],
        "tensorflow log": [logging.getLogger("tensorflow").level, sys.stdout is sys.__stdout__],
        "signals": [str(signal.getsignal(n)).split(" at ")[0] for n in (2, 13, 15, 17)],
        "path": [sys.path, sys.argv, os.getcwd()],
        "environment": dict(sorted(os.environ.items())),
        "random": [random.random(), hash("x")],
        "threads": sorted(thread.name.split("-")[0] for thread in threading.enumerate()),
        "limits": {n: resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n[:7] == "RLIMIT_"},
        "interpreter": [gc.isenabled(), gc.get_threshold(), str(sys.flags), sys.getrecursionlimit()],
        "session": [os.umask(0o22), locale.getlocale(), repr(sys.modules["__main__"])],
        "ids": [os.getpid(), os.getresuid(), os.getgroups(), os.sched_getaffinity(0) and 1],
        "mask": str(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "places": [sorted(os.listdir(place)) for place in ("/tmp", "/content", "/dev/shm")],
    }, default=str))
show()
"""
NUMPY = "import numpy as np\nprint(np.random.rand(3), np.get_printoptions(), np.geterr())\nshow()"
FIGURES = """
import matplotlib, matplotlib.pyplot as plt
print(matplotlib.get_backend(), plt.isinteractive(), plt.get_fignums())
plt.plot([1, 2, 3]); plt.title("a figure"); plt.show()
print(sorted((name, str(value)) for name, value in matplotlib.rcParams.items()))
"""
TENSORFLOW = """
import tensorflow as tf
from tensorflow.python.eager import context
print(tf.executing_eagerly(), context.context()._initialized, tf.config.list_physical_devices())
print(tf.random.uniform([2]).numpy(), tf.random.normal([2]).numpy(), np.random.rand(2))
print(tf.keras.layers.Dense(1).name, tf.keras.backend.floatx(), tf.keras.config.backend())
show()
"""
TRAINING = """
x = np.random.rand(1000, 20).astype("float32"); y = (x.sum(1) > 10).astype("int32")
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(1000)
data = data.map(lambda a, b: (a * 2, b), num_parallel_calls=tf.data.AUTOTUNE).batch(50).prefetch(2)
w = tf.Variable(tf.random.normal([20, 2]) * 0.1); b = tf.Variable(tf.zeros([2]))
@tf.function
def step(images, labels):
    with tf.GradientTape() as tape:
        scores = images @ w + b
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores))
    for v, g in zip([w, b], tape.gradient(loss, [w, b])): v.assign_sub(0.1 * g)
    return loss
for epoch in range(2):
    for images, labels in data: loss = step(images, labels)
    print(float(loss))
layers = tf.keras.layers
model = tf.keras.Sequential([tf.keras.Input((20,)), layers.Dense(8, "relu"), layers.Dropout(0.2)])
model.add(layers.Dense(2))
cross_entropy = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(tf.keras.optimizers.Adam(lr=0.01), cross_entropy, metrics=["accuracy"])
print(model.fit(x, y, epochs=2, verbose=0).history, model.name)
for n in range(8): tf.function(lambda t: t + 1)(n)
def often(t): return t + 1
for n in range(8): tf.function(often)(tf.constant(n))
"""
PROCESSES = """
import concurrent.futures, multiprocessing, subprocess
print(subprocess.run(["sh", "-c", "exit 3"]).returncode)
with concurrent.futures.ThreadPoolExecutor(4) as pool: print(sum(pool.map(lambda n: n * n, range(10))))
def square(n): return n * n
with multiprocessing.get_context("fork").Pool(2) as pool: squares = pool.map(square, range(4))
print(squares)
"""
SHELL = ("!echo from a shell", "%cd /content/drive/MyDrive\n%pwd", "print(input('name?'))")
ADDRESS = re.compile(r"0x[0-9a-f]+")
START_LOG = re.compile(r"absl::InitializeLog|port\.cc|cudart_stub\.cc")
CELLS = (
    STATE,
    NUMPY,
    FIGURES,
    TENSORFLOW,
    TRAINING,
    PROCESSES,
    *SHELL,
    "import warnings; warnings.warn('mind')",
)


def a_job(*sources: str) -> Job:
    cells = tuple(CodeCell(number=number, source=source) for number, source in enumerate(sources, start=1))
    return Job(submission="s1", cells=cells, folder="/", limits=Limits(wall_seconds=200, reserve_seconds=10))


def run(source: RoomSource, *sources: str) -> Finished:
    return asyncio.run(run_in_room(a_job(*sources), source, OpenRooms()))


@pytest.fixture(scope="module")
def cold() -> Finished:
    return run(ColdRooms(), *CELLS)


@pytest.fixture(scope="module")
def forked(kernel_parent: ForkedRooms) -> Finished:
    """The run of a fork, while two others train at the same time in forks of the same parent."""
    others = [
        threading.Thread(
            target=run, args=(kernel_parent, NUMPY.split("\n")[0], TENSORFLOW[:24], TRAINING, mark)
        )
        for mark in ("1", "2")
    ]
    for other in others:
        other.start()
    finished = run(kernel_parent, *CELLS)
    for other in others:
        other.join()
    return finished


def shown(finished: Finished) -> list[list[Any]]:
    """What each cell printed, and its other outputs, without what TensorFlow logs at its start.

    In how many pieces a text came, and the addresses in it, are chance.
    """
    cells = []
    for cell in finished.notebook.cells:
        others = [output for output in cell.outputs if not START_LOG.search(output.get("text", ""))]
        printed = "".join(output.text for output in others if "text" in output)
        rest = [str(output.get("data") or output.get("ename")) for output in others if "text" not in output]
        cells.append([ADDRESS.sub("0x", printed), *sorted(rest)] if others else [])
    return cells


@pytest.mark.parametrize("number", range(1, len(CELLS) + 1))
def test_each_cell_shows_the_same(cold, forked, number):
    assert cold.run.status is forked.run.status is RunStatus.COMPLETED, (cold.run.cells, forked.run.cells)
    before, after = (shown(finished)[number - 1] for finished in (cold, forked))
    assert before, "a cell that shows nothing compares nothing"
    for one, other in zip(before, after, strict=True):
        told = [
            [json.loads(line) if line[:2] == '{"' else line for line in text.split("\n")]
            for text in (one, other)
        ]
        assert told[0] == told[1]


def told(finished: Finished) -> list[dict[str, Any]]:
    """The facts of a run, without how long tracing took."""
    return [
        {name: value for name, value in fact.items() if name != "tracing_seconds"} for fact in finished.facts
    ]


def test_the_recorder_and_the_mends_tell_the_same(cold, forked):
    assert told(cold) == told(forked)
    assert {fact["kind"] for fact in forked.facts} >= {"recorder", "training", "mend", "replaced"}
    assert [mend.name for mend in forked.run.mends] == ["lr"]


def test_the_two_kinds_are_told_apart(cold, forked):
    kernels = [
        [line for line in finished.run.limits_in_force if line.startswith("kernel: ")]
        for finished in (cold, forked)
    ]
    assert re.match("kernel: started for this run", kernels[0][0])
    assert re.match("kernel: forked from a parent", kernels[1][0])


@pytest.mark.parametrize(
    "asks",
    [
        lambda: a_job("import os\nos.environ['KERAS_BACKEND'] = 'tensorflow'\nimport keras"),
        lambda: a_job("%env TF_USE_LEGACY_KERAS=1"),
        lambda: a_job("x").model_copy(update={"attachments": (_file("numpy.py"),)}),
        lambda: a_job("x").model_copy(update={"attachments": (_file("work/tensorflow/__init__.py"),)}),
    ],
)
def test_who_decides_how_libraries_are_imported_gets_a_process_without_any(asks: Callable[[], Job]):
    from grader.execution.room_run import room_spec

    assert room_spec(asks()).is_fresh
    assert not room_spec(a_job("import tensorflow")).is_fresh
    assert not room_spec(a_job("x").model_copy(update={"attachments": (_file("helper.py"),)})).is_fresh


def _file(name: str) -> Any:
    from grader.model import Attachment

    return Attachment(name=name, size_bytes=1, sha256="a" * 64)
