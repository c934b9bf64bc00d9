"""Attributes of all values, and objects of the notebook's own classes: their methods and variables."""

from __future__ import annotations

from collections.abc import Iterator

from grader.notebook.code import canonical
from grader.notebook.facts import Level, Start
from grader.notebook.flow import tables
from grader.notebook.flow.layers import initial, model_method, shape_of
from grader.notebook.flow.merging import join
from grader.notebook.flow.methods import attribute
from grader.notebook.flow.state import State
from grader.notebook.flow.values import (
    NONE,
    NUMBER,
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
    Table,
    Thing,
    Value,
    Variable,
)

_VARIABLES = {"trainable_variables", "variables", "trainable_weights", "weights"}


def lineage(cls: Class, depth: int = 0) -> Iterator[Class]:
    """A class and its bases among the notebook's own classes, nearest first."""
    yield cls
    if depth < 8:
        for base in cls.bases:
            if isinstance(base, Class) and base is not cls:
                yield from lineage(base, depth + 1)


def library_bases(cls: Class) -> list[str]:
    """The canonical names of the library classes that a class builds upon."""
    return [base.name for own in lineage(cls) for base in own.bases if isinstance(base, Library)]


def has_unknown_base(cls: Class) -> bool:
    """True when a class builds upon something that is not known here."""
    bases = [base for own in lineage(cls) for base in own.bases]
    return any(
        not isinstance(base, (Class, Library))
        or (isinstance(base, Library) and tables.root_of(base.name) not in tables.HARMLESS | {"builtins"})
        for base in bases
    )


def found_in(cls: Class, name: str, *, after: Class | None = None) -> Value | None:
    """What a class or its bases hold under a name; with `after`, only the bases behind that class."""
    is_reached = after is None
    for own in lineage(cls):
        if is_reached and name in own.names:
            return own.names[name]
        is_reached = is_reached or own is after
    return None


def attribute_of(state: State, owner: Value, name: str) -> Value:
    """`owner.name`."""
    if isinstance(owner, Choice):
        found: Value | None = None
        for option in owner.options:
            found = join(found, attribute_of(state, option, name))
        return found if found is not None else UNKNOWN
    if isinstance(owner, Library):
        return Library(canonical(f"{owner.name}.{name}"))
    if isinstance(owner, Instance):
        return _instance_attribute(state, owner, name)
    if isinstance(owner, Class):
        inside = found_in(owner, name)
        if isinstance(inside, Function) and inside.kind == "class":
            return Bound(inside, [owner])
        return inside if inside is not None else Method(owner, name)
    if isinstance(owner, Thing) and owner.name == "builtins.super":
        return _super_attribute(owner, name)
    return attribute(state, owner, name)


def _super_attribute(owner: Thing, name: str) -> Value:
    me, cls = owner.state.get("me"), owner.state.get("class")
    if isinstance(me, Instance) and isinstance(cls, Class):
        inside = found_in(me.cls, name, after=cls)
        if inside is not None:
            return Bound(inside, [me])
        if name != "__init__":
            return Method(me, name)
    return Library("builtins.nothing")


def _instance_attribute(state: State, owner: Instance, name: str) -> Value:
    if name in owner.attributes:
        return owner.attributes[name]
    inside = found_in(owner.cls, name)
    if isinstance(inside, Function):
        if inside.kind == "static":
            return inside
        bound = Bound(inside, [owner.cls if inside.kind == "class" else owner])
        return state.call(bound, [], {}) if inside.kind == "property" else bound
    if inside is not None:
        return inside
    if name in _VARIABLES:
        return Items(list(variables_in(owner)))
    if name == "__class__":
        return owner.cls
    return Method(owner, name)


def variables_in(value: Value) -> Iterator[Variable]:
    """The variables that an object holds, in the order they were made, each once."""
    stack: list[Value] = [value]
    seen: set[int] = set()
    while stack and len(seen) < 2000:
        found = stack.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, Variable):
            yield found
        elif isinstance(found, Instance):
            stack.extend(list(found.attributes.values())[::-1])
        elif isinstance(found, Items):
            stack.extend(found.items[::-1])
        elif isinstance(found, Table):
            stack.extend(list(found.items.values())[::-1])
        elif isinstance(found, Thing):
            stack.extend(list(found.state.values())[::-1])


def call_instance_method(
    state: State, owner: Instance, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """A method that an object has from a library's class (or does not have at all)."""
    if name in ("add_weight", "add_variable"):
        return _add_weight(state, args, kwargs)
    if name in ("__init__", "__setattr__", "__enter__", "__exit__", "build", "register_buffer"):
        return owner if name == "__enter__" else NONE
    if name in ("__call__", "call", "forward"):
        return state.call(owner, args, kwargs)
    bases = library_bases(owner.cls)
    if any(base.startswith(("tf.", "torch.")) for base in bases):
        done = model_method(state, owner, name, args, kwargs)
        if done is not None:
            return done
    if has_unknown_base(owner.cls) or not bases:
        state.unclear(f"`{owner.cls.name}` has no method `{name}` here")
        return Data(is_known=False)
    return NUMBER


def _add_weight(state: State, args: list[Value], kwargs: dict[str, Value]) -> Variable:
    shape = kwargs.get("shape")
    shape = shape if shape is not None else next((arg for arg in args if isinstance(arg, Items)), None)
    initializer = kwargs.get("initializer")
    made = Data(start=Start.DEFAULT, how="default", shape=shape_of(shape))
    if initializer is not None:
        made = initial(initializer, shape)
    return Variable(state.new_weight(made, how="", level=Level.TENSORFLOW))
