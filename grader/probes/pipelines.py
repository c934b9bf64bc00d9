"""tf.data pipelines that are iterated: how they are built, what they really yield, and what they feed."""

from __future__ import annotations

import contextlib
import json
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from probes.chains import GIVEN_SEED, chain_of, spec_of
from probes.feeds import Feed, feed_of
from probes.hearing import Hearing, heard
from probes.hooks import Hooks

MOST_PIPELINES = 200
_LOOKED_AT = 3  # elements whose values are looked at
_MOST_COMPONENTS = 4
_PIPELINE = "_recorded_pipeline"  # of an iterator
_ARGUMENT = "_VariantDataset"  # what a data set is within a function that it was given to
_LOOPS = ("_ScanDataset", "_TakeWhileDataset")
_LARGEST = 20_000_000  # numbers in a component beyond which it is not looked at


class Pipeline:
    """One data set that was iterated; `draws` counts the elements taken from it in Python.

    `run` is the cell where that began, `where` "loop" or the method of a Keras model that it was given to.
    """

    def __init__(self, number: int, chain: list[dict[str, Any]], dataset: Any, run: int, where: str) -> None:
        self.id = number
        self.run = run
        self.where = where
        self.dataset = weakref.ref(dataset)
        self.kept: Any = None  # the data set, where only a graph goes over it: to be looked into at the end
        self.chain = chain
        self.spec = spec_of(dataset)
        self.iterations = 0
        self.draws = 0
        self.seen: list[dict[str, Any]] = []
        self.feeds: list[Feed] = []  # of a graph that takes elements by itself
        self.told: tuple[int, ...] = ()

    @property
    def elements(self) -> list[dict[str, Any]]:
        """What the first elements were: per component dtype, shape, least and largest value over all."""
        if self.seen:
            return self.seen
        return [_seen_through(feed) for feed in self.feeds if feed.rows is not None and feed.rows.any()]

    @property
    def counts(self) -> tuple[int, ...]:
        """What changes while it is used."""
        return self.iterations, self.draws, len(self.elements)


class Pipelines:
    """All pipelines of one run, and which of them was drawn from last."""

    def __init__(self, hearing: Hearing, current_run: Callable[[], int]) -> None:
        self.hearing = hearing
        self.found: list[Pipeline] = []
        self.drawn: Pipeline | None = None  # from which the last element came
        self.open: list[
            Pipeline | None
        ] = []  # that a graph under construction, or a method of Keras, goes over
        self.given: Callable[[], list[Any]] = (
            list  # data sets and iterators given to the compiled functions at work
        )
        self._by_dataset: weakref.WeakKeyDictionary[Any, Pipeline] = weakref.WeakKeyDictionary()
        self._alike: dict[tuple[int, str, str], Pipeline] = {}
        self._current_run = current_run

    def hook_in(self, hooks: Hooks) -> None:
        """Listen to data sets and their iterators."""
        from tensorflow.python.data.ops import dataset_ops, iterator_ops, scan_op, shuffle_op

        hooks.replace(shuffle_op._ShuffleDataset, "__init__", _keeping_the_seed)
        hooks.replace(dataset_ops.DatasetV2, "__iter__", self._iterating)
        hooks.replace(dataset_ops.DatasetV2, "reduce", self._reducing)
        hooks.replace(scan_op._ScanDataset, "__init__", self._scanning)
        hooks.replace(iterator_ops.OwnedIterator, "__next__", self._drawing)
        hooks.replace(iterator_ops.OwnedIterator, "get_next", self._drawing)

    def cell_ended(self) -> None:
        """Forget what an interrupted cell has left open."""
        self.open.clear()
        self.drawn = None

    def opened(self, data: Any, where: str) -> None:
        """A method of a Keras model is given data, which it goes over by itself."""
        self.open.append(self._pipeline_of(data, where))

    def closed(self) -> None:
        """It is done."""
        if self.open:
            self.open.pop()

    def in_graph(self) -> Pipeline | None:
        """What the graph under construction takes elements from: what it goes over, or an iterator given."""
        if self.open:
            return self.open[-1]
        given = {id(found): found for one in self.given() if (found := getattr(one, _PIPELINE, None))}
        if len(given) != 1:
            return None
        (pipeline,) = given.values()
        pipeline.kept = pipeline.dataset()
        return pipeline

    def look_into(self, seconds: float) -> None:
        """At the end: draw one element of those that only graphs have drawn from, as far as time allows."""
        until = time.monotonic() + seconds
        for pipeline in self.found:
            dataset, pipeline.kept = pipeline.dataset(), None
            is_pure = not any(node["op"] == "from_generator" for node in pipeline.chain)
            if pipeline.elements or dataset is None or not is_pure or time.monotonic() > until:
                continue
            with contextlib.suppress(Exception):  # the notebook's own functions are in there
                _note(pipeline, next(iter(dataset)))

    @heard
    def _pipeline_of(self, dataset: Any, where: str) -> Pipeline | None:
        """The pipeline that ends in a data set, None for anything else or when there are too many."""
        if not hasattr(dataset, "element_spec") or not hasattr(dataset, "_inputs"):
            return None
        dataset = self._outside(dataset)
        pipeline = self._by_dataset.get(dataset)
        if pipeline is not None:
            return pipeline
        chain = chain_of(dataset, self._outside)
        key = (self._current_run(), where, json.dumps(chain, default=str))
        pipeline = self._alike.get(key)  # built again, say in each epoch
        if pipeline is None and len(self.found) < MOST_PIPELINES:
            pipeline = self._alike[key] = Pipeline(len(self.found) + 1, chain, dataset, key[0], where)
            self.found.append(pipeline)
        if pipeline is not None:
            pipeline.dataset = weakref.ref(dataset)
            self._by_dataset[dataset] = pipeline
        return pipeline

    def _outside(self, dataset: Any) -> Any:
        """What an argument of a compiled function stands for, where only one data set given to it fits."""
        if type(dataset).__name__ != _ARGUMENT:
            return dataset
        fitting = [given for given in self.given() if given.element_spec == dataset.element_spec]
        one = {id(given): given for given in fitting if type(given).__name__ != _ARGUMENT}
        return next(iter(one.values())) if len(one) == 1 else dataset

    def _in_use(self, dataset: Any) -> Pipeline | None:
        """The pipeline that is gone over now; what Keras iterates is derived from what it was given."""
        pipeline = self.open[-1] if self.open else self._pipeline_of(dataset, "loop")
        if pipeline is not None:
            pipeline.iterations += 1
        return pipeline

    def _iterating(self, original: Any) -> Any:
        def __iter__(dataset: Any) -> Any:  # noqa: N807 - stands in for the method
            iterator = original(dataset)
            setattr(iterator, _PIPELINE, self._in_use(dataset))
            return iterator

        return __iter__

    def _reducing(self, original: Any) -> Any:
        def reduce(dataset: Any, *values: Any, **named: Any) -> Any:
            if type(dataset).__name__ in _LOOPS:  # its body has been built already
                return original(dataset, *values, **named)
            with self._while_open(dataset):
                return original(dataset, *values, **named)

        return reduce

    def _scanning(self, original: Any) -> Any:
        """A loop over a data set within a `tf.function` becomes a scan."""

        def __init__(scan: Any, dataset: Any, *values: Any, **named: Any) -> None:  # noqa: N807 - stands in
            with self._while_open(dataset):
                original(scan, dataset, *values, **named)

        return __init__

    @contextlib.contextmanager
    def _while_open(self, dataset: Any) -> Iterator[None]:
        pipeline = self._in_use(dataset)
        if pipeline is not None:
            pipeline.kept = pipeline.dataset()
        self.open.append(pipeline)
        try:
            yield
        finally:
            self.closed()

    def _drawing(self, original: Any) -> Any:
        def take(iterator: Any) -> Any:
            element = original(iterator)
            pipeline = getattr(iterator, _PIPELINE, None)
            if pipeline is not None:
                pipeline.draws += 1
                self.drawn = pipeline
                if pipeline.draws <= _LOOKED_AT:
                    self._look(pipeline, element)
            elif self.open and self.open[-1] is not None:  # Keras hands its iterator to a graph
                self._look(self.open[-1], element)
            return element

        return take

    @heard
    def _look(self, pipeline: Pipeline, element: Any) -> None:
        _note(pipeline, element)


