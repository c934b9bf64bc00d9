"""Which copies belong together, and every doubt about it. Nothing is guessed: a doubt leaves copies apart.

Copies belong together when each lists the same people, at most three, each of them with a copy of their own,
and the copies are equal or nearly so. What one side says alone never binds the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from grader.groups.copies import NEARLY_EQUAL, Copy, likeness
from grader.model import Group, GroupDecision, hand_in_mark
from grader.notebook.people import by_word, folded, is_same_person, with_a_word_of

MOST_MEMBERS = 3


def find_groups(
    copies: Sequence[Copy], decisions: Mapping[str, GroupDecision] | None = None
) -> dict[str, Group]:
    """The group of each copy that lists others, by the copy's id; copies of one person alone have none.

    `decisions` are people's, by the mark of the group as they saw it; they come before what is found here.
    """
    decided = decisions or {}
    owners = _Owners(copies)
    groups: dict[str, Group] = {}
    for listing in _listings(copies):
        related = _related(listing, copies, owners)
        doubts = tuple(_doubts(listing, related, owners))
        if not doubts and len(listing) < 2:
            continue
        mark = mark_of(related)
        decision = decided.get(mark)
        is_shared = decision.is_together if decision is not None else not doubts
        group = Group(
            hand_ins=_in_order(related, decision),
            is_shared=is_shared,
            doubts=doubts,
            mark=mark,
            decision=decision,
        )
        bound = related if is_shared else listing
        for copy in bound:
            earlier = groups.get(copy.id)
            if earlier is None or (is_shared and not earlier.is_shared):
                groups[copy.id] = group
    return _settled(groups)


def mark_of(copies: Iterable[Copy]) -> str:
    """What tells a group from every other: its copies and their contents. A new version asks anew."""
    parts = sorted(f"{copy.id} {copy.sha256}" for copy in copies)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _settled(groups: Mapping[str, Group]) -> dict[str, Group]:
    """A group is shared only where all of its copies are in it: two that overlap stay apart."""
    settled = {}
    bound = {(hand_in_mark(name), group.mark) for name, group in groups.items()}
    for name, group in groups.items():
        is_whole = all((other, group.mark) in bound for other in group.hand_ins)
        if group.is_shared and not is_whole:
            doubt = "A copy of this group is in another group, too."
            group = group.model_copy(update={"is_shared": False, "doubts": (*group.doubts, doubt)})
        settled[name] = group
    return settled


class _Owners:
    """The copies of a class by the names of who handed them in."""

    def __init__(self, copies: Sequence[Copy]) -> None:
        self._copies = copies
        self._places = by_word((copy.owner, at) for at, copy in enumerate(copies) if copy.owner is not None)

    def named(self, name: str) -> list[Copy]:
        """The copies of whom `name` may mean, in the order of the class."""
        near = (self._copies[place] for place in sorted(with_a_word_of(name, self._places)))
        return [copy for copy in near if copy.owner is not None and is_same_person(name, copy.owner)]


def _listings(copies: Sequence[Copy]) -> list[list[Copy]]:
    """Copies that list the same people, at least two, each list apart; whoever is not on their own, too."""
    found: list[list[Copy]] = []
    places: dict[str, list[int]] = {}  # in `found`, by the words of the people listed
    strangers: list[list[Copy]] = []
    for copy in copies:
        if len(copy.listed) < 2:
            continue
        if not _is_on_own_list(copy):
            strangers.append([copy])
            continue
        near = (found[place] for place in sorted(with_a_word_of(copy.listed[0], places)))
        same = next((one for one in near if _are_same_people(one[0].listed, copy.listed)), None)
        if same is not None:
            same.append(copy)
            continue
        for word in frozenset().union(*map(folded, copy.listed)):
            places.setdefault(word, []).append(len(found))
        found.append([copy])
    return [*found, *strangers]


def _is_on_own_list(copy: Copy) -> bool:
    return copy.owner is None or any(is_same_person(copy.owner, name) for name in copy.listed)


def _are_same_people(one: Sequence[str], other: Sequence[str]) -> bool:
    left = list(other)
    for name in one:
        match = next((there for there in left if is_same_person(name, there)), None)
        if match is None:
            return False
        left.remove(match)
    return not left


def _related(listing: Sequence[Copy], copies: Sequence[Copy], owners: _Owners) -> list[Copy]:
    """The copies that list these people, and the copies of the people listed."""
    own = {copy.id for name in listing[0].listed for copy in owners.named(name)}
    ids = own | {copy.id for copy in listing}
    return [copy for copy in copies if copy.id in ids]


def _doubts(listing: Sequence[Copy], related: Sequence[Copy], owners: _Owners) -> Iterator[str]:
    people = listing[0].listed
    if not any(owners.named(name) for name in people) and len(listing) < 2 and listing[0].owner:
        return  # a team under a name of its own: nobody listed hands in here
    if len(people) > MOST_MEMBERS:
        yield f"{len(people)} people are listed ({', '.join(people)}), and at most {MOST_MEMBERS} may be."
    for copy in listing:
        if not _is_on_own_list(copy):
            yield f"Listed are {', '.join(people)}, but not {copy.owner}, who handed it in."
    unknown = [copy for copy in listing if copy.owner is None]
    for name in people:
        own = owners.named(name)
        if len(own) > 1:
            yield f"{name} may be the name of {len(own)} people who handed in."
        for copy in own:
            if copy not in listing:
                yield f"{name} is listed here, but their own copy {_listing_of(copy)}."
        if not own and not unknown:
            yield f"{name} is listed, but there is no hand-in of theirs that can be graded."
    if unknown and len(listing) != len(people):
        yield f"{len(people)} people are listed in {len(listing)} hand-ins: {', '.join(people)}."
    if len(related) > len(people):
        yield f"There are more hand-ins ({len(related)}) than people listed ({len(people)})."
    yield from _versions(listing)


def _listing_of(copy: Copy) -> str:
    return "lists other people" if copy.listed else "lists nobody"


def _versions(listing: Sequence[Copy]) -> Iterator[str]:
    head, *others = _fullest_first(listing)
    for other in others:
        share = likeness(head, other)
        if share < NEARLY_EQUAL:
            yield "The versions differ: not all copies are nearly equal."
            return


def _fullest_first(copies: Iterable[Copy]) -> list[Copy]:
    return sorted(copies, key=lambda copy: (*(-amount for amount in copy.completeness), copy.id))


def _in_order(related: Sequence[Copy], decision: GroupDecision | None) -> tuple[str, ...]:
    """The marks, the one that is judged for all first: the one a person chose, else the fullest copy."""
    ids = [hand_in_mark(copy.id) for copy in _fullest_first(related)]
    if decision is not None and decision.head in ids:
        ids.remove(decision.head)
        ids.insert(0, decision.head)
    return tuple(ids)
