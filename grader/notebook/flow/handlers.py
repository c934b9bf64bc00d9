"""Library calls that need a handling of their own: variables, made-up numbers, gradients, and others."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable
from dataclasses import replace

from grader.notebook.facts import Level, Start, StepKind
from grader.notebook.flow import tables
from grader.notebook.flow.chains import new_chain
from grader.notebook.flow.layers import described, initial, shape_of
from grader.notebook.flow.loading import split_apart
from grader.notebook.flow.merging import as_data, merge, text_of
from grader.notebook.flow.state import State
from grader.notebook.flow.tensors import binary, compare, product
from grader.notebook.flow.trainings import gradient
from grader.notebook.flow.values import (
    NUMBER,
    UNKNOWN,
    Bound,
    Const,
    Data,
    Function,
    Items,
    Library,
    Stream,
    Table,
    Thing,
    Value,
    Variable,
)

Handler = Callable[[State, str, list[Value], dict[str, Value]], Value]

MAKERS = {
    "zeros", "ones", "fill", "full", "eye", "empty", "zeros_like", "ones_like", "randn", "rand",
    "random", "normal", "uniform", "truncated_normal", "random_normal", "random_uniform",
    "standard_normal", "random_sample", "stateless_normal", "stateless_uniform",
    "stateless_truncated_normal", "full_like", "random_integers", "randint", "linspace", "arange",
    "range", "logspace", "geomspace", "binomial", "identity", "empty_like", "laplace", "exponential",
    "poisson", "gamma", "beta", "ranf", "sample", "lognormal", "logistic", "triangular",
}  # fmt: skip
_SHAPE_LAST = {"uniform", "normal", "laplace", "lognormal", "logistic", "gamma", "beta", "binomial", "choice"}
_SAME = {
    "tqdm.tqdm", "tqdm.notebook.tqdm", "tqdm.auto.tqdm", "tqdm.tqdm_notebook", "copy.copy", "copy.deepcopy",
    "tensorflow_datasets.as_numpy", "tf.function", "tf.identity", "tf.stop_gradient", "functools.wraps",
    "tf.recompute_grad", "tqdm.autonotebook.tqdm", "tf.autograph.experimental.do_not_convert", "iter",
    "tf.print", "tf.device", "tf.compat.v1.disable_v2_behavior", "tf.convert_to_tensor", "tqdm.trange",
}  # fmt: skip


def made(name: str, args: list[Value], kwargs: dict[str, Value]) -> Data:
    """Numbers made from nothing: zeros, ones, random numbers, with the shape asked for."""
    last = tables.last_of(name)
    start = tables.start_of(name) or Start.UNKNOWN
    shape: Value | None = kwargs.get("shape", kwargs.get("size"))
    others = list(args)
    if shape is None and last in _SHAPE_LAST and name.startswith("np.random") and len(args) > 2:
        shape = others.pop(2)
    elif shape is None and last in ("randn", "rand") and args:
        shape, others = (args[0] if isinstance(args[0], Items) else Items(list(args))), []
    elif shape is None and args:
        shape = others.pop(0)
    rest = {k: v for k, v in kwargs.items() if k not in ("shape", "size", "seed", "dtype")}
    if start is Start.CONSTANT and last in ("fill", "full"):
        value = as_data(others[0] if others else rest.get("value", rest.get("fill_value", UNKNOWN)))
        start = value.start if value.start is not None else Start.CONSTANT
    return Data(
        start=start,
        how=described(name, others, rest),
        shape=shape_of(shape),
        level=tables.level_of(name),
        is_known=True,
    )


def call_given_functions(state: State, args: list[Value], kwargs: dict[str, Value]) -> None:
    """Call the notebook's own functions that a library is given, so that what they do is seen.

    How often the library calls them is not known.
    """
    state.rough_depth += 1
    for value in (*args, *kwargs.values()):
        if isinstance(value, (Function, Bound)):
            state.call(value, [], {})
    state.rough_depth -= 1


def strange(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """A call of something that is not known: whatever it is given may have gone through anything."""
    state.unclear(f"`{name}` is not known here")
    call_given_functions(state, args, kwargs)
    merged = merge([as_data(arg) for arg in (*args, *kwargs.values())])
    if merged.chain is not None:
        merged = state.step(merged, StepKind.OTHER, name, is_complete=False)
    return replace(merged, is_known=False)


def _generator(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    return Thing(f"{name.split('.random.')[0]}.random.Generator", args, kwargs)


def two(args: list[Value], kwargs: dict[str, Value]) -> tuple[Value, Value]:
    """The first two arguments, however they are given."""
    given = [*args, *kwargs.values(), UNKNOWN, UNKNOWN]
    return given[0], given[1]


def _variable(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    value: Value = args[0] if args else kwargs.get("initial_value", kwargs.get("data", UNKNOWN))
    if isinstance(value, (Function, Bound)):
        value = state.call(value, [], {})
    if name.endswith("get_variable"):
        shape = args[1] if len(args) > 1 else kwargs.get("shape")
        initializer = kwargs.get("initializer", args[3] if len(args) > 3 else None)
        made = initial(initializer, shape) if initializer is not None else _default(shape)
        return Variable(state.new_weight(made, how="", level=Level.TENSORFLOW))
    data = as_data(value)
    if data.origins or data.chain is not None:
        return data
    if isinstance(value, Const) and data.shape is None:
        data = replace(data, shape=())
    level = Level.TORCH if name.startswith("torch.") else Level.TENSORFLOW
    return Variable(state.new_weight(data, how="", level=level))


def _default(shape: Value | None) -> Data:
    return Data(start=Start.DEFAULT, how="default", shape=shape_of(shape))


def _gradients(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    loss: Value = args[0] if args else kwargs.get("ys", UNKNOWN)
    sources: Value = args[1] if len(args) > 1 else kwargs.get("xs", UNKNOWN)
    return gradient(state, loss, sources)


def _input(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    return Data(chain=new_chain(is_complete=True))


def _same(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    if name == "tqdm.trange":
        return Stream(NUMBER)
    return args[0] if args else next(iter(kwargs.values()), Library("builtins.identity"))


def _partial(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    return Bound(args[0], args[1:], kwargs) if args else UNKNOWN


def _every_combination(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    lists = [arg.items for arg in args if isinstance(arg, Items) and not arg.is_open]
    size = 1
    for items in lists:
        size *= max(1, len(items))
    if len(lists) != len(args) or size > 64:
        return Stream(Items([as_data(arg) for arg in args], is_tuple=True))
    return Items([Items(list(combination), is_tuple=True) for combination in itertools.product(*lists)])


def _split(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    return split_apart(args)


def _shuffled(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    return (
        Items([as_data(arg) for arg in args], is_tuple=True)
        if len(args) > 1
        else _same(state, name, args, {})
    )


def _compared(op: ast.cmpop) -> Handler:
    def handle(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
        return compare(state, op, *two(args, kwargs))

    return handle


def _computed(op: ast.operator) -> Handler:
    def handle(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
        return binary(state, op, *two(args, kwargs))

    return handle


def _maximum_of(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`np.where` / `tf.where`: places where a condition holds, or one of two values for each place."""
    given = [as_data(arg) for arg in (*args, *kwargs.values())]
    merged = merge(given)
    if len(given) == 1:
        return Items([replace(merged, chain=None)], is_tuple=True) if name == "np.where" else merged
    return merged if merged.chain is None else state.step(merged, StepKind.ACTIVATION, name)


