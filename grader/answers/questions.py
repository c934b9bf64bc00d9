"""Questions and what can be said about them, described in YAML beside the rubric: file → `Question`.

`docs/answers.md` tells how such a file is written. All that is wrong with it is reported at once, with line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_serializer, model_validator

from grader.answers.examples import read_examples
from grader.answers.patterns import read_pattern
from grader.model import Record
from grader.oracles.order_facts import FACTS
from grader.strict_yaml import Place, StrictYaml, did_you_mean, named_in_material, read_yaml

FILE = "answers.yaml"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
Text = Annotated[str, Field(min_length=1)]
Patterns = Annotated[tuple[Text, ...], Field(min_length=1)]
Groups = tuple[tuple[str, tuple[str, ...]], ...]


class Subject(Record):
    """What a clause can be about. What is said about one that is `aside` counts neither way."""

    name: str
    named: tuple[str, ...]
    is_default: bool = False
    is_aside: bool = False


class Claim(Record):
    """Something that can be said, and when it is true: of which subjects, or by which facts.

    `says` is the claim in a sentence, for the report. `true_if` and `false_if` are alternatives such as
    `epochs-separate and not batches-mix-epochs`; without `false_if` it is never called false. It is sought
    clause by clause, or in whole sentences when it `is_of_sentences`; whatever stands below a heading like
    `below` says it, too. A `mistake` makes an answer wrong by itself. What only `may_happen` is so with a
    *maybe*, too.
    """

    name: str
    says: str
    said: tuple[str, ...]
    true_of: tuple[str, ...] = ()
    false_of: tuple[str, ...] = ()
    true_if: tuple[str, ...] = ()
    false_if: tuple[str, ...] = ()
    is_of_sentences: bool = False
    below: tuple[str, ...] = ()
    is_mistake: bool = False
    may_happen: bool = False

    @property
    def can_be_so(self) -> bool:
        """Whether it is true or false of anything, and not only a way to say little."""
        return bool(self.true_of or self.false_of or self.true_if or self.false_if)


class Question(Record):
    """A question of the task: its text, where an answer is looked for, and what can be said about it.

    An answer is right with the claims of one of `met` (see `is_met`), when it says nothing false. It is never
    called wrong when one of `never_wrong_with` stands in it: a right answer may be there in other words; and
    not right when as many clauses that were not understood hold one of `never_right_with` as hold something
    right, or when one of `spoiled_by` stands where nothing was understood (where a question has subjects:
    anywhere). Where the claims of `met` answer several parts of the question, they are `said_apart`: each in
    a sentence of its own. A text without any word of its `topic` is no answer to it; where no topic is given,
    one without any word of a claim. `examples` are labelled answers, as the text of their file
    (`grader.answers.examples`), by which a second reading learns; "" where there are none.
    """

    name: str
    asks: str
    words: tuple[str, ...]
    groups: Groups = ()
    subjects: tuple[Subject, ...] = ()
    claims: tuple[Claim, ...] = ()
    met: tuple[str, ...] = ()
    never_wrong_with: tuple[str, ...] = ()
    never_right_with: tuple[str, ...] = ()
    spoiled_by: tuple[str, ...] = ()
    said_apart: bool = False
    topic: tuple[str, ...] = ()
    examples: str = ""

    @field_serializer("examples")
    def _in_brief(self, examples: str) -> str:
        """Their hash: what a rubric says is hashed for every grade."""
        return hashlib.sha256(examples.encode()).hexdigest() if examples else ""

    def can_meet(self, claim: str) -> bool:
        """Whether a claim is asked for, by itself or with others."""
        return claim in _named_in(self.met)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _SubjectPart(_Part):
    named: Patterns
    default: bool = False
    aside: bool = False


class _ClaimPart(_Part):
    says: Text
    said: Patterns
    true_of: tuple[Name, ...] = ()
    false_of: tuple[Name, ...] = ()
    true_if: tuple[Text, ...] = ()
    false_if: tuple[Text, ...] = ()
    within: Literal["clause", "sentence"] = "clause"
    below: tuple[Text, ...] = ()
    mistake: bool = False
    may_happen: bool = False

    @model_validator(mode="after")
    def _is_by_subjects_or_by_facts(self) -> Self:
        if (self.true_of or self.false_of) and (self.true_if or self.false_if):
            raise ValueError("should be true by subjects (`true_of`) or by facts (`true_if`), not by both")
        return self


class _QuestionPart(_Part):
    asks: Text
    words: Patterns
    subjects: dict[Name, _SubjectPart] = Field(default_factory=dict)
    claims: dict[Name, _ClaimPart] = Field(default_factory=dict)
    met: tuple[Text, ...] = ()
    never_wrong_with: tuple[Text, ...] = ()
    never_right_with: tuple[Text, ...] = ()
    spoiled_by: tuple[Text, ...] = ()
    said_apart: bool = False
    topic: tuple[Text, ...] = ()
    examples: Annotated[str, Field(pattern=r"^[\w-]+\.jsonl$")] | None = None


class _FilePart(_Part):
    schema_version: Annotated[int, Field(alias="schema", ge=1, le=1)]
    groups: dict[Name, Patterns] = Field(default_factory=dict)
    questions: Annotated[dict[Name, _QuestionPart], Field(min_length=1)]


def read_questions(path: Path) -> dict[str, Question]:
    """The questions described in the file at `path`, by name.

    Raises `RubricError` with all that is wrong, one line each, with file, line and mend.
    """
    file = read_yaml(path)
    if not isinstance(file.value, dict):
        file.report((), "a file of questions is made of `key: value` lines, the first is `schema: 1`")
        raise file.error()
    part = file.validated(_FilePart, file.value, ())
    if part is None:
        raise file.error()
    groups = {name: list(words) for name, words in part.groups.items()}
    for name in groups:
        _verify_patterns(file, ("groups", name), [f"<{name}>"], groups)
    for name, question in part.questions.items() if not file.problems else ():
        _verify(file, ("questions", name), question, groups)
    examples = {
        name: _examples(file, ("questions", name, "examples"), question.examples)
        for name, question in part.questions.items()
    }
    if file.problems:
        raise file.error()
    return {
        name: _question(name, question, part.groups, examples[name])
        for name, question in part.questions.items()
    }


NamedQuestion = Annotated[Question, BeforeValidator(named_in_material("question", FILE, read_questions))]
"""A check's parameter that a rubric gives as a question's name."""


def _examples(file: StrictYaml, place: Place, name: str | None) -> str:
    """The labelled answers in the file of this name beside `file`; what is wrong with it is reported."""
    if name is None:
        return ""
    try:
        content = (file.path.parent / name).read_text("utf-8")
        read_examples(content)
    except OSError as error:
        file.report(place, f"{name} cannot be read ({error.strerror}): it should lie beside this file")
    except UnicodeDecodeError:
        file.report(place, f"{name} is not UTF-8 text: save the file as UTF-8")
    except ValueError as error:
        file.report(place, f"{name}: {error}")
    else:
        return content
    return ""


def _question(name: str, part: _QuestionPart, groups: Mapping[str, Sequence[str]], examples: str) -> Question:
    return Question(
        name=name,
        asks=part.asks,
        words=part.words,
        groups=tuple((group, tuple(words)) for group, words in groups.items()),
        subjects=tuple(
            Subject(name=subject, named=told.named, is_default=told.default, is_aside=told.aside)
            for subject, told in part.subjects.items()
        ),
        claims=tuple(
            Claim(
                name=claim,
                says=told.says,
                said=told.said,
                true_of=told.true_of,
                false_of=told.false_of,
                true_if=told.true_if,
                false_if=told.false_if,
                is_of_sentences=told.within == "sentence",
                below=told.below,
                is_mistake=told.mistake,
                may_happen=told.may_happen,
            )
            for claim, told in part.claims.items()
        ),
        met=part.met,
        never_wrong_with=part.never_wrong_with,
        never_right_with=part.never_right_with,
        spoiled_by=part.spoiled_by,
        said_apart=part.said_apart,
        topic=part.topic,
        examples=examples,
    )


def _verify(file: StrictYaml, place: Place, part: _QuestionPart, groups: Mapping[str, list[str]]) -> None:
    """Report what is wrong between the parts of one question."""
    for name, subject in part.subjects.items():
        _verify_patterns(file, (*place, "subjects", name, "named"), subject.named, groups)
    for name, claim in part.claims.items():
        here = (*place, "claims", name)
        _verify_patterns(file, (*here, "said"), claim.said, groups)
        _verify_patterns(file, (*here, "below"), claim.below, groups)
        for key, subjects in (("true_of", claim.true_of), ("false_of", claim.false_of)):
            _verify_names(file, (*here, key), subjects, part.subjects, "subject")
        for key, conditions in (("true_if", claim.true_if), ("false_if", claim.false_if)):
            _verify_names(file, (*here, key), _named_in(conditions), FACTS, "fact")
    _verify_patterns(file, (*place, "never_wrong_with"), part.never_wrong_with, groups)
    _verify_patterns(file, (*place, "never_right_with"), part.never_right_with, groups)
    _verify_patterns(file, (*place, "spoiled_by"), part.spoiled_by, groups)
    _verify_patterns(file, (*place, "topic"), part.topic, groups)
    _verify_names(file, (*place, "met"), _named_in(part.met), part.claims, "claim")


def _verify_names(
    file: StrictYaml, place: Place, names: Iterable[str], known: Iterable[str], what: str
) -> None:
    for name in names:
        if name not in known:
            file.report(place, f"there is no {what} {name!r}{did_you_mean(name, known)}")


def _verify_patterns(
    file: StrictYaml, place: Place, patterns: Sequence[str], groups: Mapping[str, list[str]]
) -> None:
    for index, pattern in enumerate(patterns):
        try:
            read_pattern(pattern, groups)
        except ValueError as error:
            file.report((*place, index), str(error))


def is_met(conditions: Iterable[str], asserted: Collection[str], denied: Collection[str]) -> bool:
    """Whether one of the conditions holds: each claim that it names is made or denied, `not a` is denied."""

    def is_so(condition: str) -> bool:
        parts = parts_of(condition)
        return all(name in denied or (is_plain and name in asserted) for name, is_plain in parts)

    return any(is_so(condition) for condition in conditions)


def _named_in(conditions: Iterable[str]) -> list[str]:
    return [name for condition in conditions for name, _ in parts_of(condition)]


def parts_of(condition: str) -> list[tuple[str, bool]]:
    """The names in a condition such as `a and not b`, each with whether it must be so."""
    parts = (part.strip() for part in condition.split(" and "))
    return [(part.removeprefix("not ").strip(), not part.startswith("not ")) for part in parts]
