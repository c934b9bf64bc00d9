"""Records TensorFlow operations while gradient tapes are open."""

from __future__ import annotations

from typing import Any, NamedTuple

from probes.hearing import Hearing

MOST_OPERATIONS = 12_000
MOST_CALLS = 200


class Operation(NamedTuple):
    """One operation as TensorFlow ran it (eager) or added it to a graph; tensors are kept by reference."""

    type: str
    inputs: tuple[Any, ...]
    attributes: tuple[Any, ...]  # name, value, name, value ...
    outputs: tuple[Any, ...]


class Recording:
    """The operations of one tape and the calls of models, in order. `is_full`: too many to keep."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.calls: list[Any] = []
        self.is_full = False

    def add(self, operation: Operation) -> None:
        """Keep one operation, unless the recording is full."""
        if len(self.operations) < MOST_OPERATIONS:
            self.operations.append(operation)
        else:
            self.is_full = True


class OperationListener:
    """Hears TensorFlow's operations of this thread for as long as somebody wants them.

    TensorFlow's callback list belongs to the thread, and its presence slows every operation down: it is
    added for the first recording and removed after the last one.
    """

    def __init__(self, hearing: Hearing) -> None:
        self._hearing = hearing
        self._recordings: list[Recording] = []
        self._is_listening = False

    @property
    def is_recording(self) -> bool:
        """Whether somebody wants to hear."""
        return self._is_listening

    def add_call(self, call: Any) -> None:
        """Let all recordings have a call of a model."""
        for recording in self._recordings:
            if len(recording.calls) < MOST_CALLS:
                recording.calls.append(call)

    def start(self, recording: Recording) -> Recording:
        """Let a recording have all operations from now on."""
        self._recordings.append(recording)
        if not self._is_listening:
            from tensorflow.python.framework import op_callbacks

            op_callbacks.add_op_callback(self._hear)
            self._is_listening = True
        return recording

    def stop(self, recording: Recording) -> None:
        """End a recording; one that has ended already is left alone."""
        self._recordings = [other for other in self._recordings if other is not recording]
        if not self._recordings and self._is_listening:
            self._remove()

    def stop_all(self) -> None:
        """End all recordings: nothing of ours stays in TensorFlow."""
        self._recordings.clear()
        if self._is_listening:
            self._remove()

    def _remove(self) -> None:
        from tensorflow.python.eager import context, execute

        self._is_listening = False
        here = context.context()
        if self._hear in here.op_callbacks:
            here.remove_op_callback(self._hear)
        if not here.op_callbacks:  # TensorFlow's own removal leaves this in place inside a function
            execute.execute = execute.quick_execute

    def _hear(
        self,
        op_type: Any,
        inputs: Any,
        attrs: Any,
        outputs: Any,
        op_name: Any = None,
        graph: Any = None,
    ) -> None:
        if self._hearing.is_deaf:
            return
        name = op_type.decode() if isinstance(op_type, bytes) else str(op_type)
        operation = Operation(name, tuple(inputs), tuple(attrs or ()), tuple(outputs or ()))
        for recording in self._recordings:
            recording.add(operation)


def key_of(tensor: Any) -> int:
    """A number that no other living tensor has."""
    number = getattr(tensor, "_id", None)
    return number if isinstance(number, int) else id(tensor)
