"""What single pieces of Python syntax do: which names they set, whether what comes after them is reached."""

from __future__ import annotations

import ast
import os
import re
import threading
from collections.abc import Iterator
from typing import TypeAlias

_LEAVING = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_DEFERRED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_ENDING_CALLS = frozenset(("exit", "quit", "sys.exit", "os._exit"))

_parsing = threading.RLock()
if hasattr(os, "register_at_fork"):  # or a fork could wait for ever for a thread that it does not have
    os.register_at_fork(
        before=_parsing.acquire, after_in_parent=_parsing.release, after_in_child=_parsing.release
    )

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def syntax_tree(source: str) -> ast.Module:
    """What `ast.parse` gives and raises, by one thread at a time.

    CPython before 3.11.8 counts the depth of all trees under construction together: threads that parse at
    the same time now and then get a SystemError (gh-106905).
    """
    with _parsing:
        return ast.parse(source)


def names_set_by(node: ast.AST) -> Iterator[str]:
    """The names that one node, without those below it, gives a value."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (alias.asname or alias.name.split(".")[0] for alias in names)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name


def names_set_in(tree: ast.AST) -> Iterator[str]:
    """The names that a cell sets for the cells below it, in functions those declared `global`."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        yield from names_set_by(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from global_names(node)
        elif not isinstance(node, _COMPREHENSIONS):
            stack.extend(ast.iter_child_nodes(node))


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function's body without those of functions, classes and comprehensions in it."""
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (*_DEFERRED, ast.ClassDef, *_COMPREHENSIONS)):
            stack.extend(ast.iter_child_nodes(node))


def global_names(node: ast.AST) -> list[str]:
    """The names that are declared `global` anywhere in it."""
    return [name for inner in ast.walk(node) if isinstance(inner, ast.Global) for name in inner.names]


def defaults_of(node: Function | ast.Lambda) -> list[ast.expr]:
    """The default values of its parameters, which are evaluated where it is defined."""
    return [*node.args.defaults, *(default for default in node.args.kw_defaults if default is not None)]


def is_always(test: ast.expr) -> bool:
    """`if True`, `while 1`, `if __name__ == "__main__"`."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    return ast.unparse(test).replace('"', "'") == "__name__ == '__main__'"


def may_leave(statement: ast.stmt) -> bool:
    """Whether what comes after a statement in the same body may not be reached."""
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        if isinstance(node, _LEAVING):
            return True
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _ENDING_CALLS:
            return True
        if not isinstance(node, (*_DEFERRED, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(node))
    return False


def may_suppress(item: ast.withitem) -> bool:
    """Whether a `with` may catch what its body raises."""
    return re.search(r"suppress|raises|catch|capture", ast.unparse(item.context_expr)) is not None
