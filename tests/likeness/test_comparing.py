"""Works that are alike are found whatever their names are called; course material counts for nobody."""

from __future__ import annotations

import random
import re

from bounded import bounded
from hypothesis import given
from hypothesis import strategies as st

from grader.likeness.comparing import MOST_PAIRS, Work, likenesses, runs_of
from grader.notebook.records import Cell, CellKind


def code(seed: int, lines: int = 60) -> str:
    dice = random.Random(seed)
    return "\n".join(
        f"a{dice.randrange(9)} = b.call_{dice.randrange(500)}(c + d).and_{dice.randrange(500)}({line})"
        for line in range(lines)
    )


def a_work(name: str, source: str, year: str = "") -> Work:
    return Work(name, (Cell(number=1, kind=CellKind.CODE, source=source),), year=year)


def pairs(works, material=frozenset(), apart=()):
    return {(found.one.name, found.other.name) for found in likenesses(works, material, apart)}


def test_renamed_code_is_alike_and_other_code_is_not():
    renamed = re.sub(r"\ba(\d)\b", r"weights_\1", code(1)) + "  # my own work\n"
    found = likenesses([a_work("x", code(1)), a_work("y", renamed), a_work("z", code(2))], frozenset())
    assert [(one.one.name, one.other.name) for one in found] == [("x", "y")]
    assert found[0].share > 0.95
    assert found[0].cells[0].one.source == code(1)


def test_course_material_is_taken_away():
    material = frozenset(runs_of(Cell(number=1, kind=CellKind.CODE, source=code(1))))
    assert pairs([a_work("x", code(1)), a_work("y", code(1))], material) == set()


def test_one_group_is_not_compared_with_itself_nor_the_past_with_the_past():
    works = [
        a_work("x", code(1)),
        a_work("y", code(1)),
        a_work("p", code(1), "2025"),
        a_work("q", code(1), "2025"),
    ]
    assert pairs(works, apart={frozenset("xy")}) == {(a, b) for a in "xy" for b in "pq"}


def test_two_hundred_works_are_compared_in_bounded_time():
    works = [a_work(str(number), code(number % 180, 300)) for number in range(200)]
    with bounded():
        found = likenesses(works, frozenset())
    assert len(found) == 20 <= MOST_PAIRS


@given(st.text(max_size=400))
def test_any_text_can_be_compared(text):
    for kind in (CellKind.CODE, CellKind.MARKDOWN):
        assert all(isinstance(run, int) for run in runs_of(Cell(number=1, kind=kind, source=text)))
