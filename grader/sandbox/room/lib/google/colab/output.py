"""`output`: what talks to Colab's page does nothing."""

from __future__ import annotations

from typing import Any


def clear(*_: Any, **__: Any) -> None:
    """Clear the cell's output, as IPython does."""
    from IPython.display import clear_output

    clear_output()


def eval_js(*_: Any, **__: Any) -> None:
    """There is no page to run it in."""


def enable_custom_widget_manager(*_: Any, **__: Any) -> None:
    """Widgets are not shown."""


def no_vertical_scroll(*_: Any, **__: Any) -> None:
    """There is no page to scroll."""
