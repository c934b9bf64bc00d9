"""Places in a notebook's code that mutations change: activations, updates, loops, data, evaluations."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from grader.notebook.code import CodeIndex, canonical, dotted_name

Node = TypeVar("Node", bound=ast.AST)
Loop = ast.For | ast.While

_ACTIVATIONS = frozenset(
    {"relu", "tanh", "sigmoid", "elu", "selu", "gelu", "leaky_relu", "softplus", "swish"}
)
_GIVEN_ACTIVATION = re.compile(r"act(?:ivation)?(?:_?(?:fn|func|function))?", re.IGNORECASE)
_ASSIGNMENTS = frozenset({"assign", "assign_sub", "assign_add"})
_STEPS = frozenset({"apply_gradients", "minimize"})
_MEANS = frozenset({"mean", "reduce_mean"})
_PIXELS, _CLASSES = 784, 10


class Load(NamedTuple):
    """`(images, labels), (test_images, test_labels) = ….load_data()`: the statement and its four names."""

    cell: int
    statement: ast.Assign
    images: ast.Name
    labels: ast.Name
    test_images: ast.Name
    test_labels: ast.Name


class Update(NamedTuple):
    """A statement that changes variables: `variable.assign_sub(…)`, or an optimiser's step."""

    cell: int
    statement: ast.Expr
    call: ast.Call
    method: ast.Attribute

    @property
    def is_assignment(self) -> bool:
        """Whether one variable is given a value, and no optimiser is at work."""
        return self.method.attr in _ASSIGNMENTS


class Comparison(NamedTuple):
    """Predictions held against labels."""

    cell: int
    predictions: ast.expr
    labels: ast.expr


def name_of_library(code: CodeIndex, library: str) -> str | None:
    """What the notebook calls `tf` or `np` where it imports it as a whole, None when it does not."""
    for _, node in _nodes(code, ast.Import):
        for alias in node.names:
            if canonical(f"{alias.name}.x") == f"{library}.x":
                return alias.asname or alias.name
    return None


def applied_activations(code: CodeIndex, *, in_tape: bool | None = None) -> list[tuple[int, ast.Call]]:
    """Calls of an activation on one thing; inside of GradientTape blocks only, outside only, or all."""
    inside = {id(node) for _, tape in _nodes(code, ast.With) if _is_tape(tape) for node in ast.walk(tape)}
    return [
        (cell, call)
        for cell, call in _nodes(code, ast.Call)
        if len(call.args) == 1
        and not call.keywords
        and (last_name(call.func) in _ACTIVATIONS or _GIVEN_ACTIVATION.fullmatch(last_name(call.func)))
        and in_tape in (None, id(call) in inside)
    ]


def named_activations(code: CodeIndex) -> list[tuple[int, ast.Attribute]]:
    """Where an activation of TensorFlow stands by its name, called or not."""
    library = name_of_library(code, "tf")
    found = []
    for cell, node in _nodes(code, ast.Attribute):
        name = dotted_name(node)
        if name is not None and name[0] == library and node.attr in _ACTIVATIONS:
            found.append((cell, node))
    return found


def random_starts(code: CodeIndex) -> list[tuple[int, ast.Call]]:
    """Calls of TensorFlow that make random numbers of a shape, which is their first argument."""
    names = ("tf.random.uniform", "tf.random.normal", "tf.random.truncated_normal")
    return [(cell, call) for name in names for cell, call in code.calls(name) if call.args]


def updates(code: CodeIndex) -> list[Update]:
    """Statements that change variables."""
    found = []
    for cell, statement in _nodes(code, ast.Expr):
        match statement.value:
            case ast.Call(func=ast.Attribute() as method, args=[_, *_]) as call:
                if method.attr in _ASSIGNMENTS | _STEPS:
                    found.append(Update(cell, statement, call, method))
    return found


