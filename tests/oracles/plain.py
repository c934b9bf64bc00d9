"""Datasets in plain Python that do what tf.data does, and the facts about orders that they give."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from grader.oracles.orders import OrderFound, orders_found
from grader.oracles.scripts import orders as script
from grader.oracles.traces import Trace

Makers = Mapping[str, Callable[..., Any]]


class Pipeline:
    """A dataset in plain Python: what iterates anew each time it is asked."""

    def __init__(self, iterate: Callable[[], Iterator[Any]]) -> None:
        self.iterate = iterate

    def __iter__(self) -> Iterator[Any]:
        return self.iterate()


def shuffled(data: Pipeline, settings: Mapping[str, int], *, is_new_each_time: bool = True) -> Pipeline:
    """Drawn from a buffer that is filled up again, as tf.data does it."""
    generator = random.Random(settings["seed"])

    def iterate() -> Iterator[Any]:
        draw = generator if is_new_each_time else random.Random(settings["seed"])
        buffer: list[Any] = []
        for item in data:
            buffer.append(item)
            if len(buffer) == settings["buffer"]:
                yield buffer.pop(draw.randrange(len(buffer)))
        draw.shuffle(buffer)
        yield from buffer

    return Pipeline(iterate)


def batched(data: Pipeline, settings: Mapping[str, int], *, drops_remainder: bool = False) -> Pipeline:
    def iterate() -> Iterator[list[Any]]:
        batch: list[Any] = []
        for item in data:
            batch.append(item)
            if len(batch) == settings["batch_size"]:
                yield batch
                batch = []
        if batch and not drops_remainder:
            yield batch

    return Pipeline(iterate)


def repeated(data: Pipeline, settings: Mapping[str, int]) -> Pipeline:
    return Pipeline(lambda: (item for _ in range(settings["epochs"]) for item in data))


def makers(**changed: Callable[..., Any]) -> Makers:
    plain = {
        "range": lambda settings: Pipeline(lambda: iter(range(settings["examples"]))),
        "shuffle": shuffled,
        "batch": batched,
        "repeat": repeated,
    }
    return {**plain, **changed}


def found_with(using: Makers) -> dict[str, OrderFound]:
    return orders_found([Trace.model_validate(trace) for trace in script.run(using)])
