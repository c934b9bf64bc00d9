"""From recorded operations to a plan: what computes the logits from the data and the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from probes.functions import BOOKKEEPING, PASSES_ON, functions_called, keep_function, operations_inside
from probes.tape import Operation, Recording, key_of
from probes.unheard import with_unheard

MOST_CLASSES = 1000
MOST_ENTRIES = 3
LARGEST_CONSTANT_BYTES = 64 * 1024
LOSSES = frozenset({"SparseSoftmaxCrossEntropyWithLogits", "SoftmaxCrossEntropyWithLogits"})
LOOKS_AT_SHAPE = frozenset({"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"})
ACTIVATIONS = frozenset(
    {"Relu", "Relu6", "Elu", "Selu", "LeakyRelu", "Sigmoid", "Tanh", "Softmax", "LogSoftmax"}
)
OUTSIDE_WORLD = ("Iterator", "Placeholder", "PyFunc", "EagerPyFunc", "TensorList", "Arg", "_Arg")


ACROSS_ROWS = frozenset({"Mean", "FusedBatchNormV3", "FusedBatchNormV2", "FusedBatchNorm", "Cumsum"})


class CannotReplay(Exception):  # noqa: N818 - an expected outcome that ends the building of one plan
    """Why a recording cannot be replayed, in a few words."""


class Step(NamedTuple):
    """One operation to run again: `inputs` and `outputs` are keys of tensors."""

    type: str
    inputs: tuple[int, ...]
    attributes: tuple[Any, ...]
    outputs: tuple[int, ...]


class Entry(NamedTuple):
    """A tensor through which a batch goes in: (batch, …), or (…, batch) when it is transposed."""

    key: int
    dtype: Any
    is_transposed: bool
    tensor: Any  # None once its data are let go


class Plan(NamedTuple):
    """How the logits come from one batch: run `steps` in order, with these values given.

    `constants`: tensors (also handles of variables that are not trained) by key. `weights` and `handles`:
    keys that stand for the value, or for a variable with the value, of the weight at a position. The data
    go in at `entries`; the logits (batch, classes), or transposed, come out at `logits`. `batch` is None
    when any number of rows may go in at once; `recorded_batch` is what went in. `forward` names operations
    from data to logits with the weight that each uses. `kept` is what has to stay alive meanwhile.
    """

    steps: tuple[Step, ...]
    constants: dict[int, Any]
    weights: dict[int, int]
    handles: dict[int, int]
    entries: tuple[Entry, ...]
    batch: int | None
    recorded_batch: int | None
    logits: int
    is_logits_transposed: bool
    forward: tuple[tuple[str, int | None], ...]
    kept: tuple[Any, ...]

    def without_data(self) -> Plan:
        """The same plan, holding on to no batch."""
        return self._replace(entries=tuple(entry._replace(tensor=None) for entry in self.entries))


def build_plan(recording: Recording, sources: Sequence[Any]) -> Plan:
    """The plan for the forward pass that trains `sources` (variables or tensors), or `CannotReplay`."""
    if recording.is_full:
        raise CannotReplay("too many operations")
    return _Builder(recording.operations, sources).build()


def shape_of(tensor: Any) -> tuple[int | None, ...] | None:
    """The static shape, None when not even the rank is known."""
    dims = tensor.shape.as_list() if tensor.shape.rank is not None else None
    return None if dims is None else tuple(dims)


def origin_of(tensor: Any) -> Any:
    """The tensor outside of all functions that a function's tensor captures, or the tensor itself."""
    while not hasattr(tensor, "numpy"):
        captured = {key_of(inside): outside for outside, inside in getattr(tensor.graph, "captures", ())}
        outside = captured.get(key_of(tensor))
        if outside is None:
            break
        tensor = outside
    return tensor


