"""Keras models as data: their layers with what configures them, and which feeds which."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import Any

MOST_NODES = 600
_MOST_TEXT = 80
_DEEPEST = 12
_CONFIG = (
    *("filters", "kernel_size", "strides", "padding", "dilation_rate", "groups", "depth_multiplier"),
    *("pool_size", "units", "rate", "axis", "momentum", "use_bias", "target_shape", "size", "scale"),
    *("offset", "factor", "mode", "input_dim", "output_dim", "mask_zero", "return_sequences"),
    *("return_state", "merge_mode", "num_heads", "key_dim", "stddev", "negative_slope", "alpha"),
    *("interpolation", "data_format", "trainable"),
)
_WITH_CODE = frozenset({"Lambda", "TFOpLambda", "SlicingOpLambda"})  # what they do only running them tells
_USUAL: dict[str, tuple[Any, ...]] = {  # what is left out
    "trainable": (True,),
    "use_bias": (True,),
    "data_format": ("channels_last",),
    "groups": (1,),
    "dilation_rate": (1, [1], [1, 1], [1, 1, 1]),
    "depth_multiplier": (1,),
}


def kind_of(model: Any) -> str:
    """How a model was made: "sequential", "functional" or "subclassed"."""
    names = [base.__name__ for base in type(model).__mro__]
    if "Sequential" in names:
        return "sequential"
    return "functional" if "Functional" in names else "subclassed"


def nodes_of(model: Any) -> tuple[list[dict[str, Any]], bool]:
    """The layers of a model, and whether that is the whole of it: `inputs` are places in the list.

    Nested models are taken apart. Not the whole: a subclass, whose `call` only running it can tell, layers
    that are no library's or run a function of the notebook's, or more than `MOST_NODES`.
    """
    graph = _Graph()
    graph.add_model(model, None, 0)
    return graph.nodes, graph.is_whole


def joins_inside(model: Any) -> int:
    """How many calls in functional models inside of a model take more than one input."""
    functional = [part for part in model._flatten_layers(include_self=False) if kind_of(part) == "functional"]
    levels = [level for part in functional for level in getattr(part, "_nodes_by_depth", {}).values()]
    return sum(len(node.parent_nodes) > 1 for level in levels for node in level)


def parameters_of(model: Any) -> tuple[int, int]:
    """How many numbers its variables hold, and how many of them can be trained."""
    return _size(model.variables), _size(model.trainable_variables)


class _Graph:
    """The nodes found so far."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.is_whole = True

    def add_model(self, model: Any, inputs: Sequence[list[int]] | None, depth: int) -> list[int]:
        """Add what is inside a model that is fed by nodes, one list per input; the places of its outputs.

        `inputs` None is for a model of its own: its input layers become nodes.
        """
        functional = getattr(model, "_functional", None) or model
        by_depth = getattr(functional, "_nodes_by_depth", None)
        if depth > _DEEPEST or not by_depth:
            return self._add_list(model, inputs)
        places: dict[int, list[int]] = {}
        given = list(inputs or ())
        ordered = [node for level in sorted(by_depth, reverse=True) for node in by_depth[level]]
        for node in ordered:
            operation = _operation(node)
            if type(operation).__name__ == "InputLayer":
                is_fed = bool(given)
                places[id(node)] = given.pop(0) if is_fed else [self._add(operation, [], _shape_of(node))]
                continue
            parents = [places.get(id(parent), []) for parent in node.parent_nodes]
            places[id(node)] = self._add_operation(operation, parents, _shape_of(node), depth)
        outputs = {id(node) for node in ordered} - {id(p) for node in ordered for p in node.parent_nodes}
        return [place for node in ordered if id(node) in outputs for place in places[id(node)]]

    def _add_operation(
        self, operation: Any, parents: Sequence[list[int]], shape: list[int | None] | None, depth: int
    ) -> list[int]:
        if hasattr(operation, "_nodes_by_depth") or getattr(operation, "_functional", None) is not None:
            return self.add_model(operation, parents, depth + 1)
        return [self._add(operation, [place for fed in parents for place in fed], shape)]

    def _add_list(self, model: Any, inputs: Sequence[list[int]] | None) -> list[int]:
        """The layers of a model whose `call` decides how they are connected."""
        self.is_whole = False
        if inputs is not None:
            return [self._add(model, [place for fed in inputs for place in fed], None)]
        for layer in getattr(model, "layers", ()):
            self._add(layer, [], None)
        return []

    def _add(self, operation: Any, inputs: list[int], shape: list[int | None] | None) -> int:
        if len(self.nodes) >= MOST_NODES:
            self.is_whole = False
            return len(self.nodes) - 1
        module = type(operation).__module__.split(".")[0]
        is_told = module in ("keras", "tf_keras") and type(operation).__name__ not in _WITH_CODE
        self.is_whole = self.is_whole and is_told
        self.nodes.append(
            {
                "kind": type(operation).__name__[:_MOST_TEXT],
                "name": str(getattr(operation, "name", ""))[:_MOST_TEXT],
                "is_own": module not in ("keras", "tf_keras"),
                "config": _config_of(operation),
                "shape": shape,
                "parameters": _size(getattr(operation, "variables", ())),
                "inputs": sorted(set(inputs)),
            }
        )
        return len(self.nodes) - 1


def _operation(node: Any) -> Any:
    """The layer or operation that a node of Keras's graph is a call of."""
    return getattr(node, "operation", None) or node.layer


def _shape_of(node: Any) -> list[int | None] | None:
    """The shape of the first output, without the batch."""
    outputs = getattr(node, "outputs", None)  # a tensor alone in legacy Keras
    first = outputs[0] if isinstance(outputs, (list, tuple)) and outputs else outputs
    shape = getattr(first, "shape", None)
    return None if shape is None else [None if dim is None else int(dim) for dim in list(shape)[1:]]


def _config_of(operation: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in _CONFIG:
        value = _plain(getattr(operation, name, None))
        if value is not None and value not in _USUAL.get(name, ()):
            found[name] = value
    for name in ("kernel_regularizer", "kernel_initializer"):
        described = _with_numbers(getattr(operation, name, None))
        if described and described != "GlorotUniform":
            found[name] = described
    activation = getattr(operation, "activation", None)
    if activation is not None:
        found["activation"] = str(getattr(activation, "__name__", type(activation).__name__))[:_MOST_TEXT]
    return found


def _with_numbers(value: Any) -> str:
    """`L2 0.01`: the class of a regulariser or an initialiser with its fractions; "" of None."""
    if value is None:
        return ""
    with contextlib.suppress(Exception):  # one of the notebook's own may not tell
        fractions = [number for number in value.get_config().values() if isinstance(number, float)]
        return " ".join([type(value).__name__, *(f"{number:g}" for number in fractions)])[:_MOST_TEXT]
    return str(getattr(value, "__name__", type(value).__name__))[:_MOST_TEXT]


def _plain(value: Any) -> Any:
    """Numbers, truth values, short texts and short lists of such, flat; None for all else."""
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return value[:_MOST_TEXT]
    if isinstance(value, (list, tuple)) and len(value) <= 8:
        parts = [_plain(part) for part in value]
        flat = [one for part in parts for one in (part if isinstance(part, list) else [part])]
        return None if None in flat else flat
    return None


def _size(variables: Any) -> int:
    return sum(math.prod(int(dim) for dim in variable.shape) for variable in variables)
