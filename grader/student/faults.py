"""Likely faults that give no error: each is only told where the code or the saved outputs show it plainly."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Set

from grader.checks.answers import excerpt
from grader.checks.previews import Sight
from grader.checks.squashed_logits import squashed_logits
from grader.evidence.record import Evidence
from grader.model import Reason, Source
from grader.notebook.records import OutputKind, Quantity
from grader.student.findings import Finding
from grader.student.given_out import is_given_out

_COMMENTED_OUT = re.compile(
    r"^[ \t]*#[ \t]*@tf\.function.*\n(?:[ \t]*(?:[#@].*)?\n)*[ \t]*def[ \t]+(\w+)", re.MULTILINE
)
_NO_GRADIENT = "Gradients do not exist for variables"
_STUCK = (
    (2.3026, "ln 10, that of guessing one of ten classes"),
    (0.6931, "ln 2, that of guessing yes or no"),
)
_STUCK_WITHIN = 0.002
_FEWEST_LOSSES = 3
_CHANCE = 0.15
_ERROR_CHARS = 120
_LOADS_CIFAR = re.compile(r"\bcifar100?\.load_data\([^()]*\)$")
_COLUMN = re.compile(
    r"\.reshape\(\(?(?:-1|len\(\w+\)|\w+\.shape\[0\]), 1\)?\)$|expand_dims\(.*, (?:axis=)?(?:1|-1)\)$"
    r"|\[:, (?:None|np\.newaxis|tf\.newaxis)\]$"
)


def likely_faults(
    evidence: Evidence, given_out: Set[str] = frozenset(), *, are_asked_for: bool = False
) -> tuple[Finding, ...]:
    """The faults that were seen, in the order of their kinds.

    Code that was given out may have been pasted into the notebook to hear what is wrong with it. So none is
    named that makes training or testing go wrong in a cell whose lines were mostly `given_out`, or anywhere
    where faults `are_asked_for`.
    """
    silent = {c.number for c in evidence.notebook.code_cells if is_given_out(c.source, given_out)}
    found = []
    for name, (title, look) in _LOOKS.items():
        reasons = tuple(look(evidence))
        if name in _DIAGNOSES:
            reasons = tuple(r for r in reasons if not are_asked_for and r.cell not in silent)
        if reasons:
            found.append(Finding(id=name, title=title, sight=Sight.UNCLEAR, reasons=reasons))
    return tuple(found)


def _labels_in_a_column(evidence: Evidence) -> Iterator[Reason]:
    """Predictions (n,) held against labels (n, 1): every one against every other."""
    columns: dict[str, int] = {}
    for cell, tree in evidence.code.trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                now = {name for name, value in _pairs(node) if _COLUMN.search(ast.unparse(value))}
                now.update(_labels_of_cifar(node))
                columns = {name: since for name, since in columns.items() if name not in _stored(node)}
                columns.update(dict.fromkeys(now, cell))
        for left, right in _comparisons(tree):
            for one, other in ((left, right), (right, left)):
                label = _name_of(one)
                if label in columns and _is_argmax(other, tree):
                    yield _seen(
                        f"`{label}` has the shape (n, 1) from cell {columns[label]} on and is compared with "
                        f"predictions of shape (n,) in cell {cell}: each is compared with every other. "
                        "Give both the same shape.",
                        cell,
                    )
                    return


def _pairs(node: ast.Assign) -> Iterator[tuple[str, ast.expr]]:
    """`a, b = x, y` as (a, x) and (b, y)."""
    for target in node.targets:
        if isinstance(target, ast.Name):
            yield target.id, node.value
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            for name, value in zip(target.elts, node.value.elts, strict=False):
                if isinstance(name, ast.Name):
                    yield name.id, value


def _stored(node: ast.Assign) -> set[str]:
    """The names that an assignment gives a value."""
    return {n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def _labels_of_cifar(node: ast.Assign) -> Iterator[str]:
    """`b` and `d` in `(a, b), (c, d) = cifar10.load_data()`: Keras gives these labels in a column."""
    if _LOADS_CIFAR.search(ast.unparse(node.value)):
        for target in node.targets:
            for pair in ast.walk(target):
                match pair:
                    case ast.Tuple(elts=[ast.Name(), ast.Name(id=labels)]):
                        yield labels


def _comparisons(tree: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
            yield node.left, node.comparators[0]
        elif isinstance(node, ast.Call) and len(node.args) == 2 and _is_called(node, "equal"):
            yield node.args[0], node.args[1]


def _is_called(node: ast.Call, name: str) -> bool:
    return ast.unparse(node.func).rsplit(".", 1)[-1] == name


def _name_of(node: ast.expr) -> str | None:
    """The name in `y`, `y[:1000]`, `tf.cast(y, …)`."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            node = node.value
        elif isinstance(node, ast.Call) and _is_called(node, "cast") and node.args:
            node = node.args[0]
        else:
            return None
    return node.id