def learning_rates(code: CodeIndex) -> list[tuple[int, ast.expr]]:
    """What is given as `learning_rate` to an optimiser of Keras."""
    return [
        (cell, keyword.value)
        for cell, call in _nodes(code, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "learning_rate" and "optimizers" in (dotted_name(call.func) or ("", []))[1]
    ]


def training_loops(code: CodeIndex) -> list[tuple[int, Loop]]:
    """The innermost loops that take gradients, in their body or in a function called there."""
    steps = {
        function.name
        for _, function in _nodes(code, ast.FunctionDef)
        if any(isinstance(node, ast.With) and _is_tape(node) for node in _outside_loops(function))
    }

    def trains(loop: Loop) -> bool:
        called = {last_name(node.func) for node in ast.walk(loop) if isinstance(node, ast.Call)}
        return _holds_tape(loop) or bool(called & steps)

    return [
        (cell, loop)
        for cell, tree in code.trees.items()
        for loop in _loops(tree)
        if trains(loop) and not any(trains(inner) for inner in _loops(loop) if inner is not loop)
    ]


def data_loads(code: CodeIndex) -> list[Load]:
    """Where data of Keras is taken into four names."""
    found = []
    for cell, statement in _nodes(code, ast.Assign):
        match statement.targets, statement.value:
            case [ast.Tuple(elts=[ast.Tuple(elts=[*train]), ast.Tuple(elts=[*test])])], ast.Call() as call:
                names = [name for name in (*train, *test) if isinstance(name, ast.Name)]
                if last_name(call.func) == "load_data" and len(names) == 4:
                    found.append(Load(cell, statement, *names))
    return found


def named_datasets(code: CodeIndex, dataset: str) -> list[tuple[int, ast.Attribute]]:
    """Where a data set of Keras stands by its name."""
    return [(cell, node) for cell, node in _nodes(code, ast.Attribute) if node.attr == dataset]


def layer_sizes(code: CodeIndex) -> list[tuple[int, ast.expr]]:
    """Lists of the sizes of layers from pixels to classes, written out or added up of lists."""
    return [(cell, node) for cell, tree in code.trees.items() for node in _outermost(tree, _is_layer_sizes)]


def comparisons(code: CodeIndex) -> list[Comparison]:
    """Predictions, made with argmax, that are held against labels by `==` or `equal`."""
    found = []
    for cell, tree in code.trees.items():
        for node in ast.walk(tree):
            match node:
                case ast.Compare(left=first, ops=[ast.Eq()], comparators=[second]):
                    pass
                case ast.Call(args=[first, second]) if last_name(node.func) == "equal":
                    pass
                case _:
                    continue
            are_predicted = [_holds_argmax(side, tree) for side in (first, second)]
            if are_predicted == [True, False]:
                found.append(Comparison(cell, first, second))
            elif are_predicted == [False, True]:
                found.append(Comparison(cell, second, first))
    return found


def accuracies(code: CodeIndex) -> list[tuple[int, ast.Call]]:
    """Means over whether predictions are the labels."""
    predictions = {id(found.predictions) for found in comparisons(code)}
    found = []
    for cell, call in _nodes(code, ast.Call):
        of: list[ast.expr] = call.args[:1]
        if not of and isinstance(call.func, ast.Attribute):
            of = [call.func.value]
        values = [value for node in of for value in _values(node, code.trees[cell])]
        is_of_them = any(id(part) in predictions for value in values for part in ast.walk(value))
        if last_name(call.func) in _MEANS and is_of_them:
            found.append((cell, call))
    return found


def last_name(node: ast.expr) -> str:
    """The last name in what is called: `b` of `b`, `a.b` and `a["b"]`, "" when there is none."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str() as name)):
            return name
    return ""


def _nodes(code: CodeIndex, kind: type[Node]) -> Iterator[tuple[int, Node]]:
    for cell, tree in code.trees.items():
        yield from ((cell, node) for node in ast.walk(tree) if isinstance(node, kind))


def _loops(node: ast.AST) -> Iterator[Loop]:
    return (inner for inner in ast.walk(node) if isinstance(inner, ast.For | ast.While))


def _outside_loops(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """What runs once when a function is called: no loops, and no functions that it defines."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        if not isinstance(node, ast.For | ast.While | ast.FunctionDef):
            yield node
            pending += ast.iter_child_nodes(node)


def _is_tape(block: ast.With) -> bool:
    opened = (item.context_expr for item in block.items)
    return any(isinstance(call, ast.Call) and last_name(call.func) == "GradientTape" for call in opened)


def _holds_tape(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.With) and _is_tape(inner) for inner in ast.walk(node))


def _outermost(node: ast.AST, is_wanted: Callable[[ast.expr], bool]) -> Iterator[ast.expr]:
    if isinstance(node, ast.expr) and is_wanted(node):
        yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from _outermost(child, is_wanted)


def _is_layer_sizes(node: ast.expr) -> bool:
    first = last = node
    while isinstance(first, ast.BinOp):
        first = first.left
    while isinstance(last, ast.BinOp):
        last = last.right
    match first, last:
        case (
            ast.List(elts=[ast.Constant(value=start), *inner]),
            ast.List(elts=[*_, ast.Constant(value=end)]),
        ):
            return (start, end) == (_PIXELS, _CLASSES) and (first is not last or len(inner) > 1)
    return False


def _values(node: ast.expr, tree: ast.Module) -> Iterable[ast.expr]:
    """A value, and what its cell gives to the names in it."""
    names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    yield node
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name) and target.id in names:
                    yield statement.value


def _holds_argmax(node: ast.expr, tree: ast.Module) -> bool:
    parts = (part for value in _values(node, tree) for part in ast.walk(value))
    return any(isinstance(part, ast.Call) and last_name(part.func) == "argmax" for part in parts)
