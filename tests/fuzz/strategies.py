"""Odd input by structure: texts with every code point, mutated notebooks, Python from a grammar."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from bounded import bounded
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "200"))

Result = TypeVar("Result")

fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,  # on a busy machine it says little; see `in_time`
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
"""The settings of every test here: `FUZZ_EXAMPLES` inputs each."""


def in_time(function: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
    """What a function gives; fails when it computes for ever."""
    with bounded():
        return function(*arguments, **named)


def in_time_or_refused(
    refusal: type[Exception], function: Callable[..., Result], *arguments: Any, **named: Any
) -> Result | str:
    """As `in_time`; the sentence of a `refusal`, where there is one."""
    try:
        return in_time(function, *arguments, **named)
    except refusal as refused:
        return str(refused)


# Texts ------------------------------------------------------------------------------------------------

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
"""Every code point, lone surrogates, control characters and direction marks included."""

PIECES = (
    *(
        "a",
        " ",
        "\n",
        "\t",
        "\r",
        "\\",
        "'",
        '"',
        "`",
        "*",
        "_",
        "#",
        "-",
        "=",
        "|",
        "!",
        "[",
        "(",
        "<",
        "{",
        "$",
        "&",
    ),
    *(
        "0",
        "9.",
        "1e",
        ",",
        ":",
        ";",
        "%",
        ">",
        "~",
        "\x00",
        "\x1b[",
        "\ud800",
        "\u202e",
        "\u200b",
        "é",
        "€",
        "字",
    ),
    *(
        "acc: ",
        "loss 0.1 ",
        "0.9, ",
        "tensor(",
        "array([",
        "<b>",
        "</",
        "&amp;",
        "](",
        "![",
        "```",
        "- ",
        "1. ",
        "> ",
    ),
    *(
        "test accuracy: 0.9\n",
        "Epoch 1/2\n",
        "| a | b |\n",
        "|--|--|\n",
        "Names: ",
        "Ada ",
        "x = ",
        "# ",
        "$$",
        "\\(",
    ),
)
REPEATED = st.builds(lambda piece, times: piece * times, st.sampled_from(PIECES), st.integers(2, 5_000))
TEXTS = st.lists(ANY_TEXT | st.sampled_from(PIECES) | REPEATED, max_size=8).map("".join)
"""Texts with what parsers look for, in any order, and repeated so that quadratic ones would hang."""

ODD_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | ANY_TEXT
    | st.sampled_from([10**400, -1, "", [], {}]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)


# Notebooks --------------------------------------------------------------------------------------------


@cache
def seeds() -> tuple[dict[str, Any], ...]:
    """The references' and samples' notebooks, a few cells at a time, without images."""
    found = []
    for file in sorted(
        [*REPOSITORY.glob("reference_solutions/a1/**/*.ipynb"), *REPOSITORY.glob("submissions/a1/*/*.ipynb")]
    ):
        notebook = json.loads(file.read_text("utf-8"))
        for cell in notebook.get("cells", ()):
            for output in cell.get("outputs", ()):
                output.get("data", {}).pop("image/png", None)
        cells = notebook.get("cells", [])
        found += [{**notebook, "cells": cells[start : start + 5]} for start in range(0, len(cells), 5)]
    return tuple(found)


@st.composite
def notebooks(draw: st.DrawFn) -> dict[str, Any]:
    """A real notebook in which some places were replaced, removed, doubled or filled with odd text."""
    notebook: dict[str, Any] = json.loads(json.dumps(draw(st.sampled_from(seeds()))))
    for _ in range(draw(st.integers(0, 6))):
        _mutate(draw, notebook)
    return notebook


def _mutate(draw: st.DrawFn, value: Any) -> None:
    """Change one place somewhere below `value`."""
    while True:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        if not keys:
            return
        key = draw(st.sampled_from(list(keys)))
        inner = value[key]
        if isinstance(inner, dict | list) and inner and draw(st.integers(0, 3)):
            value = inner
            continue
        match draw(st.integers(0, 5)):
            case 0:
                value[key] = draw(ODD_JSON)
            case 1:
                del value[key]
            case 2 if isinstance(value, list):
                value.insert(key, json.loads(json.dumps(inner)))
            case 3 if isinstance(inner, str):
                value[key] = inner + draw(TEXTS)
            case 4 if isinstance(inner, str):
                at = draw(st.integers(0, len(inner)))
                value[key] = inner[:at] + draw(TEXTS) + inner[at:]
            case _:
                value[key] = draw(TEXTS)
        return


def as_file(notebook: Any) -> bytes:
    """A notebook's bytes, with lone surrogates written as JSON writes them."""
    return json.dumps(notebook).encode()


# Python -----------------------------------------------------------------------------------------------

_NAMES = st.sampled_from(
    [
        *(
            "x",
            "y",
            "w",
            "b",
            "net",
            "tape",
            "self",
            "loss",
            "step",
            "data",
            "images",
            "labels",
            "model",
            "written",
            "_",
            "é",
        ),
        *(
            "x_train",
            "y_test",
            "tf",
            "np",
            "plt",
            "keras",
            "layers",
            "range",
            "zip",
            "len",
            "print",
            "super",
            "type",
        ),
    ]
)
_ATTRIBUTES = st.sampled_from(
    [
        *(
            "shape",
            "assign_sub",
            "assign",
            "gradient",
            "append",
            "Variable",
            "matmul",
            "nn",
            "relu",
            "numpy",
            "T",
        ),
        *(
            "fit",
            "keras",
            "datasets",
            "mnist",
            "load_data",
            "train",
            "reshape",
            "random",
            "normal",
            "GradientTape",
        ),
        *(
            "apply_gradients",
            "trainable_variables",
            "layers",
            "Dense",
            "Sequential",
            "data",
            "Dataset",
            "batch",
        ),
        *(
            "__class__",
            "__dict__",
            "argmax",
            "reduce_mean",
            "imshow",
            "add",
            "items",
            "map",
            "from_tensor_slices",
        ),
    ]
)
_CONSTANTS = st.sampled_from(
    ["0", "1", "-1", "784", "0.1", "1e400", "None", "True", "'relu'", "b'x'", "...", "1j", "''"]
)
_OPERATORS = st.sampled_from(
    ["+", "-", "*", "@", "/", "//", "%", "**", "<<", "&", "|", "^", "==", "<", "in", "is", "and", "or"]
)


