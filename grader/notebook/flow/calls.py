"""Calling an abstract value: functions of the notebook are gone through with what they are given."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from grader.notebook.facts import StepKind
from grader.notebook.flow import tables
from grader.notebook.flow.builtin import call_builtin
from grader.notebook.flow.containers import joined
from grader.notebook.flow.expressions import evaluate
from grader.notebook.flow.layers import apply_thing
from grader.notebook.flow.library import call_library
from grader.notebook.flow.merging import as_data, join, merge
from grader.notebook.flow.methods import call_method
from grader.notebook.flow.objects import call_instance_method, found_in, has_unknown_base, library_bases
from grader.notebook.flow.state import Frame, State
from grader.notebook.flow.statements import run_body
from grader.notebook.flow.values import (
    NONE,
    UNKNOWN,
    Bound,
    Choice,
    Class,
    Data,
    Function,
    Instance,
    Items,
    Library,
    Method,
    Scope,
    Stream,
    Table,
    Thing,
    Value,
)

MAX_DEPTH = 14  # calls inside calls that are followed
_MAX_CALLS = 30  # with those of library objects
_MAX_RECURSION = 2
_MAX_EXPANSIONS = 3  # choices inside choices that are gone through one by one


def call(state: State, function: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """Call a value with values."""
    state.depth += 1
    try:
        if state.depth > _MAX_CALLS:
            state.unclear("the calls go too deep to follow")
            return UNKNOWN
        return _call(state, function, args, kwargs)
    finally:
        state.depth -= 1


def _call(state: State, function: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    if isinstance(function, Choice):
        found: Value | None = None
        for option in function.options:
            found = join(found, call(state, option, args, kwargs))
        return found if found is not None else UNKNOWN
    if isinstance(function, Function):
        return inline(state, function, args, kwargs)
    if isinstance(function, Bound):
        return call(state, function.function, [*function.args, *args], {**function.kwargs, **kwargs})
    if isinstance(function, Class):
        return make_instance(state, function, args, kwargs)
    if isinstance(function, Instance):
        return call_instance(state, function, args, kwargs)
    if isinstance(function, Method) and isinstance(function.owner, (Class, Instance)):
        if isinstance(function.owner, Instance):
            return call_instance_method(state, function.owner, function.name, args, kwargs)
        return UNKNOWN
    return _call_foreign(state, function, args, kwargs)


def _call_foreign(state: State, function: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """Call something of a library, once for each of the values that an argument may have."""
    state.charge(*args, *kwargs.values(), function.owner if isinstance(function, Method) else NONE)
    for position, argument in enumerate(args):
        if isinstance(argument, Choice) and state.expansions < _MAX_EXPANSIONS:
            state.expansions += 1
            try:
                found: Value | None = None
                for option in argument.options:
                    given = [*args[:position], option, *args[position + 1 :]]
                    found = join(found, _call_foreign(state, function, given, kwargs))
            finally:
                state.expansions -= 1
            return found if found is not None else UNKNOWN
    if isinstance(function, Library):
        if function.name.startswith("builtins."):
            return call_builtin(state, function.name.removeprefix("builtins."), args, kwargs)
        return call_library(state, function.name, args, kwargs)
    if isinstance(function, Thing):
        return apply_thing(state, function, args, kwargs)
    if isinstance(function, Method):
        if isinstance(function.owner, Choice):
            options = [call_method(state, o, function.name, args, kwargs) for o in function.owner.options]
            return joined(options)
        return call_method(state, function.owner, function.name, args, kwargs)
    return _call_unknown(state, args, kwargs)


def _call_unknown(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    state.unclear("it is not known what is called here")
    for value in (*args, *kwargs.values()):
        if isinstance(value, (Function, Bound)):
            call(state, value, [], {})
    data = merge([as_data(value) for value in (*args, *kwargs.values())])
    if data.chain is not None:
        data = state.step(data, StepKind.OTHER, "unknown function", is_complete=False)
    return Data(chain=data.chain, origins=data.origins, gradients=data.gradients, is_known=False)


def inline(state: State, function: Function, args: Sequence[Value], kwargs: dict[str, Value]) -> Value:
    """Go through the body of a function of the notebook."""
    function.is_called = function.is_called or state.is_called
    depth = sum(1 for frame in state.frames if frame.node is function.node)
    if len(state.frames) > MAX_DEPTH or depth >= _MAX_RECURSION:
        state.unclear(f"the calls of `{function.name}` go too deep to follow")
        return _call_unknown(state, list(args), kwargs)
    names = _given(function, args, kwargs)
    frame = Frame(function.name, function.cell, Scope(names, function.scope), function.node, function.owner)
    frame.me = args[0] if function.owner is not None and args else None
    state.frames.append(frame)
    try:
        if isinstance(function.node, ast.Lambda):
            return evaluate(state, function.node.body)
        run_body(state, function.node.body)
    finally:
        state.frames.pop()
    if frame.yields:
        return Stream(joined(frame.yields))
    found: Value | None = None
    for value in frame.returns:
        found = join(found, value)
    return found if found is not None else NONE


def _given(function: Function, args: Sequence[Value], kwargs: dict[str, Value]) -> dict[str, Value]:
    """The parameters of a function and what they hold in one call; those not given are UNKNOWN."""
    arguments = function.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    names: dict[str, Value] = {}
    for parameter, default in zip(reversed(positional), reversed(function.defaults), strict=False):
        names[parameter.arg] = default
    names.update(function.keyword_defaults)
    for parameter, value in zip(positional, args, strict=False):
        names[parameter.arg] = value
    known = {parameter.arg for parameter in (*positional, *arguments.kwonlyargs)}
    names.update({name: value for name, value in kwargs.items() if name in known})
    for name in known:
        names.setdefault(name, UNKNOWN)
    if arguments.vararg is not None:
        names[arguments.vararg.arg] = Items(list(args[len(positional) :]), is_tuple=True)
    if arguments.kwarg is not None:
        names[arguments.kwarg.arg] = Table({k: v for k, v in kwargs.items() if k not in known})
    return names


def make_instance(state: State, cls: Class, args: list[Value], kwargs: dict[str, Value]) -> Instance:
    """A new object of a class of the notebook, its `__init__` gone through."""
    made = Instance(cls, {})
    if len(cls.instances) < 8:
        cls.instances.append(made)
    initializer = found_in(cls, "__init__")
    if initializer is not None:
        call(state, initializer, [made, *args], kwargs)
    else:
        made.attributes.update(dict(zip(cls.fields, args, strict=False)))
        made.attributes.update({name: value for name, value in kwargs.items() if name in cls.fields})
    if has_unknown_base(cls):
        state.unclear(f"`{cls.name}` builds upon a class that is not known here")
    return made


def call_instance(state: State, owner: Instance, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """Call an object: its `__call__`, or what Keras or PyTorch would call."""
    own = found_in(owner.cls, "__call__")
    if own is not None:
        return call(state, own, [owner, *args], kwargs)
    build = found_in(owner.cls, "build")
    if build is not None and "is built" not in owner.attributes:
        owner.attributes["is built"] = NONE
        call(state, build, [owner, UNKNOWN], {})
    for name in ("call", "forward"):
        method = found_in(owner.cls, name)
        if method is not None:
            return call(state, method, [owner, *args], kwargs)
    bases = library_bases(owner.cls)
    known = [base for base in bases if tables.last_of(base) in ("Sequential", "Model")]
    if known and "super model" in owner.attributes:
        return call(state, owner.attributes["super model"], args, kwargs)
    return _call_unknown(state, args, kwargs)
