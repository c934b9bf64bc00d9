"""Experiments of a notebook with `Dataset.range`: the batches that its cells print, as traces.

Only where a cell builds a single order of shuffle, batch and repeat, with numbers that can be read, and
prints exactly the batches of one or several passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from grader.notebook.code import CodeIndex
from grader.notebook.pipelines import Pipeline, pipelines_in
from grader.notebook.records import Notebook, OutputKind
from grader.oracles.orders import OPERATIONS
from grader.oracles.traces import Batch, Trace

_BATCH = re.compile(r"\[\s*(\d{1,6}(?:[\s,]+\d{1,6})*)\s*\]")
_MOST_CHARS = 50_000
_MOST_TRACES = 60


def own_traces(code: CodeIndex, executed: Notebook) -> tuple[tuple[int, Trace], ...]:
    """The traces that the cells of `executed` print, each with its cell; `code` is the notebook's."""
    by_cell: dict[int, dict[tuple[str, ...], Pipeline]] = {}
    for pipeline in pipelines_in(code):
        order = pipeline.names(OPERATIONS)
        if sorted(order) == sorted(OPERATIONS):
            by_cell.setdefault(pipeline.cell, {})[order] = pipeline
    printed = {cell.number: cell for cell in executed.code_cells}
    found: list[tuple[int, Trace]] = []
    for number, built in by_cell.items():
        if len(built) == 1 and number in printed and len(found) < _MOST_TRACES:
            texts = (o.text for o in printed[number].outputs if o.kind is not OutputKind.ERROR)
            trace = _trace(next(iter(built.values())), tuple(_batches(texts)))
            found += [(number, trace)] if trace is not None else []
    return tuple(found)


def _batches(texts: Iterable[str]) -> Iterator[Batch]:
    for text in texts:
        for found in _BATCH.finditer(text[:_MOST_CHARS]):
            yield tuple(int(number) for number in re.findall(r"\d+", found[1]))


def _trace(pipeline: Pipeline, batches: tuple[Batch, ...]) -> Trace | None:
    """The trace of what a pipeline printed; None when numbers are missing or do not add up."""
    numbers = {o.name: o.number for o in pipeline.operations if o.name in OPERATIONS}
    examples, epochs, size = pipeline.size, numbers["repeat"], numbers["batch"]
    if pipeline.source != "range" or not examples or not epochs or not size or not numbers["shuffle"]:
        return None
    passes: list[tuple[Batch, ...]] = []
    current: list[Batch] = []
    for batch in batches:
        current.append(batch)
        if sum(map(len, current)) == examples * epochs:
            passes.append(tuple(current))
            current = []
    is_whole = not current and all(0 <= x < examples for batch in batches for x in batch)
    if not passes or not is_whole or any(len(batch) > size for batch in batches):
        return None
    return Trace(
        order="-".join(pipeline.names(OPERATIONS)),
        examples=examples,
        batch_size=size,
        buffer=numbers["shuffle"],
        epochs=epochs,
        seed=0,
        passes=tuple(passes),
    )