def _expressions(inner: SearchStrategy[str]) -> SearchStrategy[str]:
    many = st.lists(inner, max_size=3).map(", ".join)
    return st.one_of(
        st.builds("{}.{}".format, inner, _ATTRIBUTES),
        st.builds("{}({})".format, inner, many),
        st.builds("tf.{}({})".format, _ATTRIBUTES, many),
        st.builds("{}({}={}, *{}, **{})".format, inner, _NAMES, inner, inner, inner),
        st.builds("({} {} {})".format, inner, _OPERATORS, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}[{}:{}, ::{}]".format, inner, inner, inner, inner),
        st.builds("[{}]".format, many),
        st.builds("({},)".format, inner),
        st.builds("{{{}: {}}}".format, inner, inner),
        st.builds("(lambda {}, *a: {})".format, _NAMES, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("[{} for {} in {} if {}]".format, inner, _NAMES, inner, inner),
        st.builds("{{{}: {} for {} in {}}}".format, inner, inner, _NAMES, inner),
        st.builds("({} := {})".format, _NAMES, inner),
        st.builds("f'{{{}!r:>{{{}}}}}'".format, _NAMES, _NAMES),
        st.builds("(not {})".format, inner),
        st.builds("(yield {})".format, inner),
    )


EXPRESSIONS = st.recursive(_NAMES | _CONSTANTS, _expressions, max_leaves=12)


def _blocks(inner: SearchStrategy[str]) -> SearchStrategy[str]:
    body = st.lists(inner, min_size=1, max_size=4).map(
        lambda lines: textwrap.indent("\n".join(lines), "    ")
    )
    return st.one_of(
        st.builds("if {}:\n{}\nelse:\n{}".format, EXPRESSIONS, body, body),
        st.builds("for {} in {}:\n{}".format, _NAMES, EXPRESSIONS, body),
        st.builds("while {}:\n{}".format, EXPRESSIONS, body),
        st.builds("with {} as {}:\n{}".format, EXPRESSIONS, _NAMES, body),
        st.builds("with tf.GradientTape() as tape:\n{}".format, body),
        st.builds(
            "def {}({}, {}={}, *a, **k):\n{}".format, _NAMES, st.just("x"), st.just("y"), EXPRESSIONS, body
        ),
        st.builds("@{}\ndef {}(*{}):\n{}".format, EXPRESSIONS, _NAMES, _NAMES, body),
        st.builds("class {}({}):\n{}".format, _NAMES, EXPRESSIONS, body),
        st.builds(
            "try:\n{}\nexcept {} as {}:\n{}\nfinally:\n{}".format, body, EXPRESSIONS, _NAMES, body, body
        ),
        st.builds(
            "match {}:\n    case [{}, *_]:\n{}".format,
            EXPRESSIONS,
            _NAMES,
            body.map(lambda b: textwrap.indent(b, "    ")),
        ),
        st.builds("async def {}():\n{}".format, _NAMES, body),
    )


STATEMENTS = st.recursive(
    st.one_of(
        st.builds("{} = {}".format, _NAMES, EXPRESSIONS),
        st.builds("{}, *{} = {} = {}".format, _NAMES, _NAMES, _NAMES, EXPRESSIONS),
        st.builds("{}.{} = {}".format, _NAMES, _ATTRIBUTES, EXPRESSIONS),
        st.builds("{}[{}] += {}".format, _NAMES, EXPRESSIONS, EXPRESSIONS),
        st.builds("{}: {} = {}".format, _NAMES, EXPRESSIONS, EXPRESSIONS),
        EXPRESSIONS,
        st.builds("return {}".format, EXPRESSIONS),
        st.builds("del {}".format, _NAMES),
        st.builds("global {}".format, _NAMES),
        st.builds(
            "from {} import {} as {}".format,
            st.sampled_from(["tensorflow", "keras.layers", "numpy"]),
            _NAMES,
            _NAMES,
        ),
        st.builds(
            "import {} as {}".format, st.sampled_from(["tensorflow", "numpy", "keras", "os.path"]), _NAMES
        ),
        st.sampled_from(
            ["pass", "break", "continue", "raise", "%matplotlib inline", "!ls", "%%time", "x?", "?y"]
        ),
    ),
    _blocks,
    max_leaves=12,
)


@cache
def lines_of_code() -> tuple[str, ...]:
    """The lines of the references' and samples' code."""
    cells = [cell for notebook in seeds() for cell in notebook["cells"] if cell.get("cell_type") == "code"]
    sources = ["".join(cell.get("source", "")) for cell in cells]
    return tuple(dict.fromkeys(line for source in sources for line in source.split("\n")))


PROGRAMS = st.lists(
    st.one_of(STATEMENTS, st.sampled_from(lines_of_code()), TEXTS), min_size=1, max_size=8
).map("\n".join)
"""Code: from a grammar, real lines in any order, and no code at all."""
