"""Whether what is said of an order is so, by the facts that an experiment found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grader.answers.claims import Said
from grader.answers.judging import Stand
from grader.answers.orders import Spoken
from grader.answers.questions import parts_of
from grader.oracles.orders import Found


def stand_of(spoken: Spoken, facts: Mapping[str, Mapping[str, Found]], order: str = "") -> Stand:
    """Whether a claim is so, by the `facts` (by order and name): of `order`, else of all that it is about.

    What is so of some and false of others of them is open.
    """
    if not spoken.orders or spoken.said.is_doubtful:
        return Stand.OPEN
    stands = {one: _stand(spoken.said, facts.get(one, {})) for one in spoken.orders}
    every = set(stands.values())
    if {Stand.RIGHT, Stand.WRONG} <= every:
        return Stand.OPEN
    return stands.get(order, every.pop() if len(every) == 1 else Stand.OPEN)


def fact_against(said: Said, facts: Mapping[str, Found]) -> str:
    """The name of a fact that a false claim contradicts, "" when it is none by itself."""
    for condition in said.claim.true_if:
        for name, is_so in parts_of(condition):
            if facts.get(name) is (Found.NO if is_so is not said.is_denied else Found.YES):
                return name
    return ""


def _stand(said: Said, facts: Mapping[str, Found]) -> Stand:
    claim = said.claim
    if claim.is_mistake and not said.is_denied:
        return Stand.WRONG
    is_true = _any(claim.true_if, facts)
    is_false = _any(claim.false_if, facts)
    if said.is_denied:
        is_true, is_false = is_false, is_true
    if is_true is Found.YES:
        return Stand.RIGHT
    return Stand.WRONG if is_false is Found.YES else Stand.OPEN


def _any(conditions: Sequence[str], facts: Mapping[str, Found]) -> Found:
    """Whether one of the conditions is so; *depends* when that is not known."""
    found = {_all(condition, facts) for condition in conditions}
    return next((value for value in (Found.YES, Found.DEPENDS) if value in found), Found.NO)


def _all(condition: str, facts: Mapping[str, Found]) -> Found:
    found = set()
    for name, is_so in parts_of(condition):
        value = facts.get(name, Found.DEPENDS)
        found.add(value if is_so else _opposite(value))
    return next((value for value in (Found.NO, Found.DEPENDS) if value in found), Found.YES)


def _opposite(value: Found) -> Found:
    return {Found.YES: Found.NO, Found.NO: Found.YES}.get(value, value)