def _mirrored(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`tf.nest.map_structure(f, x)`, `tf.keras.layers.deserialize` and the like: not followed."""
    return strange(state, name, args, kwargs)


def _activation_by_name(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    text = text_of(args[0]) if args else None
    return Library(f"tf.keras.activations.{text}") if text else (args[0] if args else UNKNOWN)


def _initializer_by_name(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    text = text_of(args[0]) if args else None
    return Thing(f"tf.keras.initializers.{text}", [], {}) if text else (args[0] if args else UNKNOWN)


def _named_tuple(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    return Library("builtins.record")


def _table(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    return Table({}, is_open=True)


def _dot_method(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    left, right = two(args, kwargs)
    return product(state, left, right, name, Level.UNKNOWN)


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("tf.Variable", "tf.get_variable",
                     "torch.nn.Parameter", "tf.keras.Variable", "tf.experimental.numpy.Variable"), _variable),
    **dict.fromkeys(("tf.gradients", "torch.autograd.grad"), _gradients),
    **dict.fromkeys(("tf.keras.Input", "tf.keras.layers.Input", "tf.placeholder",
                     "tf.keras.backend.placeholder"), _input),
    **dict.fromkeys(_SAME, _same),
    "functools.partial": _partial,
    **dict.fromkeys(("np.random.default_rng", "np.random.RandomState", "np.random.Generator",
                     "tf.random.get_global_generator", "tf.random.Generator.from_seed",
                     "tf.random.Generator.from_non_deterministic_state"), _generator),
    "itertools.product": _every_combination,
    "sklearn.model_selection.train_test_split": _split,
    "sklearn.utils.shuffle": _shuffled,
    **dict.fromkeys(("tf.where", "np.where", "torch.where"), _maximum_of),
    **dict.fromkeys(("tf.multiply", "tf.math.multiply", "np.multiply", "torch.mul", "operator.mul"),
                    _computed(ast.Mult())),
    **dict.fromkeys(("tf.add", "tf.math.add", "np.add", "operator.add"), _computed(ast.Add())),
    **dict.fromkeys(("tf.subtract", "tf.math.subtract", "np.subtract"), _computed(ast.Sub())),
    "operator.matmul": _dot_method,
    "operator.eq": _compared(ast.Eq()),
    "tf.nest.map_structure": _mirrored,
    **dict.fromkeys(("tf.keras.activations.get", "tf.keras.activations.deserialize"), _activation_by_name),
    **dict.fromkeys(("tf.keras.initializers.get", "tf.initializers.get"), _initializer_by_name),
    "collections.namedtuple": _named_tuple,
    **dict.fromkeys(("collections.defaultdict", "collections.OrderedDict", "collections.Counter"), _table),
}  # fmt: skip
