"""How well answers in words are read: `python benchmarks/answers.py [FOLDER…]`, or `make answers`.

Reads labelled answers from the folders named, else from those below `tests/answers/` and the sets beside the
rubrics by which a second reading learns (each is read without having learned from that set), judges each with
the rubrics' own checks, and prints, for each set apart, how many decisions are right (with the lower end of
the 95 % interval after Wilson), how many of the clear answers are decided, and every mistake. With `--all`
also what was left to a person; with `--summary` only the figures, for whoever works on the reader and must
not see the answers that measure it; with `--tuning` only the answers that were written to tune with.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from grader.answers.examples import read_examples
from grader.answers.questions import Question
from grader.course import find_course
from grader.datasets.finding import dataset_names
from grader.evidence.record import Evidence
from grader.execution.local import LocalExecutor
from grader.execution.running import run_jobs
from grader.execution.scripts import plan_script, printed_by
from grader.execution.store import RunStore
from grader.model import Outcome, Participant, Submission
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook
from grader.oracles.references import EXPERIMENTS, References, read_references
from grader.rubric import Criterion, Rubric, read_rubric

REPOSITORY = Path(__file__).resolve().parents[1]
ANSWERS = REPOSITORY / "tests" / "answers"
TUNING = ANSWERS / "tuning"
RIGHT, WRONG = {"right"}, {"wrong", "copied", "empty", "off-topic"}
Z = 1.96


class Labelled(NamedTuple):
    """One labelled answer, and the file it stands in."""

    question: str
    language: str
    kind: str
    text: str
    expect: str
    file: str


class AnswerSet(NamedTuple):
    """Answers that are measured together, and as what set a second reading could have learned from them."""

    name: str
    answers: list[Labelled]
    unlearned: str = ""


class Result(NamedTuple):
    """What the checks made of an answer: `met`, `partly`, `not_met` or `review`."""

    answer: Labelled
    outcome: str
    reasons: tuple[str, ...]

    @property
    def is_decided(self) -> bool:
        """Whether no person is asked."""
        return self.outcome != "review"

    @property
    def is_mistake(self) -> bool:
        """Whether the decision is wrong; where a person should look, one in the answer's own sense is not."""
        if not self.is_decided or self.outcome == self.answer.expect:
            return False
        if self.answer.expect != "review":
            return True
        alright = "met" if self.answer.kind in RIGHT else "not_met" if self.answer.kind in WRONG else "partly"
        return self.outcome != alright


def read_answers(folder: Path) -> list[Labelled]:
    """All labelled answers below `folder`."""
    return [
        Labelled(
            question=entry["question"],
            language=entry["language"],
            kind=entry["kind"],
            text=entry["text"] or "",
            expect=entry["expect"],
            file=file.name,
        )
        for file in sorted(folder.glob("*.yaml"))
        for entry in yaml.safe_load(file.read_text("utf-8"))
    ]


class Reader:
    """The rubrics' checks, asked about single answers."""

    def __init__(self, references: References) -> None:
        self.references = references
        self.rubrics: dict[str, Rubric] = {
            name: read_rubric(REPOSITORY / "rubrics" / f"{name}.yaml", datasets=dataset_names())
            for name in ("a1", "a2")
        }

    def learned_from(self) -> Iterator[AnswerSet]:
        """The sets by which second readings learn."""
        for name, question in self._questions.items():
            examples = read_examples(question.examples) if question.examples else ()
            for of in dict.fromkeys(one.set for one in examples):
                answers = [
                    Labelled(name, one.language, one.kind, one.text, one.expect.value, of)
                    for one in examples
                    if one.set == of
                ]
                yield AnswerSet(f"{of}, learned from", answers, unlearned=of)

    def judge(self, answer: Labelled, unlearned: str = "") -> Result:
        """What the checks make of `answer`, handed in with the question above it.

        A second reading learns from all its sets but the `unlearned` one.
        """
        criteria = list(self._criteria(answer.question))
        heading = answer.question.replace("-", " → ") if answer.question.count("-") == 2 else ""
        asks = heading or self._questions[answer.question].asks
        evidence = self._evidence(f"## {heading}" if heading else asks, answer.text)
        deciding = [c.parameters.model_copy(update=self._asked(c, unlearned)) for c in criteria]
        verdicts = [c.check(evidence, given) for c, given in zip(criteria, deciding, strict=True)]
        reasons = tuple(reason.text for verdict in verdicts for reason in verdict.reasons)
        return Result(answer, _together([verdict.outcome for verdict in verdicts]), reasons)

    def _criteria(self, question: str) -> Iterator[Criterion]:
        if question in ("zeros", "interface"):
            names = [f"question-{question}"]
        elif question == "sensible":
            names = ["sensible-order"]
        elif question == "orders":
            names = [c.id for c in self.rubrics["a2"].criteria if c.check.name == "order-described"]
        else:
            names = [f"order-{question}"]
        every = {c.id: c for rubric in self.rubrics.values() for c in rubric.criteria}
        return (every[name] for name in names)

    @cached_property
    def _questions(self) -> dict[str, Question]:
        every = (_question(c) for rubric in self.rubrics.values() for c in rubric.criteria)
        return {question.name: question for question in every if question is not None}

    def _asked(self, criterion: Criterion, unlearned: str) -> dict[str, Any]:
        question = _question(criterion)
        if question is None or not (question.examples and unlearned):
            return {"decide": True}
        examples = _without(question.examples, unlearned)
        return {"decide": True, "question": question.model_copy(update={"examples": examples})}

    def _evidence(self, *texts: str) -> Evidence:
        cells = (
            Cell(number=number, kind=CellKind.MARKDOWN, source=text)
            for number, text in enumerate(texts, start=1)
        )
        notebook = Notebook(cells=tuple(cells))
        submission = Submission(
            id="one",
            assignment="a1",
            participant=Participant(),
            folder=REPOSITORY,
            notebook="one.ipynb",
            notebook_sha256="0" * 64,
        )
        return Evidence(
            submission=submission,
            notebook=notebook,
            saved=read_outputs(notebook),
            references=self.references,
        )


