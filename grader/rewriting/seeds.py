"""Other seeds: a notebook that fixes its own gives the same every time, whatever seed its run is given."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.references import Edit, Notebook
from grader.rewriting.cells import Change, code_of, edits_of
from grader.rewriting.splicing import replaced

_APART = 1_000
_SEEDING = (
    *("random.seed", "random.Random", "np.random.seed", "np.random.default_rng", "np.random.RandomState"),
    *("tf.random.set_seed", "tf.keras.utils.set_random_seed", "tf.compat.v1.set_random_seed"),
)
_KEYWORDS = ("seed", "random_state")


def other_seeds(notebook: Notebook, repeat: int) -> tuple[Edit, ...]:
    """Edits that add a thousand per repeat to every seed written in the code as a whole number."""
    code = code_of(notebook)
    seeds: dict[int, tuple[int, ast.Constant]] = {}
    for name in _SEEDING:
        for cell, call in code.calls(name):
            seeds |= {id(found): (cell, found) for found in _whole_numbers(call.args)}
    for cell, tree in code.trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg in _KEYWORDS:
                seeds |= {id(found): (cell, found) for found in _whole_numbers([node.value])}
    return edits_of(
        code,
        (
            Change(cell, replaced(constant, str(int(str(constant.value)) + _APART * repeat)))
            for cell, constant in seeds.values()
        ),
    )


def _whole_numbers(nodes: list[ast.expr]) -> Iterator[ast.Constant]:
    for node in nodes:
        if isinstance(node, ast.Constant) and type(node.value) is int:
            yield node
