"""The orders of shuffle, batch and repeat that code builds, in one chain or line by line."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.answers.mentions import OPERATIONS
from grader.notebook.code import CodeIndex


def orders_built(code: CodeIndex) -> dict[int, tuple[str, ...]]:
    """The orders that each code cell builds, each once, in their order; only whole ones of all three."""
    built: dict[int, tuple[str, ...]] = {}
    for cell, tree in code.trees.items():
        orders = tuple(dict.fromkeys("-".join(chain) for chain in _chains(tree)))
        if orders:
            built[cell] = orders
    return built


def _chains(tree: ast.Module) -> Iterator[tuple[str, ...]]:
    """The chains of a cell that hold each operation once; names are followed from line to line."""
    known: dict[str, tuple[str, ...]] = {}
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            inner |= {id(part) for part in ast.walk(node.func) if isinstance(part, ast.Call)}
    for statement in (node for node in ast.walk(tree) if isinstance(node, ast.stmt)):
        for call in _calls_of(statement):
            chain = _chain(call, known)
            if id(call) not in inner and sorted(chain) == sorted(OPERATIONS):
                yield chain
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            chain = _chain(statement.value, known)
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    known[target.id] = chain


def _calls_of(statement: ast.stmt) -> Iterator[ast.Call]:
    """The calls of a statement itself, not of statements inside of it."""
    pending: list[ast.AST] = [
        child for child in ast.iter_child_nodes(statement) if not isinstance(child, ast.stmt)
    ]
    while pending:
        node = pending.pop(0)
        if isinstance(node, ast.Call):
            yield node
        pending += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]


def _chain(call: ast.Call, known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The operations that a value went through, from first to last; others aside."""
    operations: list[str] = []
    node: ast.AST = call
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in OPERATIONS:
            operations.insert(0, node.func.attr)
        node = node.func.value
    if isinstance(node, ast.Name):
        operations = [*known.get(node.id, ()), *operations]
    return tuple(operations)
