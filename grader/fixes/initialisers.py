"""Edits of how a script's weights and biases begin."""

from __future__ import annotations

import ast

from grader.fixes.forward import called, expression, replace_each
from grader.fixes.wishes import Wish

_UNIFORM = frozenset(("uniform", "random_uniform", "rand"))
_NORMAL = frozenset(("normal", "truncated_normal", "random_normal", "randn"))
_FILLED = frozenset(("zeros", "ones", "constant", "fill"))
_CLASSES = frozenset(
    (
        *("RandomUniform", "RandomNormal", "TruncatedNormal", "random_uniform_initializer", "Zeros", "Ones"),
        *("random_normal_initializer", "truncated_normal_initializer", "Constant", "constant_initializer"),
        *("zeros_initializer", "ones_initializer"),
    )
)
_NAMED = {"glorot": "GlorotUniform", "he": "HeNormal"}
_DEFAULT_BOUND = 0.1


def initialise_weights(tree: ast.Module, wish: Wish) -> bool:
    """Let the matrices among the variables begin as `wish.new` says."""
    meant = {id(node) for node in _weights(tree)}
    constants = _constants(tree)

    def by(node: ast.expr) -> ast.expr | None:
        if id(node) not in meant or not isinstance(node, ast.Call):
            return None
        new = _anew(node, wish)
        if not isinstance(new, ast.Call) or ast.unparse(new.func) != ast.unparse(node.func):
            return new
        return None if _numbers(new, constants) == _numbers(node, constants) else new

    return replace_each(tree, by)


def _constants(tree: ast.Module) -> dict[str, float]:
    """The numbers that a script gives names on its top level."""
    found: dict[str, float] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            number = _number(node.value, {})
            if number is not None:
                found[node.targets[0].id] = number
    return found


def _number(node: ast.expr, constants: dict[str, float]) -> float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _number(node.operand, constants)
        return None if number is None else -number
    if isinstance(node, ast.Name):
        return constants.get(node.id)
    is_number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
    return float(node.value) if is_number else None  # type: ignore[attr-defined]


def _numbers(call: ast.Call, constants: dict[str, float]) -> list[float | None]:
    """What a call is given, in order, as numbers; None for what is none."""
    return [_number(node, constants) for node in (*call.args, *(keyword.value for keyword in call.keywords))]


def zero_biases(tree: ast.Module, wish: Wish) -> bool:
    """Let the vectors among the variables begin with zeros."""
    vectors = {id(node) for node in _values(tree) if _length(node) == 1 and called(node) != "zeros"}

    def by(node: ast.expr) -> ast.expr | None:
        shape = _shape(node) if id(node) in vectors and isinstance(node, ast.Call) else None
        return ast.Call(expression("tf.zeros"), [shape], []) if shape is not None else None

    return replace_each(tree, by)


def _values(tree: ast.Module) -> list[ast.Call]:
    """The calls that make what variables begin with."""
    variables = [node for node in ast.walk(tree) if called(node) == "Variable"]
    inside = [call for variable in variables for call in ast.walk(variable) if _makes_values(call)]
    if not inside:
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        making = [f for f in functions if any(called(node) == "Variable" for node in ast.walk(f))]
        inside = [call for function in making for call in ast.walk(function) if _makes_values(call)]
    return [call for call in inside if isinstance(call, ast.Call)]


def _makes_values(node: ast.AST) -> bool:
    return called(node) in _UNIFORM | _NORMAL | _FILLED


def _weights(tree: ast.Module) -> list[ast.Call]:
    """Of those, the ones for matrices, and the initialisers of layers' kernels.

    Where nobody sees the shape of what is filled with one number, it is a matrix only if nothing else is.
    """
    given = [call for call in _values(tree) if _length(call) in (2, None)]
    seen = [call for call in given if _length(call) == 2 or called(call) not in _FILLED]
    values = seen or given
    kernels = [
        keyword.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "kernel_initializer" and isinstance(keyword.value, ast.Call)
    ]
    of_classes = [node for node in ast.walk(tree) if called(node) in _CLASSES and isinstance(node, ast.Call)]
    biases = {
        id(keyword.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "bias_initializer"
    }
    return [call for call in (*values, *kernels, *of_classes) if id(call) not in biases]


def _shape(call: ast.Call) -> ast.expr | None:
    """The shape that a call is given, None when it is not seen."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    for name in ("shape", "size", "dims"):
        if name in named:
            return named[name]
    if called(call) in ("randn", "rand"):
        return ast.Tuple(list(call.args), ast.Load()) if call.args else None
    is_numpy = _is_numpy(call) and called(call) in _UNIFORM | _NORMAL
    if called(call) == "constant" or (is_numpy and len(call.args) < 3):
        return None
    place = 2 if is_numpy else 0
    return call.args[place] if len(call.args) > place else None


def _is_numpy(call: ast.Call) -> bool:
    return ast.unparse(call.func).startswith(("np.", "numpy."))


def _length(call: ast.AST) -> int | None:
    """How many dimensions the values have, None when it is not seen."""
    shape = _shape(call) if isinstance(call, ast.Call) else None
    if isinstance(shape, ast.List | ast.Tuple) and not any(isinstance(e, ast.Starred) for e in shape.elts):
        return len(shape.elts)
    return 1 if isinstance(shape, ast.Constant) else None


def _anew(call: ast.Call, wish: Wish) -> ast.expr | None:
    """The call that makes values as the wish says, None when it cannot be said."""
    is_class = called(call) in _CLASSES
    shape = _shape(call)
    if wish.new == "scaled":
        return None if is_class else ast.BinOp(ast.Constant(wish.numbers[0]), ast.Mult(), call)
    if wish.new in _NAMED:
        initialiser = ast.Call(expression(f"tf.keras.initializers.{_NAMED[wish.new]}"), [], [])
        if is_class:
            return initialiser
        return None if shape is None else ast.Call(initialiser, [shape], [])
    kind = "normal" if wish.new == "normal" else "uniform"
    numbers: list[ast.expr] = [ast.Constant(number) for number in wish.numbers]
    arguments = [ast.Constant(0.0), *numbers] if kind == "normal" else numbers
    if wish.new == "symmetric":
        arguments = list(_bounds(call))
    if is_class:
        return ast.Call(expression(f"tf.keras.initializers.Random{kind.title()}"), arguments, [])
    if shape is None:
        return None
    if _is_numpy(call):
        return ast.Call(expression(f"np.random.{kind}"), [*arguments, shape], [])
    return ast.Call(expression(f"tf.random.{kind}"), [shape, *arguments], [])


def _bounds(call: ast.Call) -> tuple[ast.expr, ast.expr]:
    """The bounds of a uniform distribution, mended to lie on both sides of zero."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    given = call.args[:2] if _is_numpy(call) or called(call) in _CLASSES else call.args[1:3]
    low = named.get("minval", named.get("low", given[0] if given else None))
    high = named.get("maxval", named.get("high", given[1] if len(given) > 1 else None))
    if isinstance(low, ast.UnaryOp) and isinstance(low.op, ast.USub):
        return low, low.operand
    if high is not None and not (isinstance(high, ast.Constant) and not high.value):
        positive = high.operand if isinstance(high, ast.UnaryOp) else high
        return ast.UnaryOp(ast.USub(), positive), positive
    return ast.Constant(-_DEFAULT_BOUND), ast.Constant(_DEFAULT_BOUND)
