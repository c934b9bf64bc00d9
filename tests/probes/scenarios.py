"""Run as a program beside the recorder: trains small nets in many styles, one style a "cell".

usage: scenarios.py GRADER_FOLDER WORK_FOLDER [STYLE ...]

Leaves WORK_FOLDER/said.json: `facts` (all that was sent) and `cells`, per style the position of the cell and
the classes that the style's own model gives for the inputs at the end of the cell. said-in-a-fork.json is the
same of a few styles, in a fork of the process that has put the hooks in and imported TensorFlow.
"""

import json
import os
import sys

import stage  # first: the recorder is there before TensorFlow
from probes import recorder

import keras_styles  # isort: skip
import low_level_styles  # isort: skip
import model_and_pipeline_styles  # isort: skip
import numpy as np
import tensorflow as tf

IN_A_FORK = ("list_of_weights", "functional_in_a_compiled_step", "own_train_step")


def styles():
    for module in (low_level_styles, keras_styles, model_and_pipeline_styles):
        yield from module.STYLES


def run(chosen, to, *, watches):
    """Begin to record, run the styles that are chosen, and leave behind what was said."""
    facts = []
    recorder.begin(lambda kind, word="", **fact: facts.append({"kind": kind, **fact}), watches=watches)
    cells = {}
    for number, style in enumerate(styles(), start=1):
        if style.__name__ not in chosen:
            recorder.cell_ended()
            continue
        tf.random.set_seed(number)
        net = style()
        recorder.cell_ended()
        with recorder._recorder.hearing.closed():
            inputs = getattr(style, "inputs", stage.INPUTS)
            classes = None if net is None else np.argmax(np.asarray(net(inputs)), axis=1).tolist()
        cells[style.__name__] = {"run": number, "classes": classes}
    recorder.measure(str(stage.WORK / "inputs"), 100, "word")
    failure = recorder._recorder.hearing.first_failure
    to.write_text(json.dumps({"facts": facts, "cells": cells, "failure": failure}, default=str))


def main():
    """A fork first, while TensorFlow has done nothing yet; then this process."""
    chosen = sys.argv[3:] or [style.__name__ for style in styles()]
    child = os.fork()
    if child == 0:
        status = 1
        try:
            run(
                [name for name in IN_A_FORK if name in chosen],
                stage.WORK / "said-in-a-fork.json",
                watches=False,
            )
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    run(chosen, stage.WORK / "said.json", watches=True)


main()
