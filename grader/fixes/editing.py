"""Carries out wishes on a script's syntax tree."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable, Sequence

from grader.fixes.forward import (
    remove_dropout,
    remove_noise,
    remove_output_activation,
    remove_softmax,
    replace_activation,
    take_probabilities,
)
from grader.fixes.initialisers import initialise_weights, zero_biases
from grader.fixes.parsing import parse
from grader.fixes.settings import clip_gradients, rename, scale_inputs, set_constant, use_optimizer
from grader.fixes.splicing import Spliced
from grader.fixes.wishes import Change, Wish

_EDITS: dict[Change, Callable[[ast.Module, Wish], bool]] = {
    Change.ACTIVATION: replace_activation,
    Change.OUTPUT_ACTIVATION: remove_output_activation,
    Change.SOFTMAX: remove_softmax,
    Change.LOSS: take_probabilities,
    Change.WEIGHTS: initialise_weights,
    Change.BIASES: zero_biases,
    Change.CONSTANT: set_constant,
    Change.NOISE: remove_noise,
    Change.DROPOUT: remove_dropout,
    Change.INPUTS: scale_inputs,
    Change.CLIPPING: clip_gradients,
    Change.OPTIMIZER: use_optimizer,
    Change.NAME: rename,
}


def edit(script: str, wishes: Sequence[Wish]) -> Spliced | None:
    """`script` with all `wishes` carried out that apply to it; None when that changes nothing."""
    tree = parse(script)
    if tree is None:
        return None
    before = ast.unparse(tree)
    for wish in wishes:
        _EDITS[wish.change](tree, wish)
    try:
        after = ast.unparse(ast.fix_missing_locations(tree))
    except (ValueError, RecursionError):
        return None
    if after == before or parse(after) is None:
        return None
    return Spliced(after, changes_between(before, after))


def changes_between(before: str, after: str) -> tuple[tuple[str, str], ...]:
    """The lines that differ as (old, new), "" for nothing."""
    old, new = before.split("\n"), after.split("\n")
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    changes = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            changes.append(("\n".join(old[i1:i2]).strip(), "\n".join(new[j1:j2]).strip()))
    return tuple((o, n) for o, n in changes if re.search(r"\S", o + n))
