"""The base of all records that flow through the program."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Base of all records: frozen, keyword-only, closed to unknown fields.

    What pydantic builds for a record is built when the first of its kind is made: there are many kinds, and
    `grade check` needs a few.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
