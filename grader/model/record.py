"""The base of all records that flow through the program."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Base of all records: frozen, keyword-only, closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
