"""The code index: the syntax trees of a notebook's code cells, with names resolved through imports."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from grader.notebook.ipython import clean_source
from grader.notebook.records import Cell
from grader.notebook.syntax import syntax_tree

__all__ = ["CodeIndex", "Import", "Occurrence", "canonical", "clean_source"]

_MAX_SOURCE_BYTES = 1_000_000
_MAX_BLOCKS = 400
_MAX_DEPTH = 90  # of the syntax tree; deeper trees are recorded as unparsed
_CONTINUES = re.compile(r"(?:else|elif|except|finally)\b|[)\]}]")
_CANONICAL = (
    ("tensorflow.compat.v2.", "tf."),
    ("tensorflow._api.v2.", "tf."),
    ("tensorflow.python.keras.", "tf.keras."),
    ("tensorflow.", "tf."),
    ("tf.compat.v2.", "tf."),
    ("tf.python.keras.", "tf.keras."),
    ("tf_keras.", "tf.keras."),
    ("keras.src.", "tf.keras."),
    ("keras.", "tf.keras."),
    ("numpy.", "np."),
    ("jax.numpy.", "jnp."),
    ("matplotlib.pyplot.", "plt."),
    ("matplotlib.pylab.", "plt."),
    ("pylab.", "plt."),
)


class Occurrence(NamedTuple):
    """One use of a library name in the code: its canonical qualified name, the cell and the line."""

    name: str
    cell: int
    line: int


class Import(NamedTuple):
    """One import: the top-level module as written (`tensorflow`), the cell and the line."""

    module: str
    cell: int
    line: int


def canonical(name: str) -> str:
    """The one name under which a library's thing is known here: `tensorflow.nn.relu` is `tf.nn.relu`.

    Also: `keras.` and `tf.python.keras.` are `tf.keras.`, `numpy.` is `np.`, `matplotlib.pyplot.` is `plt.`.
    """
    for _ in range(3):
        dotted = name + "."
        for old, new in _CANONICAL:
            if dotted.startswith(old):
                name = (new + dotted[len(old) :])[:-1]
                break
        else:
            return name
    return name


class CodeIndex:
    """The code of a notebook: what parses, what does not, and which library names stand where.

    `unparsed` holds (cell, message) for code that is not Python (or too large, or nested too deeply);
    the blocks around it are kept. `trees` maps the number of each code cell to its syntax tree, which
    may be empty. Comments and strings are not code. Building it never raises.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells: tuple[Cell, ...] = tuple(cells)
        self.trees: dict[int, ast.Module] = {}
        unparsed: list[tuple[int, str]] = []
        for cell in self.cells:
            tree, messages = _parse_cell(cell.source)
            self.trees[cell.number] = tree
            unparsed.extend((cell.number, message) for message in messages)
        self.unparsed: tuple[tuple[int, str], ...] = tuple(unparsed)

    def source(self, cell: int) -> str:
        """The source of a cell as handed in, magics included; empty for a cell that is not code."""
        return next((c.source for c in self.cells if c.number == cell), "")

    @cached_property
    def nodes(self) -> tuple[tuple[int, ast.AST], ...]:
        """Every node of every tree, each with its cell, in the order of the cells and of `ast.walk`."""
        return tuple((cell, node) for cell, tree in self.trees.items() for node in ast.walk(tree))

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import of a module by its top-level name, in order; relative imports are left out."""
        found: list[Import] = []
        for cell, node in self.nodes:
            if isinstance(node, ast.Import):
                found.extend(Import(a.name.split(".")[0], cell, node.lineno) for a in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.append(Import(node.module.split(".")[0], cell, node.lineno))
        return tuple(sorted(found, key=lambda i: (i.cell, i.line)))

    @cached_property
    def imported(self) -> dict[str, str]:
        """Every name that an import binds, with the canonical name of what it binds first."""
        bound: dict[str, str] = {}
        for _, node in self.nodes:
            for name, target in imported_names(node):
                bound.setdefault(name, target)
        return bound

    @cached_property
    def _resolved(self) -> tuple[tuple[Occurrence, ast.AST, ast.Call | None], ...]:
        return tuple(_resolve(self.trees, self.imported))

    @cached_property
    def occurrences(self) -> tuple[Occurrence, ...]:
        """Every use of an imported name, at its full length, in order of cell and line."""
        found = (occurrence for occurrence, _, _ in self._resolved)
        return tuple(sorted(found, key=lambda o: (o.cell, o.line, o.name)))

    @cached_property
    def library_calls(self) -> tuple[tuple[Occurrence, ast.Call], ...]:
        """Every call of an imported name: what is called, and the call."""
        return tuple((occurrence, call) for occurrence, _, call in self._resolved if call is not None)

    def uses(self, prefix: str) -> tuple[Occurrence, ...]:
        """Uses of `prefix` or of what lies below it: `tf.keras` finds `tf.keras.layers.LSTM`.

        An import by itself is no use.
        """
        name = canonical(prefix)
        found = [o for o in self.occurrences if o.name == name or o.name.startswith(name + ".")]
        return tuple(sorted(found, key=lambda o: (o.cell, o.line)))

    def calls(self, name: str) -> tuple[tuple[int, ast.Call], ...]:
        """Calls of exactly this library function or class, as (cell, call), in order."""
        name = canonical(name)
        found = [(o.cell, call) for o, _, call in self._resolved if call is not None and o.name == name]
        return tuple(sorted(found, key=lambda pair: (pair[0], pair[1].lineno, pair[1].col_offset)))


def _parse(source: str) -> ast.Module:
    """Parse or raise SyntaxError; every way in which Python's parser gives up becomes a SyntaxError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = syntax_tree(source)
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise SyntaxError(f"{type(error).__name__}: {error}"[:200]) from None
    if reaches_depth(tree, _MAX_DEPTH):
        raise SyntaxError("the code is nested too deeply to be read")
    return tree


