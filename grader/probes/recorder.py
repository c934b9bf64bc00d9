"""The recorder: hears what TensorFlow does in a notebook, and measures at the end what was trained.

Five calls make it: `install` puts the hooks in, `begin` starts to listen, `look_around` remembers what
notebooks run with, `cell_ended` follows each cell, `measure` comes at the end. A process may be forked
between `install` and `begin`. Student code runs in the same process and can forge all of it; see README.md.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from probes import facts, listening
from probes.around import Around
from probes.book import Book
from probes.calling import MODELS, CallListener, ModelCall, calls_heard_by
from probes.evaluations import Evaluations
from probes.hearing import Hearing, heard
from probes.hooks import Hooks
from probes.measuring import Measurement
from probes.steps import Steps
from probes.surroundings import AfterImport, Surroundings
from probes.tape import OperationListener
from probes.watching import Watcher, facts_of_watches

VERSION = 2
_TRACING_SECONDS, _LOOKING_SECONDS = 8.0, 4.0
_TIMING_SECONDS = 120.0  # past the deadline of the predictions, before the host interrupts


class Recorder(CallListener):
    """Everything that was heard in one process. No method that a hook calls raises."""

    def __init__(self) -> None:
        self.hearing = Hearing()
        self.hooks = Hooks()
        self.operations = OperationListener(self.hearing)
        self.book = Book(self.current_run)
        self.evaluations = Evaluations(self.operations, self.current_run)
        self.around = Around(self.hearing, self.current_run)
        self.watcher = Watcher()
        self.steps = Steps(
            self.hearing, self.operations, self.book, self.evaluations, self.around, self.watcher
        )
        self.surroundings: Surroundings | None = None
        self.tensorflow: Any = None
        self._after_import: AfterImport | None = None
        self._send: facts.Send | None = None
        self._told_run: Callable[[], int] | None = None
        self._ended_cells = 0

    def current_run(self) -> int:
        """The position of the cell that runs now, from 1."""
        return self._told_run() if self._told_run is not None else self._ended_cells + 1

    def hook_in(self, after_import: AfterImport) -> None:
        """Put the hooks in, now where TensorFlow and Keras are there, else once they are imported."""
        self._after_import = after_import
        after_import("tensorflow", self._tensorflow_imported)
        for module, owner, method, region in listening.REGIONS:
            wrap = listening.within(self.steps, region)
            after_import(
                module,
                lambda found, owner=owner, method=method, wrap=wrap: self.hooks.replace_in(
                    found, owner, method, wrap
                ),
            )
        for module, owner in MODELS:
            after_import(
                module,
                lambda found, owner=owner: self.hooks.replace_in(
                    found, owner, "__call__", calls_heard_by(self)
                ),
            )

    def begin(
        self, send: facts.Send, current_run: Callable[[], int] | None, *, watches: bool, times: bool
    ) -> None:
        """Listen from now on, in this process.

        `watches`: also to what trainings look like on the way; `times`: time functions that train at the end.
        """
        self._send, self._told_run = send, current_run
        self.watcher.is_on = watches
        self.around.timings.is_on = times
        self.hearing.is_deaf = False
        self.evaluations.cell_begins()
        if self.tensorflow is not None:
            self.hooks.remember(self.tensorflow, with_keras=_has_keras())
            self._is_there()

    def _tensorflow_imported(self, tensorflow: Any) -> None:
        self.tensorflow = self.steps.tensorflow = self.watcher.tensorflow = tensorflow
        listening.listen(self.hooks, self.steps)
        self.around.hook_in(self.hooks, tensorflow)
        self.hooks.remember(tensorflow, with_keras=False)  # it may be half imported
        self._is_there()

    def _is_there(self) -> None:
        if self._send is not None:
            self._send("recorder", version=VERSION)

    def model_entered(self, model: Any) -> None:
        """Variables are read by the model from now on."""
        self.steps.region_entered("model")

    def model_left(self, model: Any, call: tuple[Any, Any, Any] | None) -> None:
        """The call belongs to the open tapes; without one it is an evaluation."""
        self.steps.region_left("model")
        if call is None:
            return
        if self.steps.open_tapes and not self.operations.is_recording:
            self.around.model_seen(model)  # as nearly always
        else:
            self._model_called(model, *call)

    @heard
    def _model_called(self, model: Any, arguments: Any, named: Any, outputs: Any) -> None:
        depth = self.steps.regions.count("model")
        call = ModelCall(model, arguments, named, outputs, depth)
        self.around.model_called(call)
        if self.steps.open_tapes:
            self.operations.add_call(call)
        elif not self.steps.regions and not self.evaluations.is_off and hasattr(outputs, "numpy"):
            training = self.steps.training_of_model(model)
            if training is not None:
                self.evaluations.model_called(training, call)

    def look_around(self, shell: Any, content: str) -> None:
        """Remember what the notebook runs with."""
        if self._after_import is not None:
            self.surroundings = Surroundings(shell, content, self._after_import)

    def cell_ended(self) -> None:
        """Clean up, and tell of the trainings that went on in this cell."""
        self._clean_up()
        self.steps.cell_ended()
        self.around.cell_ended()
        self._ended_cells += 1
        self.evaluations.cell_begins()

    @heard
    def _clean_up(self) -> None:
        self.evaluations.close()
        self.operations.stop_all()
        if self.tensorflow is not None and self._send is not None:
            self.hooks.remember(self.tensorflow, with_keras=_has_keras())
            self.book.poll()
            facts.tell_trainings(self.book, self._send)
            facts.tell_around(self.around, self._send)

    def measure(self, folder: str, seconds: float, word: str, changed: Sequence[str]) -> None:
        """Predict for the inputs in `folder` (<dataset>.npy) within `seconds`, and send what comes out.

        `word` goes with all that is sent: it shows that this is the answer. `changed` names what was found to
        be changed of the recorder itself.
        """
        deadline = time.monotonic() + seconds
        self.operations.stop_all()
        if self._send is None:
            return
        answer = functools.partial(self._send, word=word)
        others = [*changed, *([] if self.surroundings is None else self.surroundings.replaced())]
        if self.tensorflow is None:
            answer("replaced", names=others)
            return
        with self.hearing.closed(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # student code may have made errors of them
            answer("replaced", names=self.hooks.replaced() + others)
            self.book.poll()
            for told in facts_of_watches(self.watcher):
                answer("watched", **told)
            Measurement(self.book, self.evaluations.found, answer, folder, deadline).run()
            self.around.models.trace(_TRACING_SECONDS)
            self.around.pipelines.look_into(_LOOKING_SECONDS)
            facts.tell_around(self.around, answer, is_last=True)
            with contextlib.suppress(Exception):  # functions of the notebook's are called: all else is told
                self.around.timings.measure(answer, deadline + _TIMING_SECONDS, self.book.trainings)


def _has_keras() -> bool:
    return "keras" in sys.modules or "tf_keras" in sys.modules


_recorder: Recorder | None = None


def install(after_import: AfterImport) -> None:
    """Put the hooks into TensorFlow and Keras, at once or as soon as they are imported. They are deaf."""
    global _recorder
    _recorder = Recorder()
    _recorder.hook_in(after_import)


def begin(
    send: facts.Send,
    current_run: Callable[[], int] | None = None,
    *,
    watches: bool = False,
    times: bool = False,
) -> None:
    """Start to listen, in this process; `send(kind, **fact)` takes the facts.

    `current_run` tells the position of the running cell; without it cells are counted by `cell_ended`. With
    `watches`, what trainings look like on the way is told at the end (see `watching.py`), with `times`
    how long functions that train take eagerly and as graphs (see `timing.py`).
    """
    if _recorder is not None:
        _recorder.begin(send, current_run, watches=watches, times=times)


def look_around(shell: Any, content: str) -> None:
    """Remember what notebooks run with, once the `shell` stands; the hand-in's files lie in `content`."""
    if _recorder is not None:
        _recorder.look_around(shell, content)


def cell_ended(*_: Any) -> None:
    """After each cell: send the trainings that changed."""
    if _recorder is not None:
        _recorder.cell_ended()


def measure(folder: str, seconds: float, word: str, changed: Sequence[str] = ()) -> None:
    """After the last cell: send predictions of all trained models for the inputs in `folder`.

    All that is sent carries the `word` of the question; see `asking.py`, which calls this.
    """
    if _recorder is not None:
        _recorder.measure(folder, seconds, word, changed)
