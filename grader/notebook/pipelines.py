"""The `tf.data` pipelines that code builds: where they start, and which operations follow, in one chain or
line by line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from grader.notebook.code import CodeIndex, dotted_name, imported_names

_SOURCES = frozenset(
    ("from_tensor_slices", "from_tensors", "from_generator", "range", "zip", "list_files", "random")
)
_SOURCE_CLASSES = frozenset(("Dataset", "TFRecordDataset", "TextLineDataset", "CsvDataset"))
_OPERATIONS = frozenset(
    (
        "shuffle",
        "batch",
        "repeat",
        "map",
        "prefetch",
        "cache",
        "take",
        "skip",
        "filter",
        "unbatch",
        "interleave",
    )
)
_MOST = 500


class Operation(NamedTuple):
    """One operation: `number` is its first argument where that can be read, `options` its keywords."""

    name: str
    number: int | None = None
    options: frozenset[str] = frozenset()


class Pipeline(NamedTuple):
    """A pipeline as far as one statement builds it. `source` is the constructor, "" when it is not known."""

    cell: int
    line: int
    source: str
    size: int | None
    operations: tuple[Operation, ...]

    def names(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Those of the `wanted` operations that it has, in its order."""
        return tuple(operation.name for operation in self.operations if operation.name in wanted)

    def find(self, name: str) -> Operation | None:
        """Its first operation of that name."""
        return next((operation for operation in self.operations if operation.name == name), None)


class _Chain(NamedTuple):
    source: str
    size: int | None
    operations: tuple[Operation, ...]


@dataclass
class _Names:
    """What names stand for so far, and which are modules."""

    chains: dict[str, _Chain] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)


def pipelines_in(code: CodeIndex) -> tuple[Pipeline, ...]:
    """Every pipeline of every statement, in order; one that is built line by line comes once per line."""
    names = _Names()
    found: list[Pipeline] = []
    for cell, tree in code.trees.items():
        statements = (node for node in ast.walk(tree) if isinstance(node, ast.stmt))
        for statement in sorted(statements, key=lambda node: (node.lineno, node.col_offset)):
            names.modules |= {name for name, _ in imported_names(statement)}
            for call, chain in _chains_of(statement, names):
                if len(found) < _MOST:
                    found.append(Pipeline(cell, call.lineno, chain.source, chain.size, chain.operations))
            _assign(statement, names)
    return tuple(found)


def _chains_of(statement: ast.stmt, names: _Names) -> Iterator[tuple[ast.Call, _Chain]]:
    """The longest chains of a statement itself, not of statements inside of it."""
    pending: list[ast.AST] = [_own(statement)]
    while pending:
        node = pending.pop(0)
        chain = _chain(node, names) if isinstance(node, ast.Call) else None
        if isinstance(node, ast.Call) and chain is not None and chain.operations:
            yield node, chain
            pending += [*node.args, *(keyword.value for keyword in node.keywords)]
        else:
            pending += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]


def _own(statement: ast.stmt) -> ast.AST:
    """A statement without the statements inside of it, as a list of expressions."""
    inside = [child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.expr)]
    return ast.List(elts=inside, ctx=ast.Load())


def _chain(node: ast.AST, names: _Names) -> _Chain | None:
    if isinstance(node, ast.Name):
        return names.chains.get(node.id)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    name, base = node.func.attr, node.func.value
    number = _number(node.args[0], names.numbers) if node.args else None
    dotted = dotted_name(base)
    if name in _SOURCES and dotted is not None and (dotted[1] or [dotted[0]])[-1] in _SOURCE_CLASSES:
        return _Chain(name, number, ())
    if name in _SOURCE_CLASSES:
        return _Chain(name, None, ())
    inner = _chain(base, names)
    if inner is None and (name not in _OPERATIONS or (dotted is not None and dotted[0] in names.modules)):
        return None
    options = frozenset(keyword.arg for keyword in node.keywords if keyword.arg)
    number = _first(number, node.keywords, names.numbers)
    before = inner or _Chain("", None, ())
    return before._replace(operations=(*before.operations, Operation(name, number, options)))


def _first(number: int | None, keywords: Sequence[ast.keyword], numbers: Mapping[str, int]) -> int | None:
    """The first argument, also when it is given by its name."""
    named = {keyword.arg: keyword.value for keyword in keywords}
    given = (named[name] for name in ("buffer_size", "batch_size", "count") if name in named)
    return number if number is not None else next((_number(value, numbers) for value in given), None)


def _number(node: ast.AST, numbers: Mapping[str, int]) -> int | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool):
        return node.value
    return numbers.get(node.id) if isinstance(node, ast.Name) else None


def _assign(statement: ast.stmt, names: _Names) -> None:
    """Note what a name stands for from here on."""
    if not isinstance(statement, ast.Assign):
        return
    for target in statement.targets:
        if not isinstance(target, ast.Name):
            continue
        chain, number = _chain(statement.value, names), _number(statement.value, names.numbers)
        names.chains.pop(target.id, None)
        names.numbers.pop(target.id, None)
        if chain is not None:
            names.chains[target.id] = chain
        if number is not None:
            names.numbers[target.id] = number
