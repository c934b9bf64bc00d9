"""What a text claims: the clauses in which something is said that a question knows, negation included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from grader.answers.clauses import Clause, Sentence, holds, is_listed
from grader.answers.language import (
    ASSURED,
    EXAMPLES,
    FINITE,
    FUNCTION_WORDS,
    HEDGES,
    INSTEAD,
    NEGATORS,
    OWN_RUN,
    PREMISES,
    RESULTS,
    TURNS,
)
from grader.answers.negation import negations
from grader.answers.patterns import Match, Pattern, Vocabulary, read_pattern
from grader.answers.questions import Claim, Question, Subject
from grader.answers.words import NUMBER, Word, WordPattern, words_of

_TELLING_WORDS = 3  # of a clause that may tell of anything
_MOST_EXCLUDED = 4  # words that say what is not meant
_EXCLUDING = frozenset(("not", "nicht"))
_TELLING_ON = frozenset(("dass", "that"))
_FEWEST_FIGURES = 2
_FEWEST_CLAIMING = 3  # words of a sentence that claims anything
_TURNING_WORDS = 2  # of a clause that may take something back


class Said(NamedTuple):
    """A claim that a clause makes, or denies (`is_denied`). `is_doubtful` when it is hedged, told of
    somebody else, or negated more than once: then nothing rests on it.
    """

    claim: Claim
    is_denied: bool
    is_doubtful: bool
    sentence: Sentence
    clause: Clause


class Compiled:
    """A question's patterns, ready to be sought. `telling` are the words that an answer can be made of."""

    def __init__(self, question: Question) -> None:
        groups = {name: list(words) for name, words in question.groups}
        self.claims: list[tuple[Claim, list[Pattern]]] = [
            (claim, [read_pattern(text, groups) for text in claim.said]) for claim in question.claims
        ]
        self._likely: dict[WordPattern, list[tuple[int, int]]] = {}  # claim and pattern, by a word of it
        for number, (_, patterns) in enumerate(self.claims):
            for place, pattern in enumerate(patterns):
                for word in pattern.needed:
                    self._likely.setdefault(word, []).append((number, place))
        self.subjects: list[tuple[Subject, list[Pattern]]] = [
            (subject, [read_pattern(text, groups) for text in subject.named]) for subject in question.subjects
        ]
        self.below: list[tuple[Claim, list[Pattern]]] = [
            (claim, [read_pattern(text, groups) for text in claim.below]) for claim in question.claims
        ]
        self.sparing = [read_pattern(text, groups) for text in question.never_wrong_with]
        self.marring = [read_pattern(text, groups) for text in question.never_right_with]
        self.spoiling = [read_pattern(text, groups) for text in question.spoiled_by]
        every = [p for _, patterns in (*self.claims, *self.subjects, *self.below) for p in patterns]
        self.topic = [read_pattern(text, groups) for text in question.topic]
        every += [*self.sparing, *self.marring, *self.spoiling, *self.topic]
        self.vocabulary = Vocabulary(every)
        told = (phrase for pattern in every for phrase in pattern.phrases if not phrase.is_absent)
        words = {word for phrase in told for begin in phrase.begins for word in begin}
        self.telling = frozenset(word for word in words if word.stem not in FUNCTION_WORDS | {NUMBER})

    def said_in(self, sentence: Sentence) -> Iterator[Said]:
        """The claims that a sentence makes, each clause by itself; a question makes none.

        What is only supposed (`if …`) is left out, unless it is a known mistake.
        """
        if sentence.asks:
            return
        whole = Clause(sentence.words)
        is_hedged = False
        is_told_doubtfully = sentence.hedges or sentence.rejects or is_listed(sentence)
        for number, clause in enumerate((*sentence.clauses, whole)):
            is_premise = clause.begins_with in PREMISES and number + 1 < len(sentence.clauses)
            earlier = sentence.clauses[number - 1] if number > 0 and clause is not whole else None
            is_told_on = earlier is not None and clause.begins_with in _TELLING_ON and _negates(earlier)
            is_unsure = is_told_on and earlier is not None and _assures(earlier)
            is_negated = is_told_on and not is_unsure
            hedges = holds(clause.words, HEDGES)
            is_hedged = is_hedged or (hedges and clause.begins_with != "(")  # and so is what comes after
            is_doubtful = is_told_doubtfully or is_negated or is_premise
            for said in self._said_in_clause(sentence, clause, clause is whole):
                is_guess = (is_hedged or hedges) and (said.is_denied or not said.claim.may_happen)
                if is_unsure and not said.is_doubtful:
                    said = said._replace(is_denied=not said.is_denied)
                if said.claim.is_mistake or not is_premise:
                    yield said._replace(is_doubtful=said.is_doubtful or is_doubtful or is_guess)

    def _said_in_clause(self, sentence: Sentence, clause: Clause, is_whole: bool) -> Iterator[Said]:
        present = self.vocabulary.present_in(clause.words)
        likely = sorted({place for word in present.anywhere for place in self._likely.get(word, ())})
        for number, places in groupby(likely, key=itemgetter(0)):
            claim, patterns = self.claims[number]
            if claim.is_of_sentences is not is_whole:
                continue
            found = (patterns[place].find(clause.words, present) for _, place in places)
            match = next((match for match in found if match is not None), None)
            if match is not None:
                count = negations(clause, match)
                yield Said(claim, count == 1, count is None or count > 1, sentence, clause)

    def spares(self, text: str) -> bool:
        """Whether a text may be right in other words, so that it is not called wrong."""
        words = words_of(text)
        present = self.vocabulary.present_in(words)
        return any(pattern.find(words, present) for pattern in self.sparing)

    def speaks_of_topic(self, words: Sequence[Word]) -> bool:
        """Whether `words` hold any that an answer could be made of."""
        present = self.vocabulary.present_in(words)
        if not self.topic:
            return bool(present.anywhere & self.telling)
        return any(pattern.find(words, present) is not None for pattern in self.topic)

    def left_open(self, sentence: Sentence, every: Sequence[Said]) -> tuple[int, bool]:
        """How many clauses in which nothing was understood may tell of something false, and whether one of
        them begins like what takes the rest back; `every` is what was understood.
        """
        told = (said for said in every if not said.claim.is_of_sentences)
        read = {said.clause.start for said in told if said.claim.can_be_so or not said.is_denied}
        around = (None, *sentence.clauses, None)
        unread = [
            clause
            for earlier, clause, after in zip(around, sentence.clauses, around[2:], strict=False)
            if clause.start not in read and not (clause.begins_with in PREMISES and len(sentence.clauses) > 1)
            if after is None or after.begins_with not in RESULTS or after.start not in read
            if earlier is None or earlier.start not in read or not _is_contrast(earlier, clause)
            if not _excludes(clause) or {earlier and earlier.start, after and after.start}.isdisjoint(read)
        ]
        turning = any(self._turns(clause) or self._holds(clause, self.spoiling) for clause in unread)
        return sum(self._is_marring(clause) for clause in unread if not _shows(clause.words)), turning

    def is_unclear(self, sentence: Sentence) -> bool:
        """Whether a sentence in which nothing was understood may claim something, true or not.

        It holds a word of the topic, and neither asks, nor announces what comes, nor tells of an example in
        numbers or of one's own run.
        """
        words = sentence.words
        is_example = holds(words, EXAMPLES) and any(word.text.isdigit() for word in words)
        is_harmless = sentence.asks or words[-1].text == ":" or is_example or holds(words, OWN_RUN)
        is_harmless = is_harmless or sum(not word.is_mark for word in words) < _FEWEST_CLAIMING
        is_harmless = is_harmless or _shows(words)
        return not is_harmless and self.speaks_of_topic(words)

    def is_marred(self, sentence: Sentence) -> bool:
        """Whether a sentence holds what speaks against the whole answer."""
        against = (*self.spoiling, *(() if self.subjects else self.marring))
        present = self.vocabulary.present_in(sentence.words)
        return any(pattern.find(sentence.words, present) is not None for pattern in against)

    def _is_marring(self, clause: Clause) -> bool:
        return self.telling_in(clause.words) >= _TELLING_WORDS or self._holds(clause, self.marring)

    def _holds(self, clause: Clause, patterns: Sequence[Pattern]) -> bool:
        present = self.vocabulary.present_in(clause.words)
        return any(pattern.find(clause.words, present) is not None for pattern in patterns)

    def _turns(self, clause: Clause) -> bool:
        is_turn = clause.begins_with in TURNS or bool({word.text for word in clause.words} & TURNS)
        return is_turn and self.telling_in(clause.words) >= _TURNING_WORDS

    def telling_in(self, words: Sequence[Word]) -> int:
        """How many different words in `words` a claim can be made of."""
        return len(
            {word.text for word in words if self.vocabulary.present_in([word]).anywhere & self.telling}
        )

    def said_below(self, heading: str) -> Claim | None:
        """The claim that anything below `heading` makes, None when there is not exactly one."""
        words = words_of(heading)
        present = self.vocabulary.present_in(words)
        claims = [c for c, patterns in self.below if any(p.find(words, present) for p in patterns)]
        return claims[0] if len(claims) == 1 else None

    def subjects_of(self, clause: Clause) -> Iterator[tuple[Subject, Match]]:
        """The subjects that a clause names, each with where."""
        present = self.vocabulary.present_in(clause.words)
        for subject, patterns in self.subjects:
            found = (pattern.find(clause.words, present) for pattern in patterns)
            match = next((match for match in found if match is not None), None)
            if match is not None:
                yield subject, match


