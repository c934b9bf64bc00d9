"""What was handed in, and whose it is."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import Field, field_validator

from grader.model.record import Record


class Participant(Record):
    """Whom Moodle (or a file name) says a hand-in belongs to; not necessarily a person.

    `id` is Moodle's number of the participant or group *in this assignment*, None where there is none.
    `name` is None under blind marking.
    """

    id: str | None = None
    name: str | None = None
    is_group: bool = False
    is_blind: bool = False


class Attachment(Record):
    """A file handed in beside the notebook. `name` is its path below the hand-in's folder."""

    name: str
    size_bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @field_validator("name")
    @classmethod
    def _is_relative_and_inside(cls, name: str) -> str:
        path = PurePosixPath(name)
        if not name or path.is_absolute() or ".." in path.parts:
            raise ValueError(f"an attachment must lie inside the hand-in's folder, not at {name!r}")
        return name


class Submission(Record):
    """One hand-in that can be graded: a notebook, what came with it, and whose it is.

    `id` is unique within the assignment and safe as a folder name. `folder` holds the files;
    `notebook` and the attachments are paths below it. `remarks` are sentences for the report.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$")]
    assignment: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    participant: Participant
    folder: Path
    notebook: str
    notebook_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    attachments: tuple[Attachment, ...] = ()
    online_text: str | None = None
    remarks: tuple[str, ...] = ()


class Rejected(Record):
    """A hand-in that cannot be graded, with one sentence that says why and what to do."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$")]
    assignment: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    participant: Participant
    reason: str
