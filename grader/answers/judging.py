"""One answer, judged: right, wrong, or for a person to read, with the places that say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import product

from grader.answers.claims import Compiled, Said, compiled
from grader.answers.clauses import Clause, Sentence, is_hypothetical, sentences_of
from grader.answers.doubts import doubt_about
from grader.answers.language import NEGATORS
from grader.answers.questions import Question, Subject, is_met
from grader.answers.topic import is_about, without_copies
from grader.model import Record
from grader.notebook.prose import Passage

_MOST_QUOTES = 8  # for a claim, that are looked at
_FEWEST_WORDS = 3  # below a heading, to say anything


class Stand(StrEnum):
    """Whether what is said is so."""

    RIGHT = "right"
    WRONG = "wrong"
    OPEN = "open"


class Stated(Record):
    """A claim that an answer makes, and the sentence that makes it, as it stands in the text of `cell`.

    `says` is what it claims, in a sentence; when it `is_denied`, the answer says the opposite.
    """

    claim: str
    says: str
    is_denied: bool
    stand: Stand
    is_mistake: bool
    cell: int
    quote: str


class Judged(Record):
    """What came of reading one answer. `why` is a sentence for whoever reads the report.

    Open, it `is_right_so_far` when something that is asked for was understood and nothing speaks against it;
    right, it `is_likened` when that was not enough, and it is like answers that are right.
    """

    stand: Stand
    why: str
    is_right_so_far: bool = False
    is_likened: bool = False
    stated: tuple[Stated, ...] = ()


def judge(question: Question, passages: Sequence[Passage]) -> Judged:
    """Judge the answer in `passages`; *right* and *wrong* only where nothing speaks against it.

    What the answer is among them, `answer_in` tells.
    """
    own = answer_in(question, passages)
    told = {id(passage): tuple(_stated(question, passage)) for passage in own}
    stated = tuple(s for passage in own for s in told[id(passage)])
    doubt = doubt_about([passage.text for passage in own])
    doubt = doubt or ("" if question.subjects else _marred(question, own))
    if doubt:
        return Judged(stand=Stand.OPEN, why=doubt, stated=stated)
    is_all_mistaken = all(
        any(s.is_mistake and s.stand is Stand.WRONG for s in told[id(passage)])
        and not compiled(question).spares(passage.text)
        for passage in own
    )
    judged = _decide(question, stated, is_all_mistaken=is_all_mistaken)
    if judged.is_right_so_far:
        marred = _marred(question, own)
        if marred:
            return Judged(stand=Stand.OPEN, why=marred, stated=stated)
    if judged.stand is Stand.RIGHT and question.subjects and any(_is_unclear(question, p) for p in own):
        why = "It says what is asked for, and something more that was not understood."
        return judged.model_copy(update={"stand": Stand.OPEN, "why": why})
    return judged


def answer_in(question: Question, passages: Sequence[Passage]) -> list[Passage]:
    """The passages that are the answer: those that stand with the question, else any that speak of it."""
    own = [passage for passage in passages if passage.answers_to]
    return own or [passage for passage in passages if is_about(question, passage)]


def _marred(question: Question, passages: Iterable[Passage]) -> str:
    """Why an answer cannot be right as a whole, in a sentence; "" when nothing is against it."""
    ready = compiled(question)
    sentences = (sentence for passage in passages for sentence in sentences_of(passage.text))
    is_marred = any(ready.is_marred(sentence) for sentence in sentences)
    return "Something that it says may not be so." if is_marred else ""


def _decide(question: Question, stated: Sequence[Stated], *, is_all_mistaken: bool) -> Judged:
    def so(stand: Stand, why: str, *, is_right_so_far: bool = False) -> Judged:
        return Judged(stand=stand, why=why, is_right_so_far=is_right_so_far, stated=tuple(stated))

    right = {(s.claim, s.is_denied) for s in stated if s.stand is Stand.RIGHT}
    wrong = [s for s in stated if s.stand is Stand.WRONG]
    if right and (wrong or (question.subjects and any(s.stand is Stand.OPEN for s in stated))):
        return so(Stand.OPEN, "Some of what it says is right, and some is not.")
    if wrong:
        if any(s.is_mistake for s in wrong) and is_all_mistaken:
            return so(Stand.WRONG, "What it says is not so.")
        return so(Stand.OPEN, "What it says may not be so.")
    asserted, denied = (
        {name for name, is_denied in right if is_denied is wanted} for wanted in (False, True)
    )
    if is_met(question.met, asserted, denied):
        if question.said_apart and not _are_apart(stated):
            return so(Stand.OPEN, "It seems to answer several parts of the question in one sentence.")
        return so(Stand.RIGHT, "It says what is asked for.", is_right_so_far=True)
    if right:
        return so(Stand.OPEN, "It says a part of what is asked for.", is_right_so_far=True)
    return so(Stand.OPEN, "The program did not understand what it says.")


def _are_apart(stated: Sequence[Stated]) -> bool:
    """Whether there is a sentence for each claim that makes no other one needed."""
    quotes: dict[str, set[str]] = {}
    for s in stated:
        quotes.setdefault(s.claim, set()).add(s.quote)
    some = (sorted(told)[:_MOST_QUOTES] for told in quotes.values())
    return any(len(set(choice)) == len(choice) for choice in product(*some))


def _stated(question: Question, passage: Passage) -> Iterator[Stated]:
    """The claims of a passage with whether they are so; those about something else are left out."""
    ready = compiled(question)
    before: list[Subject] = []
    yield from _stated_below(ready, passage)
    for sentence in sentences_of(passage.text):
        named: dict[Clause, list[Subject]] = {}
        aim: list[Subject] = []  # what the clause before is about: what it is for is about the same
        for clause in sentence.clauses:
            aim = named[clause] = (aim if _is_aim(clause) else []) or _named(ready, clause, question)
        for said in ready.said_in(sentence):
            here = named.get(said.clause, [])
            around = [s for clause in sentence.clauses for s in named[clause]]
            meant = here or around
            if any(s.is_aside for s in here) or (meant and all(s.is_aside for s in meant)):
                continue
            is_opinion = not question.subjects and not said.claim.is_mistake  # a hedged one is one, too
            is_open = said.is_doubtful and not is_opinion
            stand = Stand.OPEN if is_open else _stand(said, question, here, around, before)
            may_be_mistake = said.claim.is_mistake and not said.is_denied and not sentence.rejects
            may_be_mistake = may_be_mistake or _denies_what_is_so(said, question)
            may_be_mistake = may_be_mistake or _is_false_by_itself(said, question, (*around, *before))
            if stand is not Stand.OPEN or may_be_mistake or not question.subjects:
                yield _told(said, stand, passage)
        before = [s for clause in sentence.clauses for s in named[clause]] or before


def _is_unclear(question: Question, passage: Passage) -> bool:
    """Whether a sentence of a passage may claim something and was not understood."""
    ready = compiled(question)
    sentences = sentences_of(without_copies(question, passage.text))
    unclear = (s for s in sentences if ready.is_unclear(s) and not any(ready.said_in(s)))
    return any(not _is_aside(ready, sentence) for sentence in unclear)


def _is_aside(ready: Compiled, sentence: Sentence) -> bool:
    """Whether a sentence speaks of something else: it begins with a subject that is aside."""
    named = (list(ready.subjects_of(clause)) for clause in sentence.clauses)
    first = next((found for found in named if found), [])
    return any(subject.is_aside for subject, _ in first)


def _stated_below(ready: Compiled, passage: Passage) -> Iterator[Stated]:
    """What a passage says by standing below a heading or a part of the question."""
    heading = passage.answers_to or (passage.headings[-1] if passage.headings else "")
    claim = ready.said_below(heading)
    if claim is None:
        return
    for sentence in sentences_of(passage.text):
        words = sum(not word.is_mark for word in sentence.words)
        if words >= _FEWEST_WORDS and not sentence.asks and not sentence.hedges:
            said = Said(claim, False, False, sentence, Clause(sentence.words))
            yield _told(said, Stand.RIGHT, passage)
            return


def _named(ready: Compiled, clause: Clause, question: Question) -> list[Subject]:
    """The subjects that a clause names; one that is negated (`without random values`) means the default."""
    texts = [word.text for word in clause.words]
    found: list[Subject] = []
    for subject, match in ready.subjects_of(clause):
        is_negated = bool(NEGATORS & set(texts[max(0, match.first - 2) : match.first]))
        if is_negated and not subject.is_default:
            found += [other for other in question.subjects if other.is_default]
        elif not is_negated:
            found.append(subject)
    return found


def _stand(
    said: Said,
    question: Question,
    here: Iterable[Subject],
    sentence: Iterable[Subject],
    before: Iterable[Subject],
) -> Stand:
    """Whether a claim is so: of what its clause names (`here`), else of what the text around speaks of.

    What is false of all that its sentence names is open, unless it is a known mistake or says what would be
    otherwise.
    """
    claim = said.claim
    if not question.subjects:
        return Stand.WRONG if claim.is_mistake and not said.is_denied else Stand.RIGHT
    true_of, false_of = set(claim.true_of), set(claim.false_of)
    if said.is_denied:
        true_of, false_of = false_of, true_of
    default = {subject.name for subject in question.subjects if subject.is_default}
    explicit, near = {subject.name for subject in here}, {subject.name for subject in sentence}
    is_misplaced = not explicit and bool(near) and near <= false_of and not claim.is_mistake
    if is_misplaced and not is_hypothetical(said.clause):
        return Stand.OPEN
    if (explicit or near | {subject.name for subject in before} | default) & true_of:
        return Stand.RIGHT
    is_false = (explicit or (default if claim.is_mistake else set())) & false_of
    return Stand.WRONG if is_false else Stand.OPEN


def _denies_what_is_so(said: Said, question: Question) -> bool:
    """Whether a clause denies what is so of that which a text speaks of where it names nothing else."""
    default = {subject.name for subject in question.subjects if subject.is_default}
    return said.is_denied and not said.is_doubtful and bool(default & set(said.claim.true_of))


def _is_false_by_itself(said: Said, question: Question, named: Iterable[Subject]) -> bool:
    """Whether a claim is false of that which a text speaks of where it names nothing else, as here."""
    default = {subject.name for subject in question.subjects if subject.is_default}
    others = {subject.name for subject in named} - default
    is_told = not said.is_denied and not is_hypothetical(said.clause) and not others
    return is_told and bool(default & set(said.claim.false_of))


def _is_aim(clause: Clause) -> bool:
    """Whether a clause tells what the one before it is for: `so that …`, `damit …`."""
    begin = [word.text for word in clause.words[:2]]
    return begin == ["so", "that"] or begin[:1] in (["damit"], ["sodass"])


def _told(said: Said, stand: Stand, passage: Passage) -> Stated:
    quote = passage.text[said.sentence.start : said.sentence.end]
    return Stated(
        claim=said.claim.name,
        says=said.claim.says,
        is_denied=said.is_denied,
        stand=stand,
        is_mistake=said.claim.is_mistake,
        cell=passage.cell,
        quote=quote,
    )
