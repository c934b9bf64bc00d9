"""What is said about the orders of shuffle, batch and repeat, held against what tf.data really does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from grader.answers.choices import are_rejected, choices_in, reasons_for
from grader.answers.clauses import sentences_of
from grader.answers.judging import Stand, doubt_about
from grader.answers.mentions import mentions_in, operation_of
from grader.answers.orders import Spoken, Told, orders_told
from grader.answers.questions import NamedQuestion, Question, is_met
from grader.answers.words import words_of
from grader.checks.answers import FEWEST_WORDS, answer_elsewhere, as_settled, laid_out
from grader.checks.registry import check
from grader.checks.seen_orders import SeenOrders, claimed, in_words, one_each
from grader.evidence.record import Evidence
from grader.model import Reason, Source, Verdict, met, needs_review, not_checked, not_met
from grader.notebook.prose import Passage, find_answer, text_beside

Order = Literal[
    "shuffle-batch-repeat",
    "shuffle-repeat-batch",
    "batch-shuffle-repeat",
    "batch-repeat-shuffle",
    "repeat-shuffle-batch",
    "repeat-batch-shuffle",
]
_SHOWN = 6


@check("order-described", references=("orders",))
def order_described(
    evidence: Evidence, *, order: Order, question: NamedQuestion, decide: bool = True
) -> Verdict:
    """It is told what one order of shuffle, batch and repeat does.

    What is claimed is held against what we saw tf.data do. Met with a true claim about this order that says
    what it does, and no false one; not met when what it says is false, or when nothing is said about it.
    Where it does not `decide`, what was understood is only a hint for the person.
    """
    seen = SeenOrders(evidence)
    if order not in seen.found:
        return not_checked(_no_experiment())
    told = _told(text_beside(evidence.prose, question.asks), seen, question)
    stands = [(s, seen.stand(s)) for s in told.spoken if order in s.orders]
    right = [spoken for spoken, stand in stands if stand is Stand.RIGHT]
    wrong = [spoken for spoken, stand in stands if stand is Stand.WRONG]
    doubt = doubt_about([spoken.passage.text for spoken, _ in stands], is_prose=False)
    shown = [*seen.contradicted(one_each(wrong), order), *_told_rightly(right)]
    if doubt or (wrong and is_met(question.met, *_names(right))):
        why = doubt or "Some of what is said about this order is so, and some is not."
        return needs_review(_said(why, stands[0][0].passage.cell), *shown)
    if wrong and told.is_understood(order):
        return as_settled(not_met(*shown), decide=decide)
    if not wrong and is_met(question.met, *_names(right)):
        return as_settled(met(*shown), decide=decide)
    return _not_understood(evidence, told, seen, order, question, shown)


def _names(spoken: Sequence[Spoken]) -> tuple[set[str], set[str]]:
    """The names of the claims that are made, and of those that are denied."""
    made = {one.said.claim.name for one in spoken if not one.said.is_denied}
    return made, {one.said.claim.name for one in spoken if one.said.is_denied}


def _not_understood(
    evidence: Evidence, told: Told, seen: SeenOrders, order: str, question: Question, shown: Sequence[Reason]
) -> Verdict:
    """The verdict on an order about which nothing was read that settles it."""
    name = in_words(order)
    where = told.named.get(order, ())
    if where or shown:
        text = f"{name} is named, and the program did not understand all that is said about it."
        cell = where[0].cell if where else shown[0].cell
        return needs_review(_said(text, cell), *shown, *(laid_out(passage) for passage in where[:3]))
    built = next((cell for cell, orders in seen.built.items() if order in orders), None)
    if built is not None:
        return needs_review(_said(f"{name} is built in code; no words about it were found.", built))
    vague = _spoken_in_general(told, text_beside(evidence.prose, question.asks))
    if vague:
        text = f"{name} is not named; there is text about the operations that may speak of it."
        return needs_review(_said(text, vague[0].cell), *(laid_out(passage) for passage in vague[:3]))
    elsewhere = answer_elsewhere(evidence)
    if elsewhere is not None:
        return needs_review(elsewhere)
    return not_met(_said(f"Nothing is said about {name}."))


@check("sensible-order", references=("orders",))
def sensible_order(
    evidence: Evidence,
    *,
    question: NamedQuestion,
    reasons: NamedQuestion,
    right: tuple[Order, ...],
    decide: bool = True,
) -> Verdict:
    """The most sensible order is named, with a reason.

    Met when one of `right` is chosen for a reason that fits what tf.data does. Another choice, or one without
    a reason that was understood, is for a person. Not met when another one is chosen for reasons that are
    not so, or when no text could hold a choice. Where it does not `decide`, what was understood is only a
    hint for the person.
    """
    seen = SeenOrders(evidence)
    if not set(right) <= set(seen.found):
        return not_checked(_no_experiment())
    passages = text_beside(evidence.prose, question.asks)
    answers = find_answer(evidence.prose, question_words=question.words, question=question.asks)
    told = _told(passages, seen, question)
    choices = choices_in(told, question, passages, answers)
    orders = {order for choice in choices for order in choice.orders}
    if not orders:
        return _no_choice(evidence, answers, passages)
    where = [choice.passage for choice in choices][:3]
    choice = f"The order chosen is {' or '.join(in_words(order) for order in sorted(orders))}"
    given = reasons_for(choices, _told(passages, seen, reasons))
    wrong = [spoken for spoken in given if seen.stand(spoken) is Stand.WRONG]
    good = [spoken for spoken in given if seen.stand(spoken) is Stand.RIGHT] + reasons_for(choices, told)
    doubt = doubt_about([passage.text for passage in where], is_prose=False)
    against = [r for order in sorted(orders) for r in seen.contradicted(one_each(wrong), order)]
    is_rejected = bool(orders & are_rejected(told))
    if doubt or is_rejected or (wrong and (good or orders & set(right))):
        why = doubt or f"{choice}; something that is said about it is not so, or speaks against it."
        return needs_review(_said(why, where[0].cell), *against)
    if wrong:
        told_wrong = _said(f"{choice}, for a reason that is not so.", where[0].cell)
        return as_settled(not_met(told_wrong, *against), decide=decide)
    if orders <= set(right) and good:
        return as_settled(met(_said(f"{choice}.", where[0].cell), *_told_rightly(good)), decide=decide)
    text = f"{choice}. Whether the reason carries is for a person to say."
    return needs_review(_said(text, where[0].cell), *(laid_out(passage) for passage in where))


def _no_choice(evidence: Evidence, answers: Sequence[Passage], passages: Sequence[Passage]) -> Verdict:
    """The verdict when no order was found to be chosen; a short answer may say so in words of its own."""
    told = [passage for passage in passages if _speaks_of_operations(passage)]
    told += [p for p in answers if p.answers_to and len(p.text.split()) < FEWEST_WORDS]
    if told:
        text = "Which order is called the most sensible was not understood."
        return needs_review(_said(text, told[0].cell))
    elsewhere = answer_elsewhere(evidence)
    if elsewhere is not None:
        return needs_review(elsewhere)
    return not_met(_said("No order is named as the most sensible one."))


def _speaks_of_operations(passage: Passage) -> bool:
    """Whether a text could hold a choice: it names an operation, or an order."""
    words = words_of(" ".join((*passage.headings, passage.text)))
    return any(operation_of(word.text) for word in words)


def _told(passages: tuple[Passage, ...], seen: SeenOrders, question: Question) -> Told:
    """What is said about orders; the criteria of one hand-in ask for the same."""
    single = tuple((cell, orders[0]) for cell, orders in seen.tried.items() if len(orders) == 1)
    return _read(passages, single, question)


@lru_cache(maxsize=16)
def _read(passages: tuple[Passage, ...], built: tuple[tuple[int, str], ...], question: Question) -> Told:
    return orders_told(passages, dict(built), question)


def _spoken_in_general(told: Told, passages: Sequence[Passage]) -> list[Passage]:
    """Passages that speak of the operations without naming an order: of which one, nobody can tell."""
    vague = [spoken.passage for spoken in told.spoken if not spoken.orders]
    vague += [passage for orders, passage in told.unread if not orders]
    for passage in passages:
        for sentence in sentences_of(passage.text):
            named = {operation_of(word.text) for word in sentence.words} - {None}
            if len(named) > 1 and not mentions_in(sentence.words, passage.text):
                vague.append(passage)
    return list(dict.fromkeys(vague))


def _told_rightly(right: Sequence[Spoken]) -> list[Reason]:
    return [_said(claimed(spoken), spoken.passage.cell) for spoken in one_each(right)][:_SHOWN]


def _said(text: str, cell: int | None = None) -> Reason:
    return Reason(text=text, cell=cell, source=Source.SOURCE)


def _no_experiment() -> Reason:
    return Reason(text="Our own experiment with tf.data gave nothing, so nothing can be held against it.")
