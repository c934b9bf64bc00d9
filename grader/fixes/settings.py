"""Edits of a script's settings: constants, the inputs' scale, how the gradients are applied."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from grader.fixes.forward import called, expression, replace_each
from grader.fixes.parsing import parse
from grader.fixes.wishes import Wish
from grader.notebook.syntax import syntax_tree

_SETTINGS = {
    "learning-rate": re.compile(r"^(?:learning_?rate|lr|eta|step_?size|alpha|rate|lern_?rate)$"),
    "layers": re.compile(
        r"^(?:(?:n|num|nr|number_of|no|anzahl)_?(?:of_)?(?:hidden_?)?(?:layers?|schichten)|(?:hidden_?)?layers|depth)$"
    ),
    "units": re.compile(
        r"^(?:(?:n|num|nr|number_of)_?(?:of_)?(?:hidden_?)?(?:units?|neurons?|nodes?|hidden)"
        r"|hidden(?:_size|_units|_dim)?|units|width)$"
    ),
    "batch": re.compile(r"^(?:batch_?size|bs|n_?batch)$"),
    "dropout": re.compile(r"^drop(?:out)?_?(?:rate|prob\w*)?$"),
    "noise": re.compile(r"^(?:\w*noise\w*|\w*rauschen\w*|sigma)$"),
}
_OPTIMIZERS = frozenset(
    ["SGD", "Adam", "RMSprop", "Adagrad", "Adadelta", "Nadam", "Adamax", "AdamW", "GradientDescentOptimizer"]
)
_RATES = {"Adam": 0.001, "RMSprop": 0.001}


def set_constant(tree: ast.Module, wish: Wish) -> bool:
    """Set the setting `wish.new` wherever the script gives it a number; `old` "*" multiplies it instead."""
    names = _SETTINGS[wish.new]
    value = wish.numbers[0]
    is_factor = wish.old == "*"
    is_count = wish.new in ("layers", "units", "batch")
    places = list(_places(tree, names))
    if not places and wish.new == "learning-rate":
        places = list(_rates(tree))
    changed = False
    for old, put in places:
        new = old * value if is_factor else value
        new = max(1, round(new)) if is_count else new
        put(ast.Constant(int(new) if is_count else float(f"{new:.10g}")))
        changed = True
    return changed


_Place = tuple[float, Callable[[ast.expr], None]]


def _places(tree: ast.Module, names: re.Pattern[str]) -> Iterator[_Place]:
    """The numbers that settings of these names are given, each with what puts another one there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(_fits(names, getattr(target, "id", getattr(target, "attr", ""))) for target in targets):
                yield from _attribute(node, "value")
        elif isinstance(node, ast.Call):
            first = node.args[0] if node.args else None
            text = first.value if isinstance(first, ast.Constant) else None
            is_option = isinstance(text, str) and _fits(names, text.lstrip("-").replace("-", "_"))
            of_what = "dropout_" if called(node) == "dropout" else ""  # whose `rate` it is
            for keyword in node.keywords:
                is_meant = _fits(names, f"{of_what}{keyword.arg or ''}")
                if is_meant or (is_option and keyword.arg == "default"):
                    yield from _attribute(keyword, "value")
            if is_option and len(node.args) > 1:
                yield from _item(node.args, 1)
        elif isinstance(node, ast.arguments):
            named = [*node.posonlyargs, *node.args][-len(node.defaults) :] if node.defaults else []
            for place, argument in enumerate(named):
                if _fits(names, argument.arg):
                    yield from _item(node.defaults, place)


