"""What each order of shuffle, batch and repeat does, derived from what real pipelines gave.

`scripts/orders.py` runs pipelines over `range(n)` and prints their batches; `orders_found` derives facts
from such traces, and from nothing else: another pipeline, other facts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import permutations
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from grader.model import Record
from grader.oracles.order_facts import FACTS, Definition, Where
from grader.oracles.traces import Trace, Witness

OPERATIONS = ("shuffle", "batch", "repeat")
ORDERS = tuple("-".join(order) for order in permutations(OPERATIONS))
MARK = "orders: "  # begins the line that scripts/orders.py prints


class Found(StrEnum):
    """Whether something is so: in every setting tried, in none, or in some."""

    YES = "yes"
    NO = "no"
    DEPENDS = "depends"


class OrderFact(Record):
    """One fact about one order, in a sentence, with a pass that shows it where one can."""

    found: Found
    sentence: str
    witness: Witness | None = None


class OrderFound(Record):
    """What was found about one order: facts by name (see `FACTS`), and a pass to look at."""

    order: str
    facts: dict[str, OrderFact]
    example: Witness


class _Setting(NamedTuple):
    examples: int
    batch_size: int
    buffer: int

    @property
    def is_one_batch(self) -> bool:
        return self.batch_size > self.examples

    def fits(self, where: Where) -> bool:
        """Whether a fact is sought here."""
        is_even = self.examples % self.batch_size == 0
        if where is Where.ALSO_ONE_BATCH:
            return True
        return not self.is_one_batch and not (where is Where.UNEVEN and is_even)


def read_orders(printed: str) -> dict[str, OrderFound]:
    """What was found about each order, from the output of the script; empty when it printed no traces."""
    lines = [line for line in printed.splitlines() if line.startswith(MARK)]
    if not lines:
        return {}
    try:
        raw = json.loads(lines[-1].removeprefix(MARK))
        traces = TypeAdapter(tuple[Trace, ...]).validate_python(raw)
    except (json.JSONDecodeError, ValidationError):
        return {}
    return orders_found(traces)


def orders_found(traces: Iterable[Trace]) -> dict[str, OrderFound]:
    """The facts about each order that `traces` show, by its name (`shuffle-batch-repeat`)."""
    by_order: dict[str, list[Trace]] = {}
    for trace in traces:
        by_order.setdefault(trace.order, []).append(trace)
    return {
        order: OrderFound(
            order=order,
            facts={
                name: fact
                for name, definition in FACTS.items()
                if (fact := _fact(definition, own)) is not None
            },
            example=_witness(_clearest(own), 0, 0),
        )
        for order, own in by_order.items()
    }


def _clearest(traces: Sequence[Trace]) -> Trace:
    """A trace to look at: nothing divides evenly, and the buffer holds everything."""

    def rank(trace: Trace) -> tuple[bool, int, int, int]:
        is_clear = trace.examples % trace.batch_size != 0 and trace.batch_size < trace.examples
        return is_clear, trace.buffer, -trace.examples, -trace.seed

    return max(traces, key=rank)


def _fact(definition: Definition, traces: Sequence[Trace]) -> OrderFact | None:
    """One fact, None when no trace is of a setting in which it is sought."""
    shown: dict[_Setting, bool] = {}
    witnesses: list[Witness] = []
    for trace in traces:
        setting = _Setting(trace.examples, trace.batch_size, trace.buffer)
        if not setting.fits(definition.where):
            continue
        for number, batches in enumerate(trace.passes):
            at = definition.shows(batches, trace)
            shown[setting] = shown.get(setting, False) or at is not None
            if at is not None:
                witnesses.append(_witness(trace, number, at))
    if not shown:
        return None
    found = _found(definition, shown)
    witness = min(witnesses, key=lambda w: (w.at, w.examples, -w.buffer), default=None)
    sentences = {
        Found.YES: definition.yes,
        Found.NO: definition.no,
        Found.DEPENDS: f"It depends on the sizes: {definition.yes[0].lower()}{definition.yes[1:-1]}, or not.",
    }
    return OrderFact(found=found, sentence=sentences[found], witness=witness)


def _found(definition: Definition, shown: Mapping[_Setting, bool]) -> Found:
    if not any(shown.values()):
        return Found.NO if definition.can_be else Found.YES
    if definition.can_be:
        is_usual = any(is_shown and not setting.is_one_batch for setting, is_shown in shown.items())
        return Found.YES if is_usual else Found.DEPENDS
    return Found.NO if all(shown.values()) else Found.DEPENDS


def _witness(trace: Trace, number: int, at: int) -> Witness:
    return Witness(
        examples=trace.examples,
        batch_size=trace.batch_size,
        buffer=trace.buffer,
        epochs=trace.epochs,
        batches=trace.passes[number],
        at=at,
    )
