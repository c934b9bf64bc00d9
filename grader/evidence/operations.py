"""TensorFlow's operations, as far as models of beginners use them, in NumPy; results of a bounded size."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Attributes: TypeAlias = Mapping[str, Any]
Operation: TypeAlias = Callable[[Sequence[Array], Attributes], Array]

MOST_NUMBERS = 20_000_000  # in one result
_MOST_PRODUCTS = 2_000_000_000  # in an einsum, which NumPy does slowly where it is no product of matrices
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805
_KINDS = {
    1: np.float32,
    2: np.float64,
    3: np.int32,
    4: np.uint8,
    6: np.int8,
    9: np.int64,
    10: np.bool_,
    19: np.float32,
}


class CannotComputeError(Exception):
    """Why a model's classes cannot be computed outside of its room, in a few words."""


def _bounded(*sizes: int) -> None:
    if math.prod(sizes) > MOST_NUMBERS:
        raise CannotComputeError("too large a result")


def _elementwise(function: Callable[..., Array]) -> Operation:
    def operation(inputs: Sequence[Array], attributes: Attributes) -> Array:
        _bounded(*np.broadcast_shapes(*(array.shape for array in inputs)))
        return np.asarray(function(*inputs))

    return operation


def _reduction(function: Callable[..., Array]) -> Operation:
    def operation(inputs: Sequence[Array], attributes: Attributes) -> Array:
        axes = tuple(int(axis) for axis in np.ravel(inputs[1]))
        return np.asarray(function(inputs[0], axis=axes, keepdims=bool(attributes.get("keep_dims"))))

    return operation


