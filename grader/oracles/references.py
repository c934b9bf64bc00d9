"""The experiments of ours that checks can ask for, by name, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from grader.model import Record
from grader.oracles.orders import OrderFound, read_orders

_SCRIPTS = Path(__file__).parent / "scripts"
EXPERIMENTS: Mapping[str, Path] = {"orders": _SCRIPTS / "orders.py"}
"""The script of each experiment, which prints what `read_references` reads."""


class References(Record):
    """What experiments of ours found. Empty for what nobody asked for, and when the run of it was lost.

    `orders`: what each order of shuffle, batch and repeat does, by its name.
    """

    orders: dict[str, OrderFound] = Field(default_factory=dict)


def read_references(printed: Mapping[str, str]) -> References:
    """What was found, from what each experiment's script printed."""
    return References(orders=read_orders(printed.get("orders", "")))
