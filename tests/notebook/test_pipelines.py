from __future__ import annotations

import pytest

from grader.notebook.code import CodeIndex
from grader.notebook.pipelines import pipelines_in
from grader.notebook.records import Cell, CellKind


def pipelines(*sources: str):
    cells = [Cell(number=n, kind=CellKind.CODE, source=source) for n, source in enumerate(sources, 1)]
    return pipelines_in(CodeIndex(cells))


def chains(*sources: str) -> list[str]:
    return ["-".join(o.name for o in pipeline.operations) for pipeline in pipelines(*sources)]


@pytest.mark.parametrize(
    "source",
    [
        "ds = tf.data.Dataset.range(10).shuffle(5).batch(3).repeat(2)",
        "ds = tf.data.Dataset.range(10)\nfor b in ds.shuffle(5).batch(3).repeat(2):\n    print(b)",
        "def f():\n    return Dataset.range(10).shuffle(5).batch(3).repeat(2)",
        "print(list(tf.data.Dataset.range(10).shuffle(5).batch(3).repeat(2)))",
    ],
)
def test_a_chain_is_read_wherever_it_stands(source: str) -> None:
    (pipeline,) = pipelines(source)
    assert (pipeline.source, pipeline.size) == ("range", 10)
    assert [(o.name, o.number) for o in pipeline.operations] == [("shuffle", 5), ("batch", 3), ("repeat", 2)]


def test_a_pipeline_is_followed_from_line_to_line_and_from_cell_to_cell() -> None:
    assert chains(
        "ds = tf.data.Dataset.range(4)\nds = ds.shuffle(4)", "ds = ds.batch(2)\nds = ds.repeat()"
    ) == [
        "shuffle",
        "shuffle-batch",
        "shuffle-batch-repeat",
    ]


def test_a_name_that_comes_to_mean_something_else_begins_anew() -> None:
    assert chains("ds = tf.data.Dataset.range(4).batch(2)\nds = load()\nds.shuffle(3)") == [
        "batch",
        "shuffle",
    ]


def test_numbers_behind_names_and_keywords_are_read() -> None:
    (pipeline,) = pipelines(
        "n = 60000\nds = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(buffer_size=n)"
    )
    operation = pipeline.find("shuffle")
    assert operation is not None
    assert (operation.number, operation.options) == (60000, frozenset({"buffer_size"}))


def test_what_shuffles_other_things_is_no_pipeline() -> None:
    assert chains("import random, numpy as np\nrandom.shuffle(x)\nnp.random.shuffle(x)") == []
