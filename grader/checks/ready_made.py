"""Networks that a library hands out ready-made: using one is not building one."""

from __future__ import annotations

import re

from grader.checks.networks import code_of
from grader.evidence.connections import Block
from grader.evidence.record import Evidence

_LIBRARY = re.compile(r"keras\.applications|\bkeras_(?:cv|hub)\b|\btensorflow_hub\b")
_CALLED = re.compile(r"\b((?:DenseNet(?:121|169|201)|ResNet(?:50|101|152))\w*)\(")
_NAMED_BY_KERAS = re.compile(r"(?:(?:separable_|depthwise_)?conv2d(?:_transpose)?|add)(?:_\d+)*")


def names_ready_made(evidence: Evidence) -> bool:
    """Whether the code names a network that it does not define, as libraries hand them out."""
    code = code_of(evidence)
    called = {match[1] for match in _CALLED.finditer(code)}
    own = {name for name in called if re.search(rf"\b(?:def|class)\s+{name}\b", code)}
    return bool(_LIBRARY.search(code) or called - own)


def are_named_by_keras(blocks: tuple[Block, ...]) -> bool:
    """Whether all layers of blocks (some) have the names that Keras gives to layers without one.

    Ready-made DenseNets name all their layers.
    """
    names = [name for block in blocks for name in block.names]
    return bool(names) and all(_NAMED_BY_KERAS.fullmatch(name) for name in names)