def _rates(tree: ast.Module) -> Iterator[_Place]:
    """Numbers that are a learning rate by where they stand: in `SGD(0.1)` and in `assign_sub(0.1 * g)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in _OPTIMIZERS and node.args:
            yield from _item(node.args, 0)
        elif isinstance(node, ast.Call) and called(node) in ("assign_sub", "assign_add", "assign"):
            for inner in ast.walk(node):
                if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Mult):
                    yield from _attribute(inner, "left")
                    yield from _attribute(inner, "right")


def _fits(names: re.Pattern[str], name: str) -> bool:
    return names.match(name.lower()) is not None


def _number(node: object) -> float | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _attribute(owner: ast.AST, name: str) -> Iterator[_Place]:
    number = _number(getattr(owner, name))
    if number is not None:
        yield number, lambda new: setattr(owner, name, new)


def _item(owner: list[ast.expr], place: int) -> Iterator[_Place]:
    number = _number(owner[place])
    if number is not None:
        yield number, lambda new: owner.__setitem__(place, new)


def _bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    """The lists of statements in a tree."""
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list):
                yield body


def clip_gradients(tree: ast.Module, wish: Wish) -> bool:
    """Clip the gradients by their common norm where they are taken."""
    for body in _bodies(tree):
        for place, statement in enumerate(body):
            if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
                continue
            if called(statement.value) in ("gradient", "gradients"):
                name = statement.targets[0].id
                clip = syntax_tree(f"{name}, _ = tf.clip_by_global_norm({name}, {wish.numbers[0]!r})").body
                body[place + 1 : place + 1] = clip
                return True
    return False


def scale_inputs(tree: ast.Module, wish: Wish) -> bool:
    """Divide the images by 255 where they are loaded, unless the script (or the course's class) does."""
    text = ast.unparse(tree)
    if "255" in text or "MNISTDataset" in text:
        return False
    for body in _bodies(tree):
        for place, node in enumerate(body):
            if not isinstance(node, ast.Assign) or called(node.value) != "load_data":
                continue
            pairs = [pair for pair in ast.walk(node.targets[0]) if isinstance(pair, ast.Tuple)]
            images = [p.elts[0].id for p in pairs if len(p.elts) == 2 and isinstance(p.elts[0], ast.Name)]
            lines = [f"{name} = ({name} / 255.0).astype('float32')" for name in images]
            body[place + 1 : place + 1] = syntax_tree("\n".join(lines)).body
            return bool(images)
    return False


def use_optimizer(tree: ast.Module, wish: Wish) -> bool:
    """Use another optimiser: instead of the script's, or of its loop of `assign_sub`."""

    def by(node: ast.expr) -> ast.expr | None:
        if isinstance(node, ast.Call) and called(node) in _OPTIMIZERS - {wish.new}:
            return ast.Call(expression(f"tf.keras.optimizers.{wish.new}"), node.args, node.keywords)
        return None

    return replace_each(tree, by) or _apply_by_optimizer(tree, wish)


def _apply_by_optimizer(tree: ast.Module, wish: Wish) -> bool:
    """Put an optimiser in the place of the loop in which a script changes its variables itself."""
    for body in _bodies(tree):
        for place, statement in enumerate(body):
            pairs = _pairs_of_update(statement)
            if pairs is not None:
                body[place] = syntax_tree(f"own_optimizer.apply_gradients({pairs})").body[0]
                rate = _RATES.get(wish.new, 0.01)
                made = syntax_tree(f"own_optimizer = tf.keras.optimizers.{wish.new}({rate})").body
                imports = [i for i, s in enumerate(tree.body) if isinstance(s, ast.Import | ast.ImportFrom)]
                at = imports[-1] + 1 if imports else 0
                tree.body[at:at] = made
                return True
    return False


def _pairs_of_update(statement: ast.stmt) -> str | None:
    """For `for v, g in zip(vs, gs): v.assign_sub(…)`, the code of the pairs of gradient and variable."""
    if not isinstance(statement, ast.For) or len(statement.body) != 1 or called(statement.iter) != "zip":
        return None
    zipped, target, update = statement.iter, statement.target, statement.body[0]
    if not isinstance(update, ast.Expr) or called(update.value) not in ("assign_sub", "assign_add"):
        return None
    receiver = update.value.func.value if isinstance(update.value, ast.Call) else None  # type: ignore[attr-defined]
    if not isinstance(zipped, ast.Call) or len(zipped.args) != 2 or not isinstance(target, ast.Tuple):
        return None
    first, second = (ast.unparse(argument) for argument in zipped.args)
    is_first = receiver is not None and ast.unparse(receiver) == ast.unparse(target.elts[0])
    return f"zip({second}, {first})" if is_first else f"zip({first}, {second})"


def _whole(code: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.]){re.escape(code)}(?![\w.])")


def _stands_in(code: str, source: str) -> bool:
    return _whole(code).search(source) is not None


def rename(tree: ast.Module, wish: Wish) -> bool:
    """Put `wish.new` wherever `wish.old` stands in the script's text as a whole; both are code."""
    before = ast.unparse(tree)
    old, new = wish.old, wish.new
    if old and not _stands_in(old, before) and " = " in old and " = " in new:
        old, new = old.replace(" = ", "=", 1), new.replace(" = ", "=", 1)  # an argument that is given by name
    if not old or not new or not _stands_in(old, before):
        return False
    mended = parse(_whole(old).sub(lambda found: new, before))
    if mended is None:
        return False
    tree.body = mended.body
    return True
