"""What a text asks to be changed in a script: the few kinds of edits that words can name."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple


class Change(Enum):
    """What is to be changed."""

    ACTIVATION = auto()  # to `new`, those called `old` or all
    OUTPUT_ACTIVATION = auto()  # none on what the model returns
    SOFTMAX = auto()  # none before the loss
    LOSS = auto()  # one that takes probabilities
    WEIGHTS = auto()  # initialised by `new`: uniform, normal, glorot, he, symmetric, scaled
    BIASES = auto()  # initialised with zeros
    CONSTANT = auto()  # the setting that `new` names
    NOISE = auto()  # none on the inputs
    DROPOUT = auto()  # none at all
    INPUTS = auto()  # scaled to [0, 1]
    CLIPPING = auto()  # of gradients, at `numbers[0]`
    OPTIMIZER = auto()  # the one that `new` names
    NAME = auto()  # `old`, as it stands in the script, becomes `new`


class Wish(NamedTuple):
    """One edit that a text asks for. `numbers` are its values: bounds, a standard deviation, a setting.

    `is_vague`: the text names no value, and one was chosen ("smaller weights").
    """

    change: Change
    new: str = ""
    old: str = ""
    numbers: tuple[float, ...] = ()
    is_vague: bool = False
