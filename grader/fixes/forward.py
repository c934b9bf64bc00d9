"""Edits of what a script computes: activations, softmax, the loss, noise on the inputs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from grader.fixes.wishes import Wish
from grader.notebook.syntax import syntax_tree

ACTIVATIONS = frozenset(
    (
        *("relu", "sigmoid", "tanh", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "softplus"),
        *("softsign", "relu6", "hard_sigmoid"),
    )
)
_OWN_NAMES = {"swish": "silu", "hard_sigmoid": "sigmoid"}
_RANDOM = frozenset(
    ("uniform", "normal", "truncated_normal", "randn", "rand", "random", "random_normal", "random_uniform")
)
_WITH_LOGITS = frozenset(
    ("sparse_softmax_cross_entropy_with_logits", "softmax_cross_entropy_with_logits", "softmax_cross_entropy")
)


class _Replacing(ast.NodeTransformer):
    """Replaces every expression for which `by` gives another one; inner ones first."""

    def __init__(self, by: Callable[[ast.expr], ast.expr | None]) -> None:
        self._by = by
        self.count = 0

    def visit(self, node: ast.AST) -> ast.AST:
        node = self.generic_visit(node)
        if isinstance(node, ast.expr) and (new := self._by(node)) is not None:
            self.count += 1
            return ast.copy_location(new, node)
        return node


def replace_each(tree: ast.AST, by: Callable[[ast.expr], ast.expr | None]) -> bool:
    """Replace the expressions of `tree` for which `by` gives another one; whether there were any."""
    replacing = _Replacing(by)
    replacing.visit(tree)
    return replacing.count > 0


def called(node: ast.AST) -> str:
    """The last part of the name that a call calls, "" for what is no such call."""
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def expression(text: str) -> ast.expr:
    """The tree of an expression of ours."""
    (statement,) = syntax_tree(text).body
    assert isinstance(statement, ast.Expr)
    return statement.value


def replace_activation(tree: ast.Module, wish: Wish) -> bool:
    """Use `wish.new` where `wish.old`, or any activation, stands; where there is none, between the layers."""
    new = _OWN_NAMES.get(wish.new, wish.new)

    def is_meant(name: str) -> bool:
        return name in ACTIVATIONS and name != new and (not wish.old or name == wish.old)

    def by(node: ast.expr) -> ast.expr | None:
        if isinstance(node, ast.Attribute) and is_meant(node.attr):
            return expression(f"tf.nn.{new}")
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and is_meant(node.func.id):
                return ast.Call(expression(f"tf.nn.{new}"), node.args, node.keywords)
            for keyword in node.keywords:
                value = keyword.value
                named = isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value
                if keyword.arg == "activation" and named and is_meant(named):
                    keyword.value = ast.Constant(new)
                    return node
        return None

    if replace_each(tree, by):
        return True
    return not wish.old and not _has_activation(tree) and _activate(tree, new)


def _has_activation(tree: ast.AST) -> bool:
    named = {getattr(node, "attr", "") for node in ast.walk(tree)} | {called(node) for node in ast.walk(tree)}
    return bool(named & ACTIVATIONS)


def _activate(tree: ast.Module, new: str) -> bool:
    """Put an activation around every product of a matrix plus a bias but the last."""
    found = [node for node in _in_order(tree) if isinstance(node, ast.BinOp) and _is_affine(node)]
    inner = {id(node) for node in found[:-1]}

    def by(node: ast.expr) -> ast.expr | None:
        if id(node) not in inner:
            return None
        return ast.Call(expression(f"tf.nn.{new}"), [node], [])

    return replace_each(tree, by)


def _in_order(tree: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(tree):
        yield child
        yield from _in_order(child)


def _is_affine(node: ast.BinOp) -> bool:
    left = node.left
    is_product = called(left) == "matmul" or (
        isinstance(left, ast.BinOp) and isinstance(left.op, ast.MatMult)
    )
    return isinstance(node.op, ast.Add) and is_product


def remove_output_activation(tree: ast.Module, wish: Wish) -> bool:
    """Take the activation off what a function returns, or else the last one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and node.value and called(node.value) in ACTIVATIONS:
            call = node.value
            if isinstance(call, ast.Call) and call.args:
                node.value = call.args[0]
                return True
    calls = [node for node in _in_order(tree) if called(node) in ACTIVATIONS]
    return bool(calls) and replace_each(tree, lambda node: _argument(node) if node is calls[-1] else None)


def _argument(node: ast.expr) -> ast.expr | None:
    """What a call of one argument is given."""
    if not isinstance(node, ast.Call):
        return None
    names = ("logits", "x", "input", "features")
    given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg in names)]
    return given[0] if given else None


def remove_softmax(tree: ast.Module, wish: Wish) -> bool:
    """Take every softmax away from what it is applied to."""

    def by(node: ast.expr) -> ast.expr | None:
        if called(node) == "softmax":
            return _argument(node)
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                value = keyword.value
                text = value.value if isinstance(value, ast.Constant) else getattr(value, "attr", "")
                if keyword.arg == "activation" and text == "softmax":
                    keyword.value = ast.Constant(None)
                    return node
        return None

    return replace_each(tree, by)


def remove_dropout(tree: ast.Module, wish: Wish) -> bool:
    """Take every dropout away from what it is applied to."""
    return replace_each(tree, lambda node: _argument(node) if called(node) == "dropout" else None)


def take_probabilities(tree: ast.Module, wish: Wish) -> bool:
    """Let the loss take what it is given as probabilities, not as logits."""

    def by(node: ast.expr) -> ast.expr | None:
        if not isinstance(node, ast.Call):
            return None
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        if called(node) in _WITH_LOGITS and "logits" in given and "labels" in given:
            kind = "sparse_" if called(node).startswith("sparse") else ""
            loss = expression(f"tf.keras.losses.{kind}categorical_crossentropy")
            return ast.Call(loss, [given["labels"], given["logits"]], [])
        for keyword in node.keywords:
            if keyword.arg == "from_logits" and ast.unparse(keyword.value) == "True":
                keyword.value = ast.Constant(False)
                return node
        return None

    return replace_each(tree, by)


def remove_noise(tree: ast.Module, wish: Wish) -> bool:
    """Take away what is random and added to something outside of the variables."""
    variables = [node for node in ast.walk(tree) if called(node) == "Variable"]
    in_variables = {id(inner) for variable in variables for inner in ast.walk(variable)}

    def is_random(node: ast.AST) -> bool:
        return any(called(inner) in _RANDOM and id(inner) not in in_variables for inner in ast.walk(node))

    noisy = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and is_random(node.value) and not _is_sum(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    def is_noise(node: ast.AST) -> bool:
        return is_random(node) or (isinstance(node, ast.Name) and node.id in noisy)

    def by(node: ast.expr) -> ast.expr | None:
        if isinstance(node, ast.BinOp) and _is_sum(node) and id(node) not in in_variables:
            if is_noise(node.right) and not is_noise(node.left):
                return node.left
            if is_noise(node.left) and not is_noise(node.right):
                return node.right
        return None

    added = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) and is_noise(node.value)
    ]
    for node in added:
        node.value = ast.Constant(0)
    return replace_each(tree, by) or bool(added)


def _is_sum(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
