"""The graph of a Keras model: convolutions, pooling, concatenations and what feeds what.

Read from what the recorder told of a model: its layers where they tell all, otherwise the operations that
were traced. It is data from the room: references may lead nowhere, and nothing here raises on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from grader.evidence.around import Layer, ObservedModel, Shape, TracedOperation


class NodeKind(StrEnum):
    """What a node does to the features that go through it."""

    INPUT = "input"
    CONVOLUTION = "convolution"
    POOLING = "pooling"
    DENSE = "dense layer"
    CONCATENATION = "concatenation"
    ADDITION = "addition"
    KEEPS = "keeps"  # normalisation, activation, dropout, bias, or a part of these: the same features
    OTHER = "other"


class Node(NamedTuple):
    """One step of a model. `inputs` are places of earlier nodes; `shape` is without the batch.

    `filters` and `kernel` of a convolution are None where they were not told; `is_global` is for pooling over
    the whole image.
    """

    kind: NodeKind
    name: str
    inputs: tuple[int, ...]
    shape: Shape | None = None
    filters: int | None = None
    kernel: tuple[int, ...] | None = None
    is_global: bool = False


class Graph(NamedTuple):
    """The nodes of a model, each after all that feed it. `is_whole`: what feeds what is known of all."""

    nodes: tuple[Node, ...]
    is_whole: bool

    def places(self, *kinds: NodeKind) -> tuple[int, ...]:
        """The places of the nodes of these kinds, in order."""
        return tuple(place for place, node in enumerate(self.nodes) if node.kind in kinds)

    def count(self, *kinds: NodeKind) -> int:
        """How many nodes of these kinds there are."""
        return len(self.places(*kinds))


_OF_LAYERS: Mapping[str, NodeKind] = {
    "InputLayer": NodeKind.INPUT,
    "Dense": NodeKind.DENSE,
    "Concatenate": NodeKind.CONCATENATION,
    **dict.fromkeys(("Add", "Average"), NodeKind.ADDITION),
    **dict.fromkeys(
        (
            *("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Dropout", "SpatialDropout2D"),
            *("BatchNormalization", "LayerNormalization", "GroupNormalization", "UnitNormalization"),
            *("GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization", "Identity"),
            *("Relu", "Relu6", "Elu", "Selu", "Gelu", "Silu", "Sigmoid", "Tanh", "Softplus", "LeakyRelu"),
            *("Rescaling", "Cast", "HardSwish", "Swish", "ZeroPadding2D", "Cropping2D", "Mul", "Multiply"),
            *("RMSNormalization", "HardSilu", "HardSigmoid", "HardTanh", "Mish", "Celu", "Softsign"),
            *("LogSigmoid", "LogSoftmax", "SiLU", "Pad", "Negative", "Square", "Sqrt", "Abs", "Absolute"),
            *(
                "Divide",
                "TrueDivide",
                "Subtract",
                "Maximum",
                "Minimum",
                "Clip",
                "Power",
                "Exp",
                "Expm1",
                "Log",
            ),
            *("Log1p", "Sign", "Rsqrt", "Reciprocal", "Erf", "Threshold", "ThresholdedReLU", "Squareplus"),
            *("SoftShrink", "HardShrink", "TanhShrink", "SparsePlus", "StopGradient"),
        ),
        NodeKind.KEEPS,
    ),
}
_OF_OPERATIONS: Mapping[str, NodeKind] = {
    "Input": NodeKind.INPUT,
    "ConcatV2": NodeKind.CONCATENATION,
    **dict.fromkeys(
        ("Conv2D", "Conv3D", "DepthwiseConv2dNative", "Conv2DBackpropInput"), NodeKind.CONVOLUTION
    ),
    **dict.fromkeys(("MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D", "MaxPoolV2"), NodeKind.POOLING),
    **dict.fromkeys(("MatMul", "BatchMatMulV2"), NodeKind.DENSE),
    **dict.fromkeys(
        (
            *("BiasAdd", "Relu", "Relu6", "Elu", "Selu", "LeakyRelu", "Sigmoid", "Tanh", "Softplus", "Mul"),
            *("Softmax", "FusedBatchNormV3", "Sub", "RealDiv", "Cast", "Pad", "PadV2", "Erf", "Maximum"),
            *("Minimum", "SelectV2", "StopGradient", "IdentityN", "MirrorPad", "CheckNumerics"),
            *("Neg", "Abs", "Sign", "Square", "SquaredDifference", "Sqrt", "Rsqrt", "Reciprocal", "Pow"),
            *("Exp", "Expm1", "Log", "Log1p", "Erfc", "ClipByValue", "Softsign", "LogSoftmax"),
            *("PreventGradient", "Mean", "Sum", "Max", "Reshape", "Transpose", "Greater", "GreaterEqual"),
            *("Less", "LessEqual", "Squeeze", "ExpandDims", "SpaceToBatchND", "BatchToSpaceND"),
        ),
        NodeKind.KEEPS,
    ),
}
_REDUCTIONS = frozenset({"Mean", "Max", "Sum"})
_CALLS = frozenset(  # of functions: what they do is not told
    {"PartitionedCall", "StatefulPartitionedCall", "If", "StatelessIf", "Case", "While", "StatelessWhile"}
)
_SUMS = frozenset({"AddV2", "Add", "AddN"})


def graph_of(model: ObservedModel) -> Graph:
    """The graph of a model that was observed; channels come last in its shapes, also where they do not."""
    if model.is_whole or not model.operations:
        nodes = tuple(_of_layer(layer, model.layers) for layer in model.layers)
        is_whole = model.is_whole
    else:
        nodes = tuple(_of_operation(op, model.operations) for op in model.operations)
        is_whole = not any(op.op in _CALLS for op in model.operations)
    if any(layer.config.get("data_format") == "channels_first" for layer in model.layers):
        nodes = tuple(_channels_last(node) for node in nodes)
    return Graph(_in_order(nodes), is_whole)


def _channels_last(node: Node) -> Node:
    """The same node, its channels told last and not first."""
    if node.shape is None or len(node.shape) < 3:
        return node
    return node._replace(shape=(*node.shape[1:], node.shape[0]))


def _in_order(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """The nodes with references to earlier ones only."""
    return tuple(
        node._replace(inputs=tuple(source for source in node.inputs if source < place))
        for place, node in enumerate(nodes)
    )


def _adds_up_channels(layer: Layer, others: tuple[Layer, ...]) -> bool:
    """Whether images go in and come out with as many channels as they have together."""
    shapes = [others[place].shape for place in layer.inputs if place < len(others)]
    if len(shapes) < 2 or layer.shape is None or len(layer.shape) < 2:
        return False
    channels = sum((shape or (0,))[-1] or 0 for shape in shapes)
    return channels == layer.shape[-1] and all((shape or ())[:-1] == layer.shape[:-1] for shape in shapes)


def _of_layer(layer: Layer, others: tuple[Layer, ...]) -> Node:
    kind = _OF_LAYERS.get(layer.kind, NodeKind.OTHER)
    if "Conv" in layer.kind and "LSTM" not in layer.kind:
        kind = NodeKind.CONVOLUTION
    elif "Pool" in layer.kind:
        kind = NodeKind.POOLING
    elif kind is NodeKind.ADDITION and len(layer.inputs) < 2:
        kind = NodeKind.KEEPS
    elif kind is NodeKind.OTHER and _adds_up_channels(layer, others):
        kind = NodeKind.CONCATENATION  # in a Lambda, say
    filters = layer.config.get("filters")
    return Node(
        kind,
        layer.name or layer.kind,
        layer.inputs,
        layer.shape,
        filters if isinstance(filters, int) else None,
        _whole_numbers(layer.config.get("kernel_size")),
        is_global="Global" in layer.kind,
    )


def _of_operation(operation: TracedOperation, others: tuple[TracedOperation, ...]) -> Node:
    sources = [others[place] for place in operation.inputs if place < len(others)]
    shape = None if operation.shape is None else operation.shape[1:]
    kind = _OF_OPERATIONS.get(operation.op, NodeKind.OTHER)
    is_global = False
    if operation.op in _SUMS:
        is_of_equals = len(sources) > 1 and len({source.shape for source in sources}) == 1
        kind = NodeKind.ADDITION if is_of_equals else NodeKind.KEEPS
    elif operation.op in _REDUCTIONS and sources and len(sources[0].shape or ()) == 4:
        is_global = shape is not None and (len(shape) == 1 or (len(shape) == 3 and shape[:2] == (1, 1)))
        kind = NodeKind.POOLING if is_global else NodeKind.KEEPS
    is_convolution = kind is NodeKind.CONVOLUTION
    filters = shape[-1] if is_convolution and shape else None
    kernel = operation.kernel if is_convolution else None
    return Node(kind, _layer_name(operation), operation.inputs, shape, filters, kernel, is_global)


def _layer_name(operation: TracedOperation) -> str:
    """`conv2d_1` of `net/block/conv2d_1/convolution`."""
    parts = operation.name.split("/")
    return parts[-2] if len(parts) > 1 else parts[0]


def _whole_numbers(value: object) -> tuple[int, ...] | None:
    if isinstance(value, int):
        return (value, value)
    if isinstance(value, tuple) and all(isinstance(part, int) for part in value):
        return value
    return None
