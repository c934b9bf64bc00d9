"""Reads what a notebook's code does, without running it.

The syntax trees are gone through once, in the order of the cells, with abstract values in place of real
ones (`flow/`): functions are followed into, short loops are gone round, and everything that cannot be
understood is noted as such.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import partial

from grader.notebook.code import CodeIndex, imported_names
from grader.notebook.facts import CodeFacts, Unresolved
from grader.notebook.flow.assembly import facts_of
from grader.notebook.flow.calls import call, make_instance
from grader.notebook.flow.state import OutOfStepsError, State
from grader.notebook.flow.statements import define, run_body
from grader.notebook.flow.storing import store
from grader.notebook.flow.values import UNKNOWN, Class, Function, Instance, Value

__all__ = ["CodeFacts", "read_code_facts"]

_MAX_STEPS = 100_000
_STEPS_FOR_UNCALLED = 20_000
_RUNS_OTHER_CODE = re.compile(
    r"^[ \t]*(?:%run\b|%load\b|%loadpy\b|%%(?:writefile|file|bash|sh|script|cython|javascript|R)\b"
    r"|!.*\bpython[\d.]*\s+\S+\.py)",
    re.MULTILINE,
)


def read_code_facts(code: CodeIndex) -> CodeFacts:
    """Data sets, models, trainings, evaluations and displays of a notebook's code.

    Never raises. The work is bounded by a number of steps (about a second at most); what lies beyond
    them, and whatever else was not understood, is named in `unresolved`, and `is_complete` is False.
    """
    state = State(_MAX_STEPS)
    state.call = partial(call, state)
    state.define = partial(define, state)
    state.store = partial(store, state)
    try:
        _go_through(state, code)
        return facts_of(state)
    except Exception as bug:  # noqa: BLE001  # a bug in reading code must not cost marks, nor a run
        text = f"reading the code failed ({type(bug).__name__})"
        return CodeFacts(unresolved=(Unresolved(cell=1, line=1, text=text),), is_complete=False)


def _go_through(state: State, code: CodeIndex) -> None:
    for cell, message in code.unparsed:
        state.run_cell = state.frame.cell = cell
        state.unclear(f"not Python: {message}"[:200])
    for tree_cell, tree in code.trees.items():
        for statement in tree.body:
            for name in _defined(statement):
                state.later.setdefault(name, (tree_cell, statement))
    for cell, tree in code.trees.items():
        state.run_cell = state.frame.cell = cell
        state.line = 1
        if _RUNS_OTHER_CODE.search(code.source(cell)):
            state.unclear("a line runs code that is not in the notebook")
        for statement in tree.body:
            if not _step_into(state, statement):
                return
    _look_into_uncalled(state)


def _defined(statement: ast.stmt) -> Iterator[str]:
    """The names that a definition, an import or an assignment binds."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        yield statement.name
    yield from (name for name, _ in imported_names(statement))
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _step_into(state: State, statement: ast.stmt) -> bool:
    """Go through one statement of a cell; False when there are no steps left."""
    try:
        run_body(state, [statement])
    except OutOfStepsError:
        state.unclear("the code is too long to be followed to its end")
        return False
    except Exception as bug:  # noqa: BLE001  # one odd statement must not hide the others
        _recover(state)
        state.unclear(f"this was not understood ({type(bug).__name__})")
    return True


def _recover(state: State) -> None:
    del state.frames[1:]
    state.frame.scope = state.globals
    state.frame.owner = None
    state.frame.picked.clear()
    state.frame.loops.clear()
    state.rough_depth = 0
    state.expansions = 0
    state.depth = 0


def _look_into_uncalled(state: State) -> None:
    """Go through functions that nothing calls: what they hold counts as there, but not as used."""
    state.is_called = False
    state.steps_left = min(state.steps_left, _STEPS_FOR_UNCALLED)
    methods = {id(f) for cls in state.classes for f in cls.names.values() if isinstance(f, Function)}
    for cls in state.classes[:50]:
        for name, method in list(cls.names.items()):
            if isinstance(method, Function) and not method.is_called and name != "__init__":
                _try_call(state, method, cls)
    for function in state.functions[:200]:
        if not function.is_called and id(function) not in methods:
            _try_call(state, function, None)


def _try_call(state: State, function: Function, cls: Class | None) -> None:
    _recover(state)
    state.run_cell = state.frame.cell = function.cell
    try:
        args: list[Value] = []
        if cls is not None and function.kind != "static":
            args = [_some_instance(state, cls)]
        call(state, function, args, {})
    except OutOfStepsError:
        state.steps_left = 0
        state.is_called = True  # so that the note is kept
        state.unclear("the functions that nothing calls are too long to be followed")
        state.is_called = False
    except Exception:  # noqa: BLE001  # it is not run by the notebook either
        _recover(state)


def _some_instance(state: State, cls: Class) -> Instance:
    if cls.instances:
        return cls.instances[-1]
    count = 12
    return make_instance(state, cls, [UNKNOWN] * count, {})
