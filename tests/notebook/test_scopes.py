"""Names that are used before they exist: what surely fails is told, and nothing else."""

from __future__ import annotations

import pytest

from grader.notebook.code import CodeIndex
from grader.notebook.records import Cell, CellKind
from grader.notebook.scopes import NamesRead, Unbound, read_names


def names_in(*sources: str) -> NamesRead:
    cells = [
        Cell(number=number, kind=CellKind.CODE, source=source) for number, source in enumerate(sources, 1)
    ]
    return read_names(CodeIndex(cells))


def unbound_in(*sources: str) -> list[tuple[str, int]]:
    return [(one.name, one.cell) for one in names_in(*sources).unbound]


def test_a_name_that_no_cell_sets_is_told_once():
    assert names_in("print(h)", "print(h)").unbound == (Unbound("h", 1, 1, None),)


def test_a_name_that_is_set_further_down_is_told_with_its_cell():
    assert names_in("x + 1", "x = 1", "x + 1").unbound == (Unbound("x", 1, 1, 2),)


def test_a_name_used_above_its_line_is_told_with_its_own_cell():
    assert names_in("print(x)\nx = 1").unbound == (Unbound("x", 1, 1, 1),)


def test_a_deleted_name_is_told_with_where_it_was_deleted():
    assert names_in("x = 1", "del x", "x").unbound == (Unbound("x", 3, 1, None, 2),)


def test_a_function_needs_its_names_when_it_is_called_not_when_it_is_defined():
    definition = "def f():\n    return rate * 2"
    assert unbound_in(definition, "rate = 1", "f()") == []
    assert unbound_in(definition) == []
    assert names_in(definition, "f()", "rate = 1").unbound == (Unbound("rate", 2, 1, 3, None, "f"),)


def test_what_a_called_function_calls_is_followed():
    cells = ("def inner():\n    return w", "def outer():\n    return inner()", "outer()")
    assert names_in(*cells).unbound == (Unbound("w", 3, 1, None, None, "inner"),)


def test_functions_that_call_each_other_end():
    assert unbound_in("def f(n):\n    return g(n)\ndef g(n):\n    return f(n) + w", "f(1)") == [("w", 2)]


def test_making_an_instance_needs_what_its_init_reads():
    cell = (
        "class A:\n    def __init__(self):\n        self.w = start\n    def call(self):\n        return other"
    )
    assert unbound_in(cell, "A()") == [("start", 2)]


@pytest.mark.parametrize(
    "source",
    [
        "if False:\n    nothing",
        "try:\n    nothing\nexcept NameError:\n    nothing = 1",
        "import contextlib\nwith contextlib.suppress(NameError):\n    nothing",
        "a = 1 or nothing",
        "a = 1 if True else nothing",
        "f = lambda: nothing",
        "def f():\n    yield nothing\nf()",
        "def f(a):\n    if a:\n        return 1\n    return nothing\nf(1)",
        "[y for x in [1] for y in [x]]",
        "{k: v for k, v in {}.items()}",
        "print(_, __, _1, _i2, Out[1], In[0], get_ipython(), display(1))",
        "%%capture said\nprint(1)",
        "files = !ls\nprint(files)",
        "for i in range(3):\n    pass\nprint(i)",
        "with open('f') as g, open('h') as h:\n    print(g, h)",
        "import os.path as p, sys\nprint(p, sys)",
        "if (n := 10) > 5:\n    print(n)",
        "try:\n    pass\nexcept ValueError as e:\n    print(e)",
        "match 1:\n    case int(x):\n        print(x)\n    case {**rest}:\n        print(rest)",
        "a, (b, *c) = 1, (2, 3)\nprint(a, b, c)",
        "def f():\n    global made\n    made = 1\nf()\nprint(made)",
        "class A:\n    x = 1\n    y = x",
        "x: int = 1\nprint(x)",
        "def f(n: Missing) -> Missing:\n    return n\nf(1)",
        "def f(*args, k=1, **more):\n    return args, k, more\nf()",
    ],
)
def test_what_may_be_right_is_not_told(source):
    assert unbound_in(source) == []


@pytest.mark.parametrize(
    "source",
    [
        *("x += 1", "nothing[0] = 1", "nothing.a = 1", "print(f'{nothing}')", "def f(a=nothing): pass"),
        *("class A(nothing): pass", "@nothing\ndef f(): pass", "[nothing for _ in range(3)]"),
        *("for i in nothing: pass", "for i in range(2):\n    nothing", "with nothing:\n    pass"),
        *("if __name__ == '__main__':\n    nothing", "print([x for x in nothing])"),
    ],
)
def test_every_way_to_use_a_name_is_seen(source):
    assert len(unbound_in(source)) == 1


@pytest.mark.parametrize(
    "source",
    ["from numpy import *", "exec('x = 1')", "globals()['x'] = 1", "%run helper.py", "%pylab inline",
     "get_ipython().run_line_magic('run', 'helper.py')"],
)  # fmt: skip
def test_where_names_come_from_elsewhere_the_rest_cannot_be_told(source):
    read = names_in("early", source, "x")
    assert [one.name for one in read.unbound] == ["early"]
    assert read.unknown_from == 2


def test_what_a_cell_that_does_not_parse_would_set_counts_as_set():
    assert unbound_in("x = = 1\ny = 2", "print(x, y)") == []


def test_a_notebook_of_many_calls_is_read_quickly():
    functions = "\n".join(f"def f{n}():\n    return f{n - 1}()" for n in range(1, 200))
    assert unbound_in("def f0():\n    return w", functions, *["f199()"] * 50) == [("w", 3)]
