"""Run as a program beside the recorder: trains small nets in many styles, one style a "cell".

usage: scenarios.py GRADER_FOLDER WORK_FOLDER [STYLE ...]

Leaves WORK_FOLDER/said.json: `facts` (all that was sent) and `cells`, per style the position of the cell and
the classes that the style's own model gives for the inputs at the end of the cell.
"""

import json
import sys

import stage  # first: the recorder is there before TensorFlow
from probes import recorder

import keras_styles  # isort: skip
import low_level_styles  # isort: skip
import numpy as np
import tensorflow as tf


def styles():
    for module in (low_level_styles, keras_styles):
        yield from module.STYLES


def main():
    cells = {}
    for number, style in enumerate(styles(), start=1):
        if len(sys.argv) > 3 and style.__name__ not in sys.argv[3:]:
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
    said = {"facts": stage.FACTS, "cells": cells, "failure": failure}
    (stage.WORK / "said.json").write_text(json.dumps(said, default=str))


main()
