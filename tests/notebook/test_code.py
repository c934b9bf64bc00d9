from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.notebook.code import CodeIndex, canonical, clean_source
from grader.notebook.records import Cell, CellKind


def an_index(*sources: str) -> CodeIndex:
    return CodeIndex([Cell(number=n, kind=CellKind.CODE, source=s) for n, s in enumerate(sources, start=1)])


def names(index: CodeIndex, prefix: str) -> list[tuple[str, int]]:
    return [(use.name, use.cell) for use in index.uses(prefix)]


@pytest.mark.parametrize(
    ("source", "cleaned"),
    [
        ("%matplotlib inline\nx = 1", "\nx = 1"),
        ("!pip install tensorflow==2.0\nx = 1", "\nx = 1"),
        ("files = !ls -l\nx = 1", "files = None\nx = 1"),
        ("w = %env HOME", "w = None"),
        ("?tf.matmul\ntf.matmul?", "\n"),
        ("if True:\n    !ls\n    %time f(3)", "if True:\n    pass\n    f(3)"),
        ("%%time\nx = 1", "\nx = 1"),
        ("\n%%capture out\nx = 1", "\n\nx = 1"),
        ("%%bash\nrm -rf logs\nif x", "\n\n"),
        ("!wget a \\\n  b\nx = 1", "\n\nx = 1"),
        ('s = """\n%d of\n!not a shell line\n"""', 's = """\n%d of\n!not a shell line\n"""'),
        ("x = (3\n  % 4)", "x = (3\n  % 4)"),
        ("x = 3 \\\n  % 4", "x = 3 \\\n  % 4"),
        ("print('it''s # no comment')\n%load_ext tensorboard", "print('it''s # no comment')\n"),
    ],
)
def test_what_is_not_python_is_blanked_and_the_rest_stays(source: str, cleaned: str) -> None:
    assert clean_source(source) == cleaned
    assert clean_source(source).count("\n") == source.count("\n")


@pytest.mark.parametrize(
    ("imports", "used", "name"),
    [
        ("import tensorflow as tf", "tf.nn.relu", "tf.nn.relu"),
        ("import tensorflow", "tensorflow.nn.relu", "tf.nn.relu"),
        ("from tensorflow.keras import layers as L", "L.LSTM", "tf.keras.layers.LSTM"),
        ("from tensorflow.python.keras.layers import LSTM", "LSTM", "tf.keras.layers.LSTM"),
        ("import keras", "keras.layers.LSTM", "tf.keras.layers.LSTM"),
        ("from keras.layers import LSTM as Zelle", "Zelle", "tf.keras.layers.LSTM"),
        ("import tensorflow.compat.v2 as t2", "t2.nn.relu", "tf.nn.relu"),
        ("import numpy", "numpy.zeros", "np.zeros"),
        ("import tensorflow as tf\nlayers = tf.keras.layers", "layers.LSTM", "tf.keras.layers.LSTM"),
        ("import matplotlib.pyplot as plt", "plt.imshow", "plt.imshow"),
    ],
)
def test_names_are_resolved_through_imports(imports: str, used: str, name: str) -> None:
    index = an_index(imports, f"{used}(3)")
    assert (name, 2) in names(index, name)
    assert [cell for cell, _ in index.calls(name)] == [2]


def test_a_use_below_a_prefix_is_found_and_a_longer_word_is_not() -> None:
    index = an_index("import tensorflow as tf\ntf.keras.layers.Dense(2)\ntf.keras_something()")
    assert names(index, "tf.keras") == [("tf.keras.layers.Dense", 1)]


def test_a_name_that_comes_to_mean_something_else_is_no_use() -> None:
    index = an_index("from keras.layers import Dense", "Dense(1)", "def Dense(n): pass", "Dense(2)")
    assert [cell for cell, _ in index.calls("tf.keras.layers.Dense")] == [2]


def test_a_parameter_hides_an_import() -> None:
    assert names(an_index("import numpy as np\ndef f(np):\n    return np.zeros"), "np") == []


def test_code_that_stands_before_its_import_is_resolved() -> None:
    index = an_index("def f():\n    return tf.zeros(3)", "import tensorflow as tf")
    assert names(index, "tf") == [("tf.zeros", 1)]


def test_comments_and_strings_are_not_code() -> None:
    index = an_index("import tensorflow as tf\n# tf.nn.relu(3)\n'tf.nn.relu'\n")
    assert names(index, "tf") == []


def test_a_broken_cell_keeps_what_stands_around_the_break() -> None:
    index = an_index("import tensorflow as tf\nprint 'python 2'\n\ndef f(x):\n    return tf.nn.relu(x)\n")
    assert [cell for cell, _ in index.unparsed] == [1]
    assert "line 2" in index.unparsed[0][1]
    assert [(use.name, use.line) for use in index.uses("tf")] == [("tf.nn.relu", 5)]


def test_imports_are_listed_by_their_top_level_name() -> None:
    index = an_index("import os.path as p, numpy", "from a.b import c\nfrom . import d")
    assert [(found.module, found.cell) for found in index.imports] == [("os", 1), ("numpy", 1), ("a", 2)]


@pytest.mark.parametrize(
    "source",
    [
        "(" * 5000,
        "x = " + "-" * 50_000 + "1",
        "x = " + "+".join(["1"] * 20_000),
        "x = " + "[" * 150 + "]" * 150,
        "x = 1\n" * 600_000,
        "\0",
        "x = '\ud800'",
        "x = " + "9" * 10_000,
        "def f(:\n" * 2000,
    ],
)
def test_absurd_code_is_recorded_and_never_raises(source: str) -> None:
    index = an_index(source, "import os")
    assert {cell for cell, _ in index.unparsed} == {1}
    assert [found.module for found in index.imports] == ["os"]


def test_the_source_is_given_as_handed_in() -> None:
    assert an_index("%time x").source(1) == "%time x"
    assert an_index("x").source(7) == ""


def test_canonical_names_stay_as_they_are() -> None:
    assert canonical(canonical("tensorflow.keras.layers.Dense")) == "tf.keras.layers.Dense"
    assert canonical("kerastuner.x") == "kerastuner.x"


@given(st.lists(st.text(alphabet=st.sampled_from("%!?\\'\"#()[]{}=xtf.:\n \t")), max_size=4))
def test_garbage_never_raises(sources: list[str]) -> None:
    index = an_index(*sources)
    assert index.uses("tf") == ()
    for source in sources:
        assert clean_source(source).count("\n") == source.replace("\r\n", "\n").count("\n")


@given(st.text())
def test_what_parses_as_python_is_left_alone(text: str) -> None:
    source = f"x = {text!r}\ny = (1,\n 2)"
    assert ast.dump(ast.parse(clean_source(source))) == ast.dump(ast.parse(source))
