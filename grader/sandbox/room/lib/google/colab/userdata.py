"""`userdata`: no secret is in the room."""

from __future__ import annotations


class SecretNotFoundError(Exception):
    """No such secret."""


class NotebookAccessError(Exception):
    """The secret is there but may not be read."""


def get(key: str) -> str:
    """Raise as Colab does for a secret that is not set."""
    raise SecretNotFoundError(f"Secret {key} does not exist.")
