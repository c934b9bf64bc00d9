"""What is said about the orders of shuffle, batch and repeat, held against what tf.data really does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, Protocol, cast

from pydantic import BaseModel, JsonValue

from grader.answers.choices import (
    FASTER,
    are_rejected,
    choices_in,
    orders_of,
    reasons_for,
    told_of_others,
)
from grader.answers.doubts import doubt_about
from grader.answers.judging import Stand
from grader.answers.named_orders import Orders
from grader.answers.orders import Spoken, Told, orders_told, tells_of_orders
from grader.answers.questions import NamedQuestion, Question, is_met
from grader.answers.topic import speaks_of
from grader.checks.answers import (
    AboutQuestion,
    answer_elsewhere,
    answer_seen,
    as_settled,
    asked_in_words,
    laid_out,
    said,
)
from grader.checks.previews import Preview, PublicSide, Sight, found, missing, unclear
from grader.checks.registry import check
from grader.checks.seen_orders import SeenOrders, claimed, in_words, one_each
from grader.checks.unnamed_orders import may_tell_of, speaks_of_operations
from grader.evidence.record import Evidence
from grader.model import Reason, Verdict, met, needs_review, not_checked, not_met
from grader.notebook.answering import find_answer, text_beside
from grader.notebook.prose import Passage

Order = Literal[
    "shuffle-batch-repeat",
    "shuffle-repeat-batch",
    "batch-shuffle-repeat",
    "batch-repeat-shuffle",
    "repeat-shuffle-batch",
    "repeat-batch-shuffle",
]
_SHOWN = 6
_MOST_OTHERS = 3  # orders told rightly, by somebody who is likely to know the others, too


class _AboutOrder(AboutQuestion, Protocol):
    order: Order


def _order_asked(parameters: BaseModel) -> dict[str, JsonValue]:
    return {**asked_in_words(parameters), "order": cast(_AboutOrder, parameters).order}


def _order_before_grading(evidence: Evidence, *, asks: str, order: Order) -> Preview:
    """Whether an order is named in the text; what is said about it is not looked at."""
    seen, question = SeenOrders(evidence), Question(name="orders", asks=asks, words=())
    told = _told(text_beside(evidence.prose, asks), seen, question)
    name = in_words(order)
    where = told.named.get(order, ())
    if where:
        return found(said(f"{name} is named in cell {where[0].cell}.", where[0].cell))
    vague = may_tell_of(evidence, told, seen, order, asks)
    if vague:
        return unclear(vague[0])
    return missing(said(f"Nothing is said about {name}."))


def _heading_of_order(*, asks: str, order: Order) -> str:
    return in_words(order)


@check(
    "order-described",
    references=("orders",),
    public_side=PublicSide(_order_asked, _order_before_grading, _heading_of_order),
)
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
    stands = [(s, seen.stand(s, order)) for s in told.spoken if order in s.orders]
    right = [spoken for spoken, stand in stands if stand is Stand.RIGHT]
    wrong = [spoken for spoken, stand in stands if stand is Stand.WRONG]
    doubt = doubt_about([spoken.passage.text for spoken, _ in stands], is_prose=False)
    shown = [*seen.contradicted(one_each(wrong), order), *_told_rightly(right)]
    would_be_met = is_met(question.met, *_names(right))
    telling = [s for s in right if question.can_meet(s.said.claim.name)]
    is_all_false = _is_all_false(wrong, telling, is_enough=would_be_met)
    if doubt or (wrong and would_be_met and not is_all_false):
        why = doubt or "Some of what is said about this order is so, and some is not."
        return needs_review(said(why, stands[0][0].passage.cell), *shown)
    if is_all_false and told.is_understood(order):
        return as_settled(not_met(*shown), decide=decide)
    is_trusted = _tells_others_rightly(told, seen, question, order)
    is_open = told.is_taken_back(order, right, is_trusted=is_trusted)
    is_open = is_open or any(_is_neither(s, stand) for s, stand in stands)
    if not wrong and would_be_met and not is_open:
        return as_settled(met(*shown), decide=decide)
    named = told.named.get(order, ())
    if named and not shown and not any(tells_of_orders(question, passage) for passage in named):
        nothing = _only_named(evidence, told, seen, order, question)
        return as_settled(nothing, decide=decide)
    return _not_understood(evidence, told, seen, order, question, shown)


def _tells_others_rightly(told: Told, seen: SeenOrders, question: Question, order: str) -> bool:
    """Whether most of the other orders are told rightly, with nothing left open, and none wrongly."""
    rightly = 0
    for other in seen.found:
        stands = [(s, seen.stand(s, other)) for s in told.spoken if other in s.orders]
        if any(stand is Stand.WRONG for _, stand in stands):
            return False
        right = [spoken for spoken, stand in stands if stand is Stand.RIGHT]
        is_met_there = is_met(question.met, *_names(right)) and not told.is_taken_back(other, right)
        rightly += other != order and is_met_there
    return rightly >= _MOST_OTHERS


def _is_all_false(wrong: Sequence[Spoken], telling: Sequence[Spoken], *, is_enough: bool) -> bool:
    """Whether nothing that tells what an order does is true but in clauses that say something false, too.

    Where it `is_enough` to be met, there must be a clause with nothing true.
    """
    false, true = ({(s.number, s.said.clause.start) for s in told} for told in (wrong, telling))
    return true < false or (bool(false) and true == false and not is_enough)


def _is_neither(spoken: Spoken, stand: Stand) -> bool:
    """Whether it is said of one order, can be so or not, and is neither so nor not so of this one."""
    claim = spoken.said.claim
    could_be = not spoken.said.is_denied and (claim.true_if or claim.false_if or claim.is_mistake)
    return stand is Stand.OPEN and len(spoken.orders) == 1 and bool(could_be)


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
        return needs_review(said(text, cell), *shown, *(laid_out(passage) for passage in where[:3]))
    vague = may_tell_of(evidence, told, seen, order, question.asks)
    if vague:
        return needs_review(*vague)
    return not_met(said(f"Nothing is said about {name}."))


def _only_named(evidence: Evidence, told: Told, seen: SeenOrders, order: str, question: Question) -> Verdict:
    """The verdict on an order beside whose name no word stands that could tell what it does."""
    vague = may_tell_of(evidence, told, seen, order, question.asks)
    if vague:
        return needs_review(*vague)
    cell = told.named[order][0].cell
    return not_met(said(f"{in_words(order)} is named, and nothing is said about what it does.", cell))


def _choice_before_grading(evidence: Evidence, *, asks: str) -> Preview:
    """Whether the question has an answer, or some text speaks of the operations."""
    seen = answer_seen(evidence, asks)
    if seen.sight is not Sight.MISSING:
        return seen
    told = [p for p in text_beside(evidence.prose, asks) if speaks_of_operations(p)]
    if not told:
        return seen
    text = "Which order you call the most sensible was not found; say it right below the question."
    return unclear(said(text, told[0].cell))


@check(
    "sensible-order",
    references=("orders",),
    public_side=PublicSide(asked_in_words, _choice_before_grading, heading=lambda *, asks: asks),
)
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
    orders = orders_of(choices)
    if not orders:
        is_read = any(passage.answers_to for passage in answers)
        return as_settled(_no_choice(evidence, question, answers, passages), decide=decide or not is_read)
    where = [choice.passage for choice in choices][:3]
    choice = f"The order chosen is {' or '.join(in_words(order) for order in sorted(orders))}"
    described = _told(passages, seen, reasons)
    given = reasons_for(choices, described)
    wrong = [s for s in given if seen.stand(s) is Stand.WRONG and not s.is_elsewhere]
    so = [s for s in given if seen.stand(s) is Stand.RIGHT and not s.is_elsewhere]
    avoided = [s for s in told_of_others(choices, described) if _is_avoided(s, seen, orders)]
    in_general = [s for s in reasons_for(choices, told) if not s.said.is_doubtful]
    good = [*so, *avoided, *(s for s in in_general if s.said.claim.name != FASTER)]
    doubt = doubt_about([passage.text for passage in where], is_prose=False)
    against = [r for order in sorted(orders) for r in seen.contradicted(one_each(wrong), order)]
    said_of_it = (*given, *(s for s in described.spoken if s.orders == orders))
    is_open = any(_is_neither(s, seen.stand(s)) for s in said_of_it if not s.is_elsewhere)
    is_open = is_open or _holds_more(where, told, described)
    is_open = is_open or any(seen.stand(s) is Stand.WRONG for s in told_of_others(choices, described))
    false = {(s.number, s.said.sentence.start, s.said.clause.start) for s in wrong}
    apart = [s for s in in_general if (s.number, s.said.sentence.start, s.said.clause.start) not in false]
    is_rejected = bool(orders & are_rejected(told))
    if doubt or is_rejected or (wrong and (so or apart or orders & set(right))):
        why = doubt or f"{choice}; something that is said about it is not so, or speaks against it."
        return needs_review(said(why, where[0].cell), *against)
    if wrong:
        told_wrong = said(f"{choice}, for a reason that is not so.", where[0].cell)
        return as_settled(not_met(told_wrong, *against), decide=decide)
    if orders <= set(right) and good and not is_open:
        return as_settled(met(said(f"{choice}.", where[0].cell), *_told_rightly(good)), decide=decide)
    text = f"{choice}. Whether the reason carries is for a person to say."
    return needs_review(said(text, where[0].cell), *(laid_out(passage) for passage in where))


def _holds_more(where: Sequence[Passage], told: Told, described: Told) -> bool:
    """Whether a sentence beside the choice claims what may be a mistake, or was not understood."""
    if any(s.said.claim.is_mistake and not s.said.is_denied and s.passage in where for s in described.spoken):
        return True
    read = {(s.passage, s.said.sentence.start) for s in told.spoken}
    more = (u for u in described.unclear if u.passage in where)
    return any((u.passage, u.start) not in read for u in more)


def _is_avoided(spoken: Spoken, seen: SeenOrders, chosen: Orders) -> bool:
    """Whether it is so of the others that it names, and not of the `chosen`; or where it names none, false of
    the chosen.
    """
    stand = seen.stand(spoken._replace(orders=chosen))
    if spoken.orders:
        return seen.stand(spoken) is Stand.RIGHT and stand is not Stand.RIGHT
    return stand is Stand.WRONG


def _no_choice(
    evidence: Evidence, question: Question, answers: Sequence[Passage], passages: Sequence[Passage]
) -> Verdict:
    """The verdict when no order was found to be chosen; a short answer may say so in words of its own."""
    told = [passage for passage in passages if speaks_of_operations(passage)]
    told += [passage for passage in answers if passage.answers_to and speaks_of(question, passage.text)]
    if told:
        text = "Which order is called the most sensible was not understood."
        return needs_review(said(text, told[0].cell))
    elsewhere = answer_elsewhere(evidence)
    if elsewhere is not None:
        return needs_review(elsewhere)
    return not_met(said("No order is named as the most sensible one."))


def _told(passages: tuple[Passage, ...], seen: SeenOrders, question: Question) -> Told:
    """What is said about orders; the criteria of one hand-in ask for the same."""
    single = tuple((cell, orders[0]) for cell, orders in seen.tried.items() if len(orders) == 1)
    return _read(passages, single, question)


@lru_cache(maxsize=16)
def _read(passages: tuple[Passage, ...], built: tuple[tuple[int, str], ...], question: Question) -> Told:
    return orders_told(passages, dict(built), question)


def _told_rightly(right: Sequence[Spoken]) -> list[Reason]:
    return [said(claimed(spoken), spoken.passage.cell) for spoken in one_each(right)][:_SHOWN]


def _no_experiment() -> Reason:
    return Reason(text="Our own experiment with tf.data gave nothing, so nothing can be held against it.")