def _matmul(inputs: Sequence[Array], attributes: Attributes) -> Array:
    first, second = inputs
    if attributes.get("transpose_a") or attributes.get("adj_x"):
        first = first.swapaxes(-1, -2)
    if attributes.get("transpose_b") or attributes.get("adj_y"):
        second = second.swapaxes(-1, -2)
    sizes = (*np.broadcast_shapes(first.shape[:-2], second.shape[:-2]), first.shape[-2], second.shape[-1])
    _bounded(*sizes, max(1, -(-first.shape[-1] // 1000)))
    return np.asarray(first @ second)


def _einsum(inputs: Sequence[Array], attributes: Attributes) -> Array:
    equation = str(attributes["equation"]).replace(" ", "")
    terms, arrow, result = equation.partition("->")
    sizes: dict[str, int] = {}
    for term, array in zip(terms.split(","), inputs, strict=True):
        for letter, size in zip(term, array.shape, strict=True):
            sizes[letter] = max(size, sizes.get(letter, 0))
    if len(inputs) != 2 or len(sizes) > 4 or not arrow or "." in equation:
        raise CannotComputeError("the operation Einsum")
    _bounded(*(sizes[letter] for letter in result))
    if math.prod(sizes.values()) > _MOST_PRODUCTS:
        raise CannotComputeError("too large a result")
    return np.asarray(np.einsum(equation, *inputs, optimize=True))


def _softmax(inputs: Sequence[Array], attributes: Attributes) -> Array:
    shifted = np.exp(inputs[0] - inputs[0].max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def _log_softmax(inputs: Sequence[Array], attributes: Attributes) -> Array:
    shifted = inputs[0] - inputs[0].max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _cast(inputs: Sequence[Array], attributes: Attributes) -> Array:
    kind = _KINDS.get(attributes.get("DstT", 0))
    if kind is None:
        raise CannotComputeError("an unusual type of numbers")
    return inputs[0].astype(kind)


def _reshape(inputs: Sequence[Array], attributes: Attributes) -> Array:
    return inputs[0].reshape(tuple(int(size) for size in np.ravel(inputs[1])))


def _strided_slice(inputs: Sequence[Array], attributes: Attributes) -> Array:
    masks = {
        name: int(attributes.get(name, 0))
        for name in ("begin_mask", "end_mask", "shrink_axis_mask", "new_axis_mask", "ellipsis_mask")
    }
    if masks["ellipsis_mask"] or masks["new_axis_mask"]:
        raise CannotComputeError("an unusual slice")
    places: list[int | slice] = []
    for at, (begin, end, step) in enumerate(zip(*(np.ravel(i).tolist() for i in inputs[1:4]), strict=True)):
        if masks["shrink_axis_mask"] >> at & 1:
            places.append(int(begin))
        else:
            first = None if masks["begin_mask"] >> at & 1 else begin
            places.append(slice(first, None if masks["end_mask"] >> at & 1 else end, step))
    return np.asarray(inputs[0][tuple(places)])


def _slice(inputs: Sequence[Array], attributes: Attributes) -> Array:
    begins, sizes = (np.ravel(which).tolist() for which in inputs[1:3])
    places = (slice(b, None if size < 0 else b + size) for b, size in zip(begins, sizes, strict=True))
    return np.asarray(inputs[0][tuple(places)])


def _fill(inputs: Sequence[Array], attributes: Attributes) -> Array:
    shape = [int(size) for size in np.ravel(inputs[0])]
    _bounded(*shape)
    return np.full(shape, inputs[1])


def _tile(inputs: Sequence[Array], attributes: Attributes) -> Array:
    times = [int(count) for count in np.ravel(inputs[1])]
    _bounded(inputs[0].size, *times)
    return np.tile(inputs[0], times)


def _range(inputs: Sequence[Array], attributes: Attributes) -> Array:
    start, end, step = (float(value) for value in inputs)
    _bounded(math.ceil(abs((end - start) / step)))
    return np.arange(start, end, step).astype(np.result_type(*inputs))


def _concat(inputs: Sequence[Array], attributes: Attributes) -> Array:
    _bounded(sum(array.size for array in inputs[:-1]))
    return np.concatenate(inputs[:-1], axis=int(inputs[-1]))


def _pack(inputs: Sequence[Array], attributes: Attributes) -> Array:
    _bounded(sum(array.size for array in inputs))
    return np.stack(inputs, axis=int(attributes.get("axis", 0)))


def _squeeze(inputs: Sequence[Array], attributes: Attributes) -> Array:
    axes = tuple(attributes.get("squeeze_dims") or ())
    return np.squeeze(inputs[0], axis=axes or None)


def _gather(inputs: Sequence[Array], attributes: Attributes) -> Array:
    _bounded(inputs[0].size, inputs[1].size)
    return np.take(inputs[0], inputs[1].astype(np.int64), axis=int(inputs[2]) if len(inputs) > 2 else 0)


def _leaky_relu(inputs: Sequence[Array], attributes: Attributes) -> Array:
    return np.where(inputs[0] > 0, inputs[0], inputs[0] * float(attributes.get("alpha", 0.2)))


def _elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _selu(x: Array) -> Array:
    return _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * np.expm1(np.minimum(x, 0)))


def _erf(x: Array) -> Array:
    """Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: within 1.5e-7."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.asarray(np.sign(x) * (1 - poly * np.exp(-x * x)))


def _first(inputs: Sequence[Array], attributes: Attributes) -> Array:
    return inputs[0]


OPERATIONS: Mapping[str, Operation] = {
    **dict.fromkeys(("MatMul", "BatchMatMul", "BatchMatMulV2"), _matmul),
    **dict.fromkeys(
        ("Identity", "IdentityN", "StopGradient", "PreventGradient", "ReadVariableOp", "CheckNumerics"),
        _first,
    ),
    **{name: _elementwise(np.add) for name in ("Add", "AddV2", "BiasAdd")},
    **{name: _elementwise(np.true_divide) for name in ("RealDiv", "Div", "DivNoNan")},
    **{name: _elementwise(np.where) for name in ("Select", "SelectV2")},
    "Sub": _elementwise(np.subtract),
    "Mul": _elementwise(np.multiply),
    "Maximum": _elementwise(np.maximum),
    "Minimum": _elementwise(np.minimum),
    "Pow": _elementwise(np.power),
    "SquaredDifference": _elementwise(lambda a, b: np.square(a - b)),
    "Greater": _elementwise(np.greater),
    "GreaterEqual": _elementwise(np.greater_equal),
    "Less": _elementwise(np.less),
    "LessEqual": _elementwise(np.less_equal),
    "Neg": _elementwise(np.negative),
    "Abs": _elementwise(np.abs),
    "Exp": _elementwise(np.exp),
    "Expm1": _elementwise(np.expm1),
    "Log": _elementwise(np.log),
    "Log1p": _elementwise(np.log1p),
    "Square": _elementwise(np.square),
    "Sqrt": _elementwise(np.sqrt),
    "Rsqrt": _elementwise(lambda x: 1 / np.sqrt(x)),
    "Reciprocal": _elementwise(np.reciprocal),
    "Sign": _elementwise(np.sign),
    "Sin": _elementwise(np.sin),
    "Cos": _elementwise(np.cos),
    "Tanh": _elementwise(np.tanh),
    "Erf": _elementwise(_erf),
    "Erfc": _elementwise(lambda x: 1 - _erf(x)),
    "Sigmoid": _elementwise(lambda x: 1 / (1 + np.exp(-x))),
    "Relu": _elementwise(lambda x: np.maximum(x, 0)),
    "Relu6": _elementwise(lambda x: np.clip(x, 0, 6)),
    "Elu": _elementwise(_elu),
    "Selu": _elementwise(_selu),
    "Softplus": _elementwise(lambda x: np.logaddexp(x, 0)),
    "Softsign": _elementwise(lambda x: x / (1 + np.abs(x))),
    "ClipByValue": _elementwise(np.clip),
    "ZerosLike": _elementwise(np.zeros_like),
    "OnesLike": _elementwise(np.ones_like),
    "LeakyRelu": _leaky_relu,
    "Softmax": _softmax,
    "LogSoftmax": _log_softmax,
    "AddN": lambda inputs, attributes: np.sum(_pack(inputs, {}), axis=0),
    "Sum": _reduction(np.sum),
    "Mean": _reduction(np.mean),
    "Max": _reduction(np.max),
    "Min": _reduction(np.min),
    "Prod": _reduction(np.prod),
    "Einsum": _einsum,
    "Cast": _cast,
    "Reshape": _reshape,
    "Transpose": lambda inputs, attributes: inputs[0].transpose(np.ravel(inputs[1]).tolist()),
    "ExpandDims": lambda inputs, attributes: np.expand_dims(inputs[0], int(inputs[1])),
    "Squeeze": _squeeze,
    "Shape": lambda inputs, attributes: np.array(inputs[0].shape, dtype=np.int64),
    "Size": lambda inputs, attributes: np.array(inputs[0].size),
    "Rank": lambda inputs, attributes: np.array(inputs[0].ndim),
    "Slice": _slice,
    "StridedSlice": _strided_slice,
    "Pack": _pack,
    "ConcatV2": _concat,
    "GatherV2": _gather,
    "Fill": _fill,
    "Tile": _tile,
    "Range": _range,
}
"""By TensorFlow's name: inputs and attributes to the one output. Only those that give one are here."""
