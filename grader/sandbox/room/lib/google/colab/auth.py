"""`auth`: nobody signs in."""

from __future__ import annotations

from typing import Any


def authenticate_user(*_: Any, **__: Any) -> None:
    """Nobody is there to sign in."""