def _is_argmax(node: ast.expr, tree: ast.AST) -> bool:
    """Whether an expression is an argmax that drops its axis, or a name that was just given one."""
    name = _name_of(node)
    values = [node]
    if name is not None:
        values = [v for n in ast.walk(tree) if isinstance(n, ast.Assign) for k, v in _pairs(n) if k == name]
    texts = [ast.unparse(value) for value in values]
    return bool(texts) and all("argmax(" in t and "keepdims" not in t and "reshape" not in t for t in texts)


def _unused_result(evidence: Evidence) -> Iterator[Reason]:
    """Something computed for a test, never used, and an accuracy of something older in the same cell."""
    used = {
        node.id
        for tree in evidence.code.trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    for cell, tree in evidence.code.trees.items():
        own = [pair for node in tree.body if isinstance(node, ast.Assign) for pair in _pairs(node)]
        unused = [name for name, value in own if name not in used and _computes(value)]
        here = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        for left, right in _comparisons(tree):
            for side in (left, right):
                old = _of_argmax(side)
                if unused and old is not None and old not in here:
                    yield _seen(
                        f"Cell {cell} computes `{unused[0]}` and never uses it; the accuracy there is that "
                        f"of `{old}`, which an earlier cell left.",
                        cell,
                    )
                    return


def _computes(value: ast.expr) -> bool:
    return any(isinstance(n, ast.MatMult | ast.Call) for n in ast.walk(value))


def _of_argmax(node: ast.expr) -> str | None:
    """`logits` in `np.argmax(logits, 1)`."""
    if isinstance(node, ast.Call) and _is_called(node, "argmax") and node.args:
        return _name_of(node.args[0])
    return None


def _decorator_off(evidence: Evidence) -> Iterator[Reason]:
    for cell in evidence.notebook.code_cells:
        for name in _COMMENTED_OUT.findall(cell.source):
            text = f"`@tf.function` above `{name}` is commented out in cell {cell.number}: it runs eagerly."
            yield _seen(text, cell.number)


def _without_gradients(evidence: Evidence) -> Iterator[Reason]:
    for cell in evidence.notebook.code_cells:
        if any(_NO_GRADIENT in output.text for output in cell.outputs):
            yield Reason(
                text=f"Cell {cell.number} shows the warning that some variables get no gradient: they are "
                "not trained.",
                cell=cell.number,
                source=Source.SAVED,
            )
            return


def _stuck(evidence: Evidence) -> Iterator[Reason]:
    losses = [number for number in evidence.saved.numbers if number.quantity is Quantity.LOSS]
    for value, meaning in _STUCK:
        is_stuck = all(abs(loss.value - value) < _STUCK_WITHIN for loss in losses)
        if len(losses) >= _FEWEST_LOSSES and is_stuck:
            text = f"Every loss that is shown is about {value:.2f}, {meaning}: nothing is learned."
            yield Reason(text=text, cell=losses[-1].cell, numbers=(value,), source=Source.SAVED)
    accuracies = [number for number in evidence.saved.numbers if number.quantity is Quantity.ACCURACY]
    best = max(accuracies, key=lambda number: number.value, default=None)
    if best is not None and best.value <= _CHANCE:
        text = (
            f"The best accuracy that is shown is {best.value:.4f}, about that of guessing (cell {best.cell})."
        )
        yield Reason(text=text, cell=best.cell, numbers=(best.value,), source=Source.SAVED)


def _saved_errors(evidence: Evidence) -> Iterator[Reason]:
    for cell in evidence.notebook.code_cells:
        error = next((output for output in cell.outputs if output.kind is OutputKind.ERROR), None)
        if error is not None:
            said = ": ".join(filter(None, (error.error_name, (error.error_value or "").strip())))
            what = excerpt(said, _ERROR_CHARS)
            text = f"Cell {cell.number} was saved with an error ({what}): keep it only if you mean it."
            yield Reason(text=text, cell=cell.number, source=Source.SAVED)


def _seen(text: str, cell: int) -> Reason:
    return Reason(text=text, cell=cell, source=Source.SOURCE)


_LOOKS: dict[str, tuple[str, Callable[[Evidence], Iterator[Reason]]]] = {
    "squashed-logits": ("The loss gets the outputs of the last layer as they are.", squashed_logits),
    "labels-in-a-column": ("Predictions and labels have the same shape.", _labels_in_a_column),
    "unused-result": ("The accuracy is computed from the test's own results.", _unused_result),
    "decorator-off": ("What is compared with graph mode runs in graph mode.", _decorator_off),
    "no-gradients": ("All variables are trained.", _without_gradients),
    "nothing-learned": ("The model learns something.", _stuck),
    "saved-errors": ("No cell shows an error.", _saved_errors),
}
_DIAGNOSES = frozenset({"squashed-logits", "labels-in-a-column", "unused-result"})
