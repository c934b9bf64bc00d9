"""Runs in the room: real tf.data pipelines over small ranges, in all six orders; prints what they give.

`run(makers)` is called with the operations, so that a test can change them. Output, one line of JSON: see
`grader/oracles/orders.py`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

MARK = "orders: "
SIZES = ((10, 4), (9, 3), (12, 5), (3, 4))  # (examples, batch size): one divides evenly, one is larger
BUFFERS = (3, 100)
EPOCHS = 3
SEEDS = (1, 2, 3)
PASSES = 2


Makers = Mapping[str, Callable[..., Any]]


def tensorflow_makers() -> Makers:
    """`range` as a function of the settings; the operations as functions of a dataset and the settings."""
    import tensorflow as tf

    return {
        "range": lambda settings: tf.data.Dataset.range(settings["examples"]),
        "shuffle": lambda data, settings: data.shuffle(settings["buffer"], seed=settings["seed"]),
        "batch": lambda data, settings: data.batch(settings["batch_size"]),
        "repeat": lambda data, settings: data.repeat(settings["epochs"]),
    }


def run(makers: Makers) -> list[dict[str, Any]]:
    """The traces of every order in every setting, as plain lists."""
    traces: list[dict[str, Any]] = []
    for order in itertools.permutations(("shuffle", "batch", "repeat")):
        for (examples, batch_size), buffer, seed in itertools.product(SIZES, BUFFERS, SEEDS):
            settings = {
                "examples": examples,
                "batch_size": batch_size,
                "buffer": buffer,
                "epochs": EPOCHS,
                "seed": seed,
            }
            data = makers["range"](settings)
            for operation in order:
                data = makers[operation](data, settings)
            passes = [[[int(x) for x in batch] for batch in data] for _ in range(PASSES)]
            traces.append({"order": "-".join(order), **settings, "passes": passes})
    return traces


if __name__ == "__main__":
    print(MARK + json.dumps(run(tensorflow_makers())))
