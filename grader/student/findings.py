"""The records of what a check before handing in finds."""

from __future__ import annotations

from typing import Any

from grader.checks.previews import Sight
from grader.model import Reason, Record


class Finding(Record):
    """One thing that was looked at. Where it is `required` and surely missing, the check has failed.

    `title` says what was looked at, the reasons what was seen and where; `is_asked_for` tells a criterion of
    the assignment from what holds for any notebook.
    """

    id: str
    title: str
    sight: Sight
    reasons: tuple[Reason, ...]
    required: bool = False
    is_asked_for: bool = False

    @property
    def is_failure(self) -> bool:
        """Whether something required is missing."""
        return self.required and self.sight is Sight.MISSING


class Looked(Record):
    """All that was found: about the notebook itself, what is asked for, and likely faults."""

    assignment: str
    title: str
    notebook: str
    was_run: bool
    isolation: str | None = None
    about_notebook: tuple[Finding, ...]
    asked_for: tuple[Finding, ...]
    likely_faults: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, in the order in which it is shown."""
        return (*self.about_notebook, *self.asked_for, *self.likely_faults)

    def as_json(self) -> dict[str, Any]:
        """What `grade check --json` prints."""
        return {"schema": 1, "ok": not self.failures, **self.model_dump(mode="json")}

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What is required and missing."""
        return tuple(finding for finding in self.findings if finding.is_failure)