def reaches_depth(tree: ast.AST, levels: int) -> bool:
    """Whether some node stands so many levels, or more, below the root."""
    level: list[ast.AST] = [tree]
    for _ in range(levels):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return False
    return True


def _parse_cell(source: str) -> tuple[ast.Module, list[str]]:
    empty = ast.Module(body=[], type_ignores=[])
    if len(source) > _MAX_SOURCE_BYTES:
        return empty, [f"the cell has {len(source):,} characters of code, too many to be read"]
    cleaned = clean_source(source)
    try:
        return _parse(cleaned), []
    except SyntaxError as error:
        message = _sentence(error, 0)
    tree = ast.Module(body=[], type_ignores=[])
    messages: list[str] = []
    blocks = _blocks(source.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    if len(blocks) > _MAX_BLOCKS:
        return tree, [message]
    for start, block in blocks:
        try:
            part = _parse(clean_source("\n".join(block)))
        except SyntaxError as error:
            messages.append(_sentence(error, start))
            continue
        ast.increment_lineno(part, start)
        tree.body.extend(part.body)
    return tree, messages or [message]


def _sentence(error: SyntaxError, offset: int) -> str:
    where = f"line {error.lineno + offset}: " if error.lineno else ""
    return f"{where}{error.msg}"


def _blocks(lines: list[str]) -> list[tuple[int, list[str]]]:
    """The lines cut before each line that starts at column 0 and begins a statement, with offsets."""
    blocks: list[tuple[int, list[str]]] = []
    decorated = False
    for number, line in enumerate(lines):
        starts = bool(line) and not line[0].isspace() and not line.startswith("#")
        if not blocks or (starts and not decorated and not _CONTINUES.match(line)):
            blocks.append((number, []))
        if starts:
            decorated = line.startswith("@")
        blocks[-1][1].append(line)
    return blocks


def dotted_name(node: ast.AST) -> tuple[str, list[str]] | None:
    """`a.b.c` as ("a", ["b", "c"]), None for anything else."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return node.id, attributes[::-1]


def _resolve(
    trees: dict[int, ast.Module], imported: dict[str, str]
) -> Iterator[tuple[Occurrence, ast.AST, ast.Call | None]]:
    """Every use of an imported name, resolved with the aliases in force where it stands."""
    later = dict(imported)
    aliases: dict[str, str] = {}
    for cell, tree in trees.items():
        for statement in tree.body:
            for name, target in _aliases_in(statement):
                aliases[name] = target
            scope = {**later, **aliases}
            yield from _uses_in(statement, scope, cell)
            _rebind(statement, aliases, later)


def imported_names(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The names that an import statement binds, each with the canonical name of what it binds."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname:
                yield alias.asname, canonical(alias.name)
            else:
                top = alias.name.split(".")[0]
                yield top, canonical(top)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            if alias.name != "*":
                yield alias.asname or alias.name, canonical(f"{node.module}.{alias.name}")


def _aliases_in(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    for node in ast.walk(statement):
        yield from imported_names(node)


def _qualified(node: ast.AST, scope: dict[str, str]) -> str | None:
    parts = dotted_name(node)
    if parts is None or parts[0] not in scope:
        return None
    return canonical(".".join([scope[parts[0]], *parts[1]]))


def _rebind(statement: ast.stmt, aliases: dict[str, str], later: dict[str, str]) -> None:
    """Take note of `layers = tf.keras.layers`, and of names that come to mean something else."""
    if isinstance(statement, ast.Assign):
        targets, value = statement.targets, statement.value
        qualified = _qualified(value, {**later, **aliases})
        for target in targets:
            if isinstance(target, ast.Name):
                if qualified is not None:
                    aliases[target.id] = qualified
                else:
                    _forget(target.id, aliases, later)
    elif isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        _forget(statement.name, aliases, later)


def _forget(name: str, aliases: dict[str, str], later: dict[str, str]) -> None:
    aliases.pop(name, None)
    later.pop(name, None)


def parameter_names(node: ast.AST) -> set[str]:
    """The names of the parameters of a function; empty for anything else."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return set()
    arguments = node.args
    every: Iterable[ast.arg | None] = (
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    )
    return {argument.arg for argument in every if argument is not None}


def _uses_in(
    statement: ast.stmt, scope: dict[str, str], cell: int
) -> Iterator[tuple[Occurrence, ast.AST, ast.Call | None]]:
    """Uses below one statement; a parameter of a function hides an import of the same name."""
    stack: list[tuple[ast.AST, dict[str, str], ast.Call | None]] = [(statement, scope, None)]
    while stack:
        node, names, call = stack.pop()
        hidden = parameter_names(node) & names.keys()
        if hidden:
            names = {name: target for name, target in names.items() if name not in hidden}
        if isinstance(node, (ast.Attribute, ast.Name)):
            qualified = _qualified(node, names)
            if qualified is not None and isinstance(node.ctx, ast.Load):
                yield Occurrence(qualified, cell, node.lineno), node, call
                continue
        for child in ast.iter_child_nodes(node):
            is_called = isinstance(node, ast.Call) and child is node.func
            stack.append((child, names, node if is_called and isinstance(node, ast.Call) else None))
