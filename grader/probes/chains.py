"""A tf.data pipeline as data: its sources and operations, read off the data set object."""

from __future__ import annotations

import re
from typing import Any

MOST_NODES = 60
GIVEN_SEED = "_recorded_seed"  # TensorFlow makes one up when `shuffle` is given none
_MOST_TEXT = 80
_SAME_AS = {
    "tensor_slice": "from_tensor_slices",
    "tensor": "from_tensors",
    "sparse_tensor_slice": "from_tensor_slices",
    "options": "with_options",
    "dense_to_ragged": "ragged_batch",
    "file_cache": "cache",
    "memory_cache": "cache",
}
_ARGUMENTS = (
    *("buffer_size", "batch_size", "drop_remainder", "count", "seed", "reshuffle_each_iteration"),
    *("num_parallel_calls", "deterministic", "size", "shift", "stride", "cycle_length", "block_length"),
    *("padded_shapes", "num_shards", "index", "start", "stop", "step", "filename", "filenames"),
)
_FUNCTIONS = ("map_func", "predicate", "scan_func", "key_func", "reduce_func")
_FROM_GENERATOR = "from_generator_op.py"


def chain_of(dataset: Any) -> list[dict[str, Any]]:
    """The nodes that lead to a data set, sources first: `op`, `arguments`, `tensors`, places of `inputs`.

    Operations have the names of the methods that add them (`shuffle`, `from_tensor_slices`).
    """
    nodes: list[dict[str, Any]] = []
    places: dict[int, int] = {}

    def add(found: Any) -> int | None:
        if id(found) in places:
            return places[id(found)]
        is_generator = _is_generator(found)
        inputs = [] if is_generator else [add(parent) for parent in found._inputs()]
        if len(nodes) >= MOST_NODES:
            return None
        node = {
            "op": "from_generator" if is_generator else _name_of(found),
            "arguments": _arguments_of(found),
            "tensors": _tensors_of(found),
            "inputs": [place for place in inputs if place is not None],
        }
        nodes.append(node)
        places[id(found)] = len(nodes) - 1
        return len(nodes) - 1

    add(dataset)
    return nodes


def spec_of(dataset: Any) -> list[dict[str, Any]]:
    """Dtype and shape of each component of the data set's elements; None stands for what is open."""
    import tensorflow as tf

    return [_described(spec) for spec in tf.nest.flatten(dataset.element_spec)[:10]]


def _described(spec: Any) -> dict[str, Any]:
    shape, dtype = getattr(spec, "shape", None), getattr(spec, "dtype", None)
    is_known = shape is not None and shape.rank is not None
    return {
        "dtype": dtype.name if dtype is not None else type(spec).__name__,
        "shape": list(shape) if is_known and shape is not None else None,
    }


def _name_of(dataset: Any) -> str:
    name = type(dataset).__name__.strip("_").removesuffix("V2").removesuffix("Dataset")
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().removeprefix("parallel_")
    return _SAME_AS.get(snake, snake)[:_MOST_TEXT] or "dataset"


def _is_generator(dataset: Any) -> bool:
    """`from_generator` hides behind a flat map over one element."""
    function = getattr(getattr(dataset, "_map_func", None), "_func", None)
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename.endswith(_FROM_GENERATOR)


def _arguments_of(dataset: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name in _ARGUMENTS:
        value = getattr(dataset, f"_{name}", None)
        if value is not None:
            arguments[name] = _plain(value)
    if hasattr(dataset, GIVEN_SEED):
        arguments["seed"] = _plain(getattr(dataset, GIVEN_SEED))
    for name in _FUNCTIONS:
        function = getattr(getattr(dataset, f"_{name}", None), "_func", None)
        if function is not None:
            arguments["function"] = str(getattr(function, "__name__", type(function).__name__))[:_MOST_TEXT]
    return arguments


def _tensors_of(dataset: Any) -> list[dict[str, Any]]:
    """What a source is made of."""
    tensors = getattr(dataset, "_tensors", None)
    return [_described(tensor) for tensor in tensors[:10]] if isinstance(tensors, list) else []


def _plain(value: Any) -> Any:
    """A number, truth value or short text; None for what is not known before it runs."""
    if hasattr(value, "numpy"):
        value = value.numpy()
    elif hasattr(value, "graph"):
        return None
    if getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)[:_MOST_TEXT]
