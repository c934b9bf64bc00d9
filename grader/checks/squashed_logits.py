"""An activation between the last layer and a loss that expects the plain numbers of that layer."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from grader.evidence.record import Evidence
from grader.model import Reason, Source
from grader.notebook.code import CodeIndex
from grader.notebook.facts import StepKind

_SQUASHING = ("softmax", "relu", "sigmoid", "tanh")
_FROM_LOGITS = re.compile(r"_cross_entropy_with_logits$")
_OTHER_LOSS = re.compile(r"cross_?entropy", re.IGNORECASE)


def squashed_logits(evidence: Evidence) -> Iterator[Reason]:
    """Where the code trains so: one reason at most, and none where any loss expects probabilities."""
    if not _has_only_losses_from_logits(evidence.code):
        return
    for training in evidence.facts.trainings:
        model = training.model
        if model is None or not model.products or not training.is_called:
            continue
        last = model.steps.index(model.products[-1])
        for step in model.steps[last + 1 :]:
            name = step.name.rsplit(".", 1)[-1]
            if step.kind is StepKind.ACTIVATION and name in _SQUASHING:
                twice = ", which applies softmax itself" if name == "softmax" else ""
                text = (
                    f"The outputs go through `{name}` in cell {step.cell} before a loss that expects logits"
                    f"{twice}: leave it out in training."
                )
                yield Reason(text=text, cell=step.cell, source=Source.SOURCE)
                return


def _has_only_losses_from_logits(code: CodeIndex) -> bool:
    from_logits = False
    for occurrence, call in code.library_calls:
        if _FROM_LOGITS.search(occurrence.name):
            from_logits = True
        elif _OTHER_LOSS.search(occurrence.name):
            said = {keyword.arg: keyword.value for keyword in call.keywords}.get("from_logits")
            if not (isinstance(said, ast.Constant) and said.value is True):
                return False
            from_logits = True
    return from_logits
