"""What is known about the orders of shuffle, batch and repeat, by our experiment and the notebook's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from grader.answers.facts import fact_against, stand_of
from grader.answers.judging import Stand
from grader.answers.orders import Spoken
from grader.checks.answers import excerpt
from grader.evidence.record import Evidence
from grader.model import Reason, Source
from grader.notebook.pipelines import pipelines_in
from grader.oracles.orders import OPERATIONS, ORDERS, Found, OrderFound, orders_found

_CHANGING = frozenset(("reshuffle_each_iteration", "drop_remainder", "seed"))
_ROOM = 200
Facts = Mapping[str, Mapping[str, Found]]


class SeenOrders:
    """Facts about each order, and what speaks against calling a claim false: the notebook's own pipelines.

    `built` are the orders that each code cell builds; `tried` those that it builds over a range of numbers.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.found = evidence.references.orders
        self.own = orders_found(trace for _, trace in evidence.own_traces)
        self.own_cells = {trace.order: cell for cell, trace in evidence.own_traces}
        self.built: dict[int, tuple[str, ...]] = {}
        self.tried: dict[int, tuple[str, ...]] = {}
        self._changed: set[str] = set()
        for pipeline in pipelines_in(evidence.code):
            order = "-".join(pipeline.names(OPERATIONS))
            if order in ORDERS:
                for table in (self.built, *([self.tried] if pipeline.source == "range" else [])):
                    table[pipeline.cell] = tuple(dict.fromkeys((*table.get(pipeline.cell, ()), order)))
                if any(_CHANGING & operation.options for operation in pipeline.operations):
                    self._changed.add(order)

    def stand(self, spoken: Spoken, order: str = "") -> Stand:
        """Whether a claim is so, of `order` or of all that it is about. What is so in the notebook's own
        pipeline is never wrong.
        """
        stand = stand_of(spoken, _facts(self.found), order)
        if stand is not Stand.WRONG:
            return stand
        is_so_there = stand_of(spoken, _facts(self.own), order) is Stand.RIGHT
        return Stand.OPEN if is_so_there or spoken.orders & self._changed else stand

    def contradicted(self, wrong: Iterable[Spoken], order: str) -> list[Reason]:
        """Each false claim beside what was seen instead, by the notebook's own experiment where it can be."""
        facts = _facts(self.found)[order]
        return [self._against(spoken, fact_against(spoken.said, facts), order) for spoken in wrong]

    def _against(self, spoken: Spoken, name: str, order: str) -> Reason:
        fact = self.found[order].facts.get(name)
        own = self.own[order].facts.get(name) if order in self.own else None
        if fact is None:
            text = f"{claimed(spoken)} tf.data does otherwise."
        elif own is not None and own.found is fact.found and own.witness is not None:
            shown = f"Your own experiment in cell {self.own_cells[order]} gave {own.witness.in_words}."
            text = f"{claimed(spoken)} tf.data does otherwise: {fact.sentence} {shown}"
            return Reason(text=text, cell=self.own_cells[order], source=Source.RERUN)
        else:
            seen = fact.witness or self.found[order].example
            text = (
                f"{claimed(spoken)} tf.data does otherwise: {fact.sentence} With range({seen.examples}), "
                f"batches of {seen.batch_size} and {in_words(order)} we saw {seen.in_words}."
            )
        return Reason(text=text, cell=spoken.passage.cell, source=Source.MEASURED)


def _facts(found: Mapping[str, OrderFound]) -> Facts:
    return {order: {name: fact.found for name, fact in told.facts.items()} for order, told in found.items()}


def one_each(spoken: Sequence[Spoken]) -> list[Spoken]:
    """The first sentence for each claim."""
    first: dict[str, Spoken] = {}
    for one in spoken:
        first.setdefault(one.said.claim.name, one)
    return list(first.values())


def claimed(spoken: Spoken) -> str:
    """The sentence that makes a claim, and what it was understood to say."""
    sentence = spoken.said.sentence
    quote = excerpt(spoken.passage.text[sentence.start : sentence.end].lstrip(" \n:|,–-"), _ROOM)
    verb = "says the opposite of" if spoken.said.is_denied else "says"
    return f"“{quote}” {verb}: {spoken.said.claim.says}"


def in_words(order: str) -> str:
    """An order as it is written in reports: `shuffle → batch → repeat`."""
    return order.replace("-", " → ")