def _is_contrast(earlier: Clause, clause: Clause) -> bool:
    """Whether a clause only says what is so instead of what the one before it denies: `not A but B`."""
    is_short = not FINITE & {word.text for word in clause.words}
    return clause.begins_with in INSTEAD and is_short and _negates(earlier)


def _shows(words: Sequence[Word]) -> bool:
    """Whether words hardly hold anything but figures, as in `2 and 6 from the second`."""
    figures = sum(word.text.isdigit() for word in words)
    return figures >= _FEWEST_FIGURES and figures * 2 >= sum(not word.is_mark for word in words)


def _excludes(clause: Clause) -> bool:
    """Whether a clause only says what is not meant, as in `examples (not batches) are mixed`."""
    words = [word.text for word in clause.words if not word.is_mark]
    is_short = len(words) <= _MOST_EXCLUDED and not FINITE & set(words)
    return is_short and bool(words) and words[0] in _EXCLUDING


def _assures(clause: Clause) -> bool:
    return any(word.text in ASSURED for word in clause.words)


def _negates(clause: Clause) -> bool:
    return any(word.text in NEGATORS for word in clause.words)


@lru_cache(maxsize=64)
def compiled(question: Question) -> Compiled:
    """`question` with its patterns ready; made once."""
    return Compiled(question)
