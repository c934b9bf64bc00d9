"""Whole scripts from a notebook's cells: code that trains, with what it needs of the cells before it."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator, Sequence

from grader.fixes.parsing import is_whole_script

MAX_STATEMENTS = 500
MAX_SCRIPTS = 4  # of one piece of code

_BUILT_IN = frozenset(dir(builtins))


def whole_scripts(own: ast.Module, before: Sequence[ast.stmt]) -> Iterator[ast.Module]:
    """The whole scripts that `own`, a piece of code, makes with the statements `before` it.

    By itself, or with what it uses of them. A piece that trains several times by calling a function makes one
    for each call, the last one first: what is broken is mostly shown before it is mended.
    """
    earlier = before[-MAX_STATEMENTS:]
    trainers = _trainers([*earlier, *own.body])
    if is_whole_script(own) and _trains(own, trainers):
        yield ast.Module([*_needed(own.body, earlier), *own.body], [])
        return
    calls = [
        statement
        for statement in own.body
        if _calls(statement) & trainers and not _defined(statement) & trainers
    ]
    if len(calls) > 1:
        rest = [statement for statement in own.body if statement not in calls]
        wanted = [[*rest, call] for call in reversed(calls)][:MAX_SCRIPTS]
    elif calls or _trains(own, trainers):
        wanted = [list(own.body)]
    else:
        return
    for body in wanted:
        tree = ast.Module([*_needed(body, earlier), *body], [])
        if is_whole_script(tree):
            yield tree


def is_training(tree: ast.AST) -> bool:
    """Whether code takes gradients, outside of functions that nobody calls here or not."""
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return "GradientTape" in names or "minimize" in names


def _trainers(statements: Sequence[ast.stmt]) -> set[str]:
    """The names of functions, methods and classes that train, by themselves or by calling one that does."""
    walked = [node for statement in statements for node in ast.walk(statement)]
    parts = [node for node in walked if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    names = {part.name for part in parts if is_training(part)}
    for _ in range(3):
        names |= {part.name for part in parts if _calls(part) & names}
    return names


def _trains(tree: ast.Module, trainers: set[str]) -> bool:
    """Whether code trains when it runs, instead of only defining what can."""
    return any(
        is_training(statement) or _calls(statement) & trainers
        for statement in tree.body
        if not isinstance(statement, ast.FunctionDef | ast.ClassDef)
    )


def _calls(node: ast.AST) -> set[str]:
    """The names of what a tree calls: of a method its own."""
    functions = [inner.func for inner in ast.walk(node) if isinstance(inner, ast.Call)]
    return {getattr(function, "attr", getattr(function, "id", "")) for function in functions} - {""}


def _needed(body: Sequence[ast.stmt], earlier: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The last of the earlier statements that define each name which `body` uses, and so on, in order.

    None of them trains: a fix has to be the training that is looked at.
    """
    wanted = set().union(*(_used(statement) for statement in body))
    wanted -= set().union(*(_defined(statement) for statement in body))
    wanted = (wanted | _used_too_early(body)) - _BUILT_IN
    kept: list[ast.stmt] = []
    for statement in reversed(earlier):
        defined = _defined(statement)
        if defined & wanted and not _trains_at_once(statement):
            kept.append(statement)
            if not isinstance(statement, ast.AugAssign):
                wanted -= defined
            wanted |= _used(statement) - _BUILT_IN
    return kept[::-1]


def _used_too_early(body: Sequence[ast.stmt]) -> set[str]:
    """The names that statements use before others of them give a value to them, as before a second import."""
    found: set[str] = set()
    defined: set[str] = set()
    for statement in body:
        if not isinstance(statement, ast.FunctionDef | ast.ClassDef):
            found |= _used(statement) - defined - _defined(statement)
        defined |= _defined(statement)
    return found


def _trains_at_once(statement: ast.stmt) -> bool:
    """Whether a statement trains where it stands, instead of defining what can."""
    return not isinstance(statement, ast.FunctionDef | ast.ClassDef) and is_training(statement)


def _used(node: ast.stmt) -> set[str]:
    """The names that a statement reads of the code around it; those local to its functions are its own."""
    try:
        return set(_read(symtable.symtable(ast.unparse(node), "a statement", "exec")))
    except (SyntaxError, ValueError, RecursionError):  # as of a `return` that stands by itself
        return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _read(table: symtable.SymbolTable) -> Iterator[str]:
    is_outermost = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (is_outermost or symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _read(child)


def _defined(node: ast.stmt) -> set[str]:
    """The names that a statement gives to the code after it."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.split(".")[0] for alias in node.names}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
