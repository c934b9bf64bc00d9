from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from grader.model import Reason, Source, Verdict, met, needs_review, not_checked, not_met, partly_met
from grader.reference_grading import Seen
from grader.references import Expected
from grader.validity.counting import (
    Deviation,
    Found,
    Gap,
    Survivor,
    count_rows,
    deviations,
    flips,
    gaps,
    is_right,
    operators,
    survivors,
)
from grader.validity.trials import Kind

WHY = Reason(text="So it is.")
MET, LOST, HALF = met(WHY), not_met(WHY), partly_met(Decimal("0.5"), WHY)
REVIEW, UNCHECKED = needs_review(WHY), not_checked(WHY)
CRITERIA = ("one", "two")


@pytest.mark.parametrize("due", list(Expected))
def test_what_was_not_graded_is_never_right(due):
    assert not is_right(due, Found.NONE)
    assert [found for found in Found if is_right(due, found)] == {
        Expected.MET: [Found.MET],
        Expected.LOST: [Found.LOST],
        Expected.REVIEW: [Found.REVIEW],
        Expected.LOST_OR_REVIEW: [Found.LOST, Found.REVIEW],
        Expected.MET_OR_REVIEW: [Found.MET, Found.REVIEW],
    }[due]


def test_verdicts_are_counted_by_what_is_due_and_what_was_found(tried):
    honest = tried("solution", {"one": MET, "two": HALF}, {"one": UNCHECKED, "two": REVIEW}, review=["two"])
    mutant = tried("mutant", {"one": LOST, "two": MET}, kind=Kind.MUTANT, lose=["one", "two"])
    one, two = count_rows([honest], CRITERIA)
    assert one.counts == Counter({(Expected.MET, Found.MET): 1, (Expected.MET, Found.REVIEW): 1})
    assert two.counts == Counter({(Expected.REVIEW, Found.LOST): 1, (Expected.REVIEW, Found.REVIEW): 1})
    assert (one.due(Expected.MET), one.found(Found.REVIEW, Expected.MET), one.due(Expected.LOST)) == (2, 1, 0)
    _, two = count_rows([mutant], CRITERIA)
    assert two.found(Found.MET, Expected.LOST) == 1


def test_deviations_are_told_with_the_repeats_and_the_reason(tried):
    other = not_met(Reason(text="It is not."))
    seen = [{"one": MET, "two": MET}, {"one": other, "two": MET}, {"one": LOST, "two": MET}]
    assert list(deviations([tried("class", *seen)], CRITERIA)) == [
        Deviation("class", "one", Expected.MET, Found.LOST, (2, 3), "It is not.")
    ]


def test_what_was_not_graded_is_a_deviation_with_the_reason(tried):
    lost = tried("class", {})
    lost = lost._replace(seen=(Seen({}, why_not="It is no notebook."),))
    assert list(deviations([lost], ["one"])) == [
        Deviation("class", "one", Expected.MET, Found.NONE, (1,), "It is no notebook.")
    ]


def test_generated_mutations_make_no_deviations(tried):
    assert list(deviations([tried("class", {"one": LOST}, kind=Kind.GENERATED)], ["one"])) == []


def test_flips_are_verdicts_that_differ_between_repeats(tried):
    seen = [{"one": MET, "two": LOST}, {"one": MET, "two": HALF}, {"one": REVIEW, "two": LOST}]
    [flip] = flips([tried("class", *seen)], CRITERIA)
    assert (flip.name, flip.criterion, flip.counts) == (
        "class",
        "one",
        Counter({Found.MET: 2, Found.REVIEW: 1}),
    )


def test_mutations_survive_where_what_they_break_is_met(tried):
    generated = [
        tried("a", {"one": MET, "two": LOST}, kind=Kind.GENERATED, breaks=("one", "two")),
        tried("b", {"one": REVIEW, "two": MET}, kind=Kind.GENERATED, breaks=("one",)),
        tried("c", {"one": MET, "two": MET}),
    ]
    assert list(survivors(generated, CRITERIA)) == [Survivor("a + one-step", "one", "So it is.")]
    [operator] = operators(generated)
    assert (operator.name, operator.notebooks) == ("one-step", 2)
    assert operator.counts == Counter({Found.MET: 1, Found.LOST: 1, Found.REVIEW: 1})


def measured(value: float, reported: float | None = None) -> Verdict:
    reasons = [Reason(text="Measured.", numbers=(value, 0.8), source=Source.MEASURED)]
    if reported is not None:
        reasons.append(Reason(text="Reported.", numbers=(reported,), source=Source.SAVED))
    return met(*reasons)


def test_the_largest_gap_between_measured_and_reported_is_taken(tried):
    honest = tried("class", *({"one": measured(*pair)} for pair in ((0.94, 0.945), (0.93, 0.95), (0.95,))))
    mutant = tried("mutant", {"one": measured(0.1, 0.9)}, kind=Kind.MUTANT)
    without = tried("plain", {"one": met(Reason(text="No number.", source=Source.MEASURED))})
    assert gaps([honest, mutant, without], "one") == [Gap("class", 0.93, 0.95)]
