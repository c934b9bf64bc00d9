"""A builder for what was seen of a notebook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.model import Verdict
from grader.reference_grading import Seen
from grader.references import Reference
from grader.validity.trials import Kind, Trial, Tried


@pytest.fixture
def tried() -> Callable[..., Tried]:
    """Builds what was seen of a notebook, a dictionary for each repeat, and what it must `lose` and so on."""

    def build(
        name: str,
        *seen: dict[str, Verdict],
        kind: Kind = Kind.HONEST,
        breaks: tuple[str, ...] = (),
        **expected: list[str],
    ) -> Tried:
        path = Path(f"{name}.ipynb")
        sets = {key: frozenset(names) for key, names in expected.items()}
        reference = Reference(name=name, title=name, assignment="a1", origin=path, notebook=path, **sets)
        operator = "one-step" if kind is Kind.GENERATED else ""
        trial = Trial(kind=kind, reference=reference, operator=operator, breaks=frozenset(breaks))
        return Tried(trial, tuple(Seen(verdicts, 3600.0) for verdicts in seen))

    return build