def _keeping_the_seed(original: Any) -> Any:
    def __init__(  # noqa: N807 - stands in for the method
        dataset: Any, input_dataset: Any, buffer_size: Any, seed: Any = None, *rest: Any, **named: Any
    ) -> None:
        original(dataset, input_dataset, buffer_size, seed, *rest, **named)
        setattr(dataset, GIVEN_SEED, seed)

    return __init__


def _note(pipeline: Pipeline, element: Any) -> None:
    """Note what an element is; in a graph, let it copy some of its values."""
    import tensorflow as tf

    components = [part for part in tf.nest.flatten(element) if hasattr(part, "dtype")]
    components = components[:_MOST_COMPONENTS]
    if not all(hasattr(part, "numpy") for part in components):
        feeds = [feed_of(part) for part in components if not pipeline.feeds]
        pipeline.feeds += [feed for feed in feeds if feed is not None]
    elif len(pipeline.seen) in (0, len(components)):
        seen = [_seen(part) for part in components]
        old = pipeline.seen or seen
        pipeline.seen = [_together(*pair) for pair in zip(old, seen, strict=True)]


def _seen(component: Any) -> dict[str, Any]:
    values = component.numpy()
    told = {"dtype": component.dtype.name, "shape": [int(dim) for dim in component.shape]}
    if not 0 < component.shape.num_elements() <= _LARGEST or not np.issubdtype(
        np.asarray(values).dtype, np.number
    ):
        return told | {"least": None, "largest": None}
    return told | {"least": _finite(values.min()), "largest": _finite(values.max())}


def _seen_through(feed: Feed) -> dict[str, Any]:
    rows = feed.rows
    least, largest = (None, None) if rows is None else (_finite(rows.min()), _finite(rows.max()))
    shape = [None, *feed.row_shape]
    return {"dtype": feed.dtype.name, "shape": shape, "least": least, "largest": largest}


def _together(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The first shape, the values of both."""
    if old["least"] is None or new["least"] is None:
        return old
    return old | {"least": min(old["least"], new["least"]), "largest": max(old["largest"], new["largest"])}


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
