"""Code of scripts and of pieces as a syntax tree, and whether it is a whole script or a single call."""

from __future__ import annotations

import ast

from grader.notebook.code import reaches_depth
from grader.notebook.ipython import clean_source
from grader.notebook.syntax import syntax_tree

_MOST_LEVELS = 100  # deeper trees may not be written down again
_LIBRARIES = ("tf.", "np.", "keras.")


def parse(source: str) -> ast.Module | None:
    """The syntax tree of `source` with magics blanked, None when it is no Python, or nested absurdly deep."""
    try:
        tree = syntax_tree(clean_source(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return None if reaches_depth(tree, _MOST_LEVELS) else tree


def is_whole_script(tree: ast.Module) -> bool:
    """Whether code trains by itself: it has a gradient tape (or `minimize`) and loads or makes its data."""
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    trains = "GradientTape" in names or "minimize" in names
    return trains and bool(names & {"load_data", "next_batch", "from_tensor_slices"})


def library_call(piece: str) -> ast.Call | None:
    """The call of a library's function, `tf.random.normal(…)` say, that is all that a piece holds, if so."""
    tree = parse(piece)
    match [] if tree is None else tree.body:
        case [ast.Expr(value=ast.Call() as call)] if ast.unparse(call.func).startswith(_LIBRARIES):
            return call
    return None
