"""How many steps a script trains: the constant that says so, found in its code, and set in another's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from grader.fixes.parsing import parse

_COUNTING = frozenset({"range", "trange", "arange", "take", "islice"})
_TRAINS = frozenset({"GradientTape", "apply_gradients", "minimize", "assign_sub", "next_batch"})


class Place(NamedTuple):
    """Where a whole number stands in a source: line from 1, columns in bytes of UTF-8."""

    line: int
    start: int
    end: int
    value: int


def steps_constant(source: str) -> str:
    """The name that bounds the loop in which a script trains; "" when there is none, or it is no script."""
    tree = parse(source)
    if tree is None:
        return ""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    trainers = {function.name for function in functions if _names(function) & _TRAINS}
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.While)]
    training = [loop for loop in loops if _names(loop) & (_TRAINS | trainers)]
    bounds = [bound for loop in training for bound in _bounds(loop)]
    names = [name for bound in bounds for name in (bound, *_named_by(tree, bound))]
    return next((name for name in names if _places(tree, name)), "")


def number_of(source: str, name: str) -> int | None:
    """The value that a constant is given, None when it is given none or several."""
    tree = parse(source)
    values = set() if tree is None else {place.value for place in _places(tree, name)}
    return values.pop() if len(values) == 1 else None


def with_number(source: str, name: str, value: int) -> str:
    """`source` with every whole number that the constant `name` is given replaced by `value`."""
    tree = parse(source)
    lines = source.encode("utf-8", "surrogatepass").split(b"\n")
    for place in sorted([] if tree is None else _places(tree, name), reverse=True):
        line = lines[place.line - 1]
        lines[place.line - 1] = line[: place.start] + str(value).encode() + line[place.end :]
    return b"\n".join(lines).decode("utf-8", "surrogatepass")


def _names(tree: ast.AST) -> set[str]:
    """The names of functions, methods and all else that a tree has."""
    return {getattr(node, "attr", getattr(node, "id", "")) for node in ast.walk(tree)} - {""}


def _bounds(loop: ast.For | ast.While) -> Iterator[str]:
    """The names in the bound of a loop; `args.n` gives n. What the loop counts up is none.

    A bound stands in `while step < n`, in `range(n)` or `data.take(n)` (also inside of `zip` or
    `enumerate`), or in `if step == n: break`.
    """
    bounds: list[ast.AST] = [loop.test] if isinstance(loop, ast.While) else []
    if isinstance(loop, ast.For):
        calls = [node for node in ast.walk(loop.iter) if isinstance(node, ast.Call)]
        named = [(call, ast.unparse(call.func).rsplit(".", 1)[-1]) for call in calls]
        bounds += [argument for call, name in named if name in _COUNTING for argument in call.args]
    bounds += [
        node.test
        for node in ast.walk(loop)
        if isinstance(node, ast.If) and any(isinstance(inner, ast.Break) for inner in node.body)
    ]
    counted = {ast.unparse(node.target) for node in ast.walk(loop) if isinstance(node, ast.AugAssign)}
    for node in (inner for bound in bounds for inner in ast.walk(bound)):
        if isinstance(node, ast.Name) and node.id not in counted:
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def _places(tree: ast.Module, name: str) -> list[Place]:
    """Where a name is given a whole number: assigned, as a parameter's default, or as an option's."""
    return [
        Place(value.lineno, value.col_offset, value.end_col_offset or 0, value.value)
        for value in _given(tree, name)
        if isinstance(value, ast.Constant) and type(value.value) is int
    ]


def _named_by(tree: ast.Module, name: str) -> list[str]:
    """The names that a name is given, as `n` in `def train(steps=n)`."""
    return [value.id for value in _given(tree, name) if isinstance(value, ast.Name)]


def _given(tree: ast.Module, name: str) -> list[ast.expr]:
    """What a name is given: assigned, as a parameter's default, or as an option's."""
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            found += [node.value for target in targets if isinstance(target, ast.Name) and target.id == name]
        elif isinstance(node, ast.arguments):
            found += _defaults(node, name)
        elif isinstance(node, ast.Call) and _is_option(node, name):
            found += [keyword.value for keyword in node.keywords if keyword.arg == "default"]
    return found


def _defaults(arguments: ast.arguments, name: str) -> Iterator[ast.expr]:
    parameters = [*arguments.posonlyargs, *arguments.args]
    with_default = parameters[len(parameters) - len(arguments.defaults) :]
    pairs = [*zip(with_default, arguments.defaults, strict=True)]
    pairs += [
        (p, d) for p, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None
    ]
    return (default for parameter, default in pairs if parameter.arg == name)


def _is_option(call: ast.Call, name: str) -> bool:
    """Whether this is `add_argument("--name", …)` of `argparse`, or a flag by that name."""
    options = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return "add_argument" in ast.unparse(call.func) and any(
        option.lstrip("-").replace("-", "_") == name for option in options
    )