class _Builder:
    """The state of building one plan."""

    def __init__(self, operations: Sequence[Operation], sources: Sequence[Any]) -> None:
        operations = with_unheard(operations)
        self.operations = [op for op in operations if op.type not in ("Placeholder", "Const")]
        self.tensors = {
            key_of(t): t for op in operations for t in (*op.inputs, *op.outputs) if hasattr(t, "dtype")
        }
        self.producers = {key_of(t): op for op in self.operations for t in op.outputs}
        self.weights: dict[int, int] = {}
        self.handles: dict[int, int] = {}
        self._place_sources(sources)
        self.from_weights = self._reached(set(self.weights) | set(self.handles))
        self.from_data = self._reached({key for key in self.tensors if self._is_data(key)})

    def build(self) -> Plan:
        logits = self._logits()
        entries, is_logits_transposed = self._entries(logits)
        batch = (shape_of(self.tensors[logits]) or ())[int(is_logits_transposed)]
        steps, constants = self._steps(logits, {entry.key for entry in entries})
        is_free = batch is None or not self._fixes_batch(batch, steps, constants)
        graphs = {id(t.graph): t.graph for t in self.tensors.values() if not hasattr(t, "numpy")}
        return Plan(
            steps=steps,
            constants=constants,
            weights=self.weights,
            handles=self.handles,
            entries=entries,
            batch=None if is_free else batch,
            recorded_batch=batch,
            logits=logits,
            is_logits_transposed=is_logits_transposed,
            forward=self._forward(steps, {entry.key for entry in entries}),
            kept=tuple(graphs.values()),
        )

    def _place_sources(self, sources: Sequence[Any]) -> None:
        values: dict[int, int] = {}
        handles: dict[int, int] = {}
        for place, source in enumerate(sources):
            handle = getattr(source, "handle", None)
            (values if handle is None else handles)[key_of(source if handle is None else handle)] = place
        for key, tensor in self.tensors.items():
            origin = key_of(origin_of(tensor)) if key not in self.producers else key
            if origin in handles:
                self.handles[key] = handles[origin]
            elif origin in values:
                self.weights[key] = values[origin]
        for op in self.operations:
            if op.type == "ReadVariableOp" and key_of(op.inputs[0]) in self.handles:
                self.weights[key_of(op.outputs[0])] = self.handles[key_of(op.inputs[0])]
        self._place_unheard(sources)

    def _place_unheard(self, sources: Sequence[Any]) -> None:
        """Weights that TensorFlow read without telling (`tf.nn.bias_add` does), known by their values."""
        waiting = [place for place in range(len(sources)) if place not in self.weights.values()]
        if not waiting:
            return
        for operation in self.operations:
            for tensor in operation.inputs:
                key = key_of(tensor)
                if key in self.weights or key in self.producers or not hasattr(tensor, "numpy"):
                    continue
                place = next((p for p in waiting if _is_value_of(tensor, sources[p])), None)
                if place is not None:
                    self.weights[key] = place
                    waiting.remove(place)

    def _is_data(self, key: int) -> bool:
        """Whether a tensor comes from outside of the recording and is large enough to be a batch."""
        if key in self.weights or key in self.handles:
            return False
        producer = self.producers.get(key)
        if producer is not None:
            return producer.type.startswith(OUTSIDE_WORLD)
        tensor = self.tensors[key]
        is_list_of_numbers = tensor.shape.rank == 1 and tensor.dtype.is_integer  # a shape, axes, labels
        return bool(tensor.dtype.name != "resource" and tensor.shape.rank != 0 and not is_list_of_numbers)

    def _reached(self, starts: set[int]) -> set[int]:
        reached = set(starts)
        for op in self.operations:
            if op.type not in LOOKS_AT_SHAPE and any(key_of(t) in reached for t in op.inputs):
                reached.update(key_of(t) for t in op.outputs)
        return reached

    def _could_be_logits(self, key: int) -> bool:
        shape = shape_of(self.tensors[key])
        is_table = shape is not None and len(shape) == 2 and any(1 < (n or 0) <= MOST_CLASSES for n in shape)
        return is_table and key in self.from_weights and key in self.from_data

    def _logits(self) -> int:
        for op in reversed(self.operations):
            if op.type in LOSSES and self._could_be_logits(key_of(op.inputs[0])):
                return key_of(op.inputs[0])
        found = None
        for op in self.operations:
            keys = [key_of(t) for t in op.inputs]
            has_weight = any(key in self.from_weights and key not in self.from_data for key in keys)
            goes_on = op.type in ACTIVATIONS and found in keys
            if (has_weight or goes_on) and op.outputs and self._could_be_logits(key_of(op.outputs[0])):
                found = key_of(op.outputs[0])
        if found is None:
            raise CannotReplay("no logits found")
        return found

    def _ancestors(self, logits: int, stops: frozenset[int] | set[int] = frozenset()) -> list[Operation]:
        wanted = {logits}
        needed = []
        for op in reversed(self.operations):
            outputs = {key_of(t) for t in op.outputs} - stops
            if outputs & wanted and not outputs & set(self.weights):
                needed.append(op)
                wanted.update(key_of(t) for t in op.inputs)
        return needed[::-1]

    def _entries(self, logits: int) -> tuple[tuple[Entry, ...], bool]:
        """Where the data go in, and whether the logits are transposed: (classes, batch)."""
        classes_last = shape_of(self.tensors[logits]) or ()
        for is_transposed in (False, True):
            batch, classes = classes_last[:: -1 if is_transposed else 1]
            entries = self._entries_of(logits, batch)
            if entries and 1 < (classes or 0) <= MOST_CLASSES:
                if len(entries) > MOST_ENTRIES:
                    raise CannotReplay("too many batch-shaped inputs")
                return entries, is_transposed
        raise CannotReplay("no input with the batch's length")

    def _entries_of(self, logits: int, batch: int | None) -> tuple[Entry, ...]:
        """The tensors with the batch's length that meet what the weights reach."""
        found: dict[int, Entry] = {}
        for op in self._ancestors(logits):
            if not any(key_of(t) in self.from_weights for t in (*op.inputs, *op.outputs)):
                continue
            for tensor in op.inputs:
                key, shape = key_of(tensor), shape_of(tensor)
                if key in self.from_weights or key not in self.from_data or not shape:
                    continue
                is_transposed = shape[0] != batch and len(shape) == 2 and shape[1] == batch
                if shape[0] == batch or is_transposed:
                    if None in shape[:1] * is_transposed + shape[1:] * (not is_transposed):
                        raise CannotReplay("an input of unknown shape")
                    found[key] = Entry(key, tensor.dtype, is_transposed, tensor)
        return tuple(found.values())

    def _steps(self, logits: int, entries: set[int]) -> tuple[tuple[Step, ...], dict[int, Any]]:
        given = {*entries, *self.weights, *self.handles}
        constants: dict[int, Any] = {}
        steps = []
        for op in self._ancestors(logits, stops=entries):
            if op.type.startswith(OUTSIDE_WORLD):
                raise CannotReplay(f"{op.type} on the way to the logits")
            for tensor in op.inputs:
                key = key_of(tensor)
                if key not in given and key not in self.producers and key not in constants:
                    constants[key] = _constant(tensor)
            for name in functions_called(op.type, op.attributes):
                keep_function(name)
            inputs = tuple(key_of(t) for t in op.inputs)
            steps.append(Step(op.type, inputs, op.attributes, tuple(key_of(t) for t in op.outputs)))
        return tuple(steps), constants

    def _fixes_batch(self, batch: int, steps: Sequence[Step], constants: dict[int, Any]) -> bool:
        """Whether a recorded shape or constant may hold only for batches of the recorded length."""
        for value in constants.values():
            if value.dtype.name != "resource" and (
                batch in tuple(value.shape) or batch in value.numpy().ravel()[:1000]
            ):
                return True
        own = ("T", "out_type", "dtype")
        named = {name for step in steps for name in step.attributes[::2]} & {"shape", "seed2"}
        shaped = [
            value
            for step in steps
            for name, value in zip(step.attributes[::2], step.attributes[1::2], strict=False)
            if name in named and name not in own
        ]
        if any(step.type in ACROSS_ROWS for step in steps):
            return True
        return any(str(batch) in str(value) for value in shaped) or any("__" in s.type for s in steps)

    def _forward(self, steps: Sequence[Step], entries: set[int]) -> tuple[tuple[str, int | None], ...]:
        on_way = set(entries)
        weight_of = dict(self.weights)
        named = []
        for step in steps:
            places = [weight_of[key] for key in step.inputs if key in weight_of]
            if step.type in PASSES_ON and places:
                weight_of.update(dict.fromkeys(step.outputs, places[0]))
            if step.type in LOOKS_AT_SHAPE or not any(key in on_way for key in step.inputs):
                continue
            on_way.update(step.outputs)
            inside = operations_inside(step, entry_keys=on_way, weight_of=weight_of | self.handles)
            if inside is not None:
                named += inside
            elif step.type not in BOOKKEEPING:
                named.append((step.type, places[0] if places else None))
        return tuple(named[:500])


def _is_value_of(tensor: Any, source: Any) -> bool:
    is_alike = tensor.shape == source.shape and tensor.dtype == source.dtype
    value = tensor.numpy() if is_alike else None
    return value is not None and bool((value == source.numpy()).all())


def _constant(tensor: Any) -> Any:
    """The value of a tensor from outside of the recording, as an eager tensor."""
    import tensorflow as tf

    origin = origin_of(tensor)
    if origin.dtype.name == "resource":
        if not hasattr(origin, "numpy"):
            raise CannotReplay("a variable out of reach")
        return getattr(origin, "held", origin)
    if not hasattr(origin, "numpy"):
        value = tf.get_static_value(origin)
        if value is None:
            raise CannotReplay("an input out of reach")
        with tf.init_scope():
            origin = tf.constant(value, dtype=origin.dtype)
    if origin.shape.num_elements() * origin.dtype.size > LARGEST_CONSTANT_BYTES:
        raise CannotReplay("a large constant input")
    return getattr(origin, "held", origin)
