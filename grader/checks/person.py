"""What no program of ours judges: laid out for the person who does."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from grader.checks.registry import check
from grader.evidence.record import Evidence
from grader.model import Reason, Source, Verdict, needs_review

_SHOWN = 8


@check("for-a-person")
def for_a_person(
    evidence: Evidence, *, words: Annotated[tuple[str, ...], Field(max_length=20)] = ()
) -> Verdict:
    """A person decides; the cells in which one of `words` stands are named."""
    reasons = [Reason(text="This criterion is judged by a person.", source=Source.SOURCE)]
    for cell in evidence.notebook.cells:
        said = [word for word in words if word.lower() in cell.source.lower()]
        if said and len(reasons) <= _SHOWN:
            names = ", ".join(f"`{word}`" for word in said)
            text = f"Cell {cell.number} has {names}."
            reasons.append(Reason(text=text, cell=cell.number, source=Source.SOURCE))
    return needs_review(*reasons)