def _question(criterion: Criterion) -> Question | None:
    return getattr(criterion.parameters, "question", None)


@lru_cache(maxsize=2)
def _without(examples: str, of: str) -> str:
    """The labelled answers in `examples` (a file's content) but those of the set `of`."""
    return "\n".join(
        line for line in examples.removesuffix("\n").split("\n") if json.loads(line)["set"] != of
    )


def _together(outcomes: Sequence[Outcome]) -> str:
    """One outcome for an answer that several criteria judge."""
    if any(outcome in (Outcome.NEEDS_REVIEW, Outcome.NOT_CHECKED) for outcome in outcomes):
        return "review"
    if len(set(outcomes)) > 1 or Outcome.PARTLY_MET in outcomes:
        return "partly"
    return "met" if outcomes[0] is Outcome.MET else "not_met"


def lower_bound(right: int, decided: int) -> float:
    """The lower end of the 95 % interval of a share (Wilson's score interval); 0 for none."""
    if not decided:
        return 0.0
    share, z2 = right / decided, Z * Z
    middle = share + z2 / (2 * decided)
    spread = Z * math.sqrt(share * (1 - share) / decided + z2 / (4 * decided * decided))
    return (middle - spread) / (1 + z2 / decided)


class Summary(NamedTuple):
    """How a set of answers was judged: how many there are, decided, rightly decided; clear ones, decided."""

    answers: int
    decided: int
    right: int
    clear: int
    clear_decided: int

    @property
    def precision(self) -> float:
        """The share of decisions that are right."""
        return self.right / self.decided if self.decided else 0.0

    @property
    def coverage(self) -> float:
        """The share of clear answers that are decided."""
        return self.clear_decided / self.clear if self.clear else 0.0


def summary(results: Iterable[Result]) -> Summary:
    """The figures of some results."""
    every = list(results)
    decided = [result for result in every if result.is_decided]
    clear = [result for result in every if result.answer.expect != "review"]
    return Summary(
        answers=len(every),
        decided=len(decided),
        right=sum(not result.is_mistake for result in decided),
        clear=len(clear),
        clear_decided=sum(result.is_decided for result in clear),
    )


def _row(name: str, told: Summary) -> str:
    bound = lower_bound(told.right, told.decided)
    return (
        f"| {name} | {told.answers} | {told.decided} | {told.precision:.3f} | {bound:.3f} "
        f"| {told.clear} | {told.coverage:.2f} |"
    )


def main(references: References, arguments: Sequence[str]) -> None:
    """Print the figures and every mistake of all folders, or what `arguments` ask for."""
    reader = Reader(references)
    named = [Path(argument) for argument in arguments if not argument.startswith("--")]
    every = sorted(folder for folder in ANSWERS.iterdir() if any(folder.glob("*.yaml")))
    folders = [TUNING] if "--tuning" in arguments else named or every
    sets = [AnswerSet(folder.name, read_answers(folder)) for folder in folders]
    learned = [
        one for one in reader.learned_from() if "--tuning" not in arguments or one.unlearned == TUNING.name
    ]
    for name, answers, unlearned in (*sets, *(() if named else learned)):
        results = [reader.judge(answer, unlearned) for answer in answers]
        print(f"\n## {name}: {len(answers)} answers\n")
        print("| question | answers | decided | right | at least | clear | of these decided |")
        print("|---|---|---|---|---|---|---|")
        for question in Counter(answer.question for answer in answers):
            print(_row(question, summary(r for r in results if r.answer.question == question)))
        print(_row("**all**", summary(results)))
        for result in results if "--summary" not in arguments else ():
            is_missed = "--all" in arguments and not result.is_decided and result.answer.expect != "review"
            if result.is_mistake or is_missed:
                _show(result)


def _show(result: Result) -> None:
    answer: Any = result.answer
    what = "MISTAKE" if result.is_mistake else "left to a person"
    print(f"\n{what} ({answer.file}, {answer.question}, {answer.kind}, {answer.language}): ", end="")
    print(f"expected {answer.expect}, found {result.outcome}\n  {' '.join(answer.text.split())[:400]}")
    for reason in result.reasons:
        print(f"    - {reason[:300]}")


def references_of_this_machine() -> References:
    """What the orders do, by our experiment, which is run in a room when that was not done before."""
    course = find_course(REPOSITORY)
    with course.locked():
        runs = RunStore(course.state / "runs")
        job = plan_script("orders", EXPERIMENTS["orders"].read_text("utf-8"))
        run_jobs([job], runs, LocalExecutor(1), lambda doing, done, total: None)
        return read_references({"orders": printed_by(job, runs)})


if __name__ == "__main__":
    main(references_of_this_machine(), sys.argv[1:])
