"""There is no GPU to reset; the calls do nothing."""

from __future__ import annotations

from typing import Any


class _Device:
    def reset(self) -> None:
        """Do nothing."""


def get_current_device() -> _Device:
    """A device that can be reset."""
    return _Device()


def select_device(*_: Any) -> _Device:
    """A device that can be reset."""
    return _Device()


def close() -> None:
    """Do nothing."""
