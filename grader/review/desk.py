"""The desk: grades and evidence of one assignment, what waits, and decisions written down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from grader.assess import with_decisions
from grader.course import Course
from grader.datasets.withheld import course_secret
from grader.errors import UsageError
from grader.evidence.collect import EvidenceStore
from grader.evidence.record import Evidence
from grader.gradebook.connection import change_counter
from grader.gradebook.store import Gradebook
from grader.groups.deciding import decide, known_groups, members_of
from grader.groups.sharing import shared_decisions
from grader.model import Grade, Group, Override
from grader.report.pseudonyms import NamesLeftOut
from grader.review.items import Item, by_likeness, items_of, passage_of


class ReviewDesk:
    """One assignment on the desk. Grades are read anew after every decision: others may be at work too."""

    def __init__(self, course: Course, assignment: str) -> None:
        self.course = course
        self.assignment = assignment
        self._secret = course_secret(course.state)
        self._names = NamesLeftOut(self._secret)
        self._file = course.state / "gradebook.sqlite"
        self._known: tuple[bytes, Mapping[str, Grade]] | None = None
        with self._gradebook():
            pass  # made where there is none
        if not self.grades():
            raise UsageError(f"Nothing of {assignment} was graded yet: grade it first.")
        self._orders: dict[str, list[str]] = {}  # of each question, for finding it takes long
        self._evidence = {found.submission.id: found for found in self._read_evidence()}

    def grades(self) -> Mapping[str, Grade]:
        """The latest grades by key, decisions of a moment ago included; read where somebody has written."""
        written = change_counter(self._file)
        if self._known is None or self._known[0] != written:
            self._known = written, self._read_grades()
        return self._known[1]

    def _read_grades(self) -> Mapping[str, Grade]:
        with self._gradebook() as gradebook:
            latest = gradebook.latest(self.assignment).values()
            decisions: dict[str, list[Override]] = {}
            for decision in self._decisions(gradebook):
                decisions.setdefault(decision.submission, []).append(decision)
        return {
            self._names.called(grade.submission, grade.participant): with_decisions(
                grade, decisions.get(grade.submission, ())
            )
            for grade in latest
        }

    def items(self) -> tuple[Item, ...]:
        """All that is or was a person's to decide; what is judged for a whole group is there once."""
        judged = ((key, one) for key, one in self.grades().items() if one.is_judged_itself)
        return items_of(judged, self._secret)

    def by_question(self, criterion: str) -> list[Item]:
        """One criterion's items, similar answers next to each other; the order stays while nothing comes."""
        items = {item.key: item for item in self.items() if item.criterion.id == criterion}
        order = self._orders.get(criterion, [])
        if set(order) != set(items):
            passages = {
                item.key: passage_of(evidence, item.criterion)
                for item in items.values()
                if (evidence := self.evidence(item.submission)) is not None
            }
            order = [item.key for item in by_likeness(list(items.values()), passages)]
            self._orders[criterion] = order
        return [items[key] for key in order]

    def by_student(self, key: str) -> list[Item]:
        """One hand-in's items, in the rubric's order."""
        return [item for item in self.items() if item.key == key]

    def doubtful_groups(self) -> list[tuple[Group, list[str]]]:
        """The groups that wait for a person, each with the keys of its hand-ins."""
        keys = {grade.submission: key for key, grade in self.grades().items()}
        with self._gradebook() as gradebook:
            waiting = [group for group in known_groups(gradebook, self.assignment) if group.waits]
        return [(group, [keys[name] for name in members_of(group, keys)]) for group in waiting]

    def decide_group(self, key: str, is_together: bool, *, who: str, why: str) -> None:
        """Write down that a group is graded together by one hand-in, or left apart. Raises `UsageError`."""
        now = datetime.now(UTC)
        grade = self.grades().get(key)
        hand_in = key if grade is None else grade.submission
        with self._gradebook() as gradebook:
            decide(gradebook, self.assignment, hand_in, is_together, who=who, why=why, now=now)

    def draft(self, item: Item) -> str:
        """Under which name a browser keeps what was begun on an item."""
        return " ".join((self.assignment, *item.place))

    def evidence(self, submission: str) -> Evidence | None:
        """What is known of a hand-in, None where that was cleaned away."""
        return self._evidence.get(submission)

    def report(self, key: str) -> Path | None:
        """The student's report, None where there is none."""
        grade = self.grades().get(key)
        page = None if grade is None else self._page(grade)
        return page if page is not None and page.is_file() else None

    def comments(self, criterion: str) -> list[str]:
        """The comments that were used for a criterion, the most frequent first."""
        with self._gradebook() as gradebook:
            said = [d.comment for d in gradebook.decisions(self.assignment) if d.criterion == criterion]
        counts = {comment: said.count(comment) for comment in said if comment}
        return sorted(counts, key=lambda comment: (-counts[comment], comment))

    def decide(self, item: Item, points: Decimal, comment: str, *, who: str, seen: str) -> bool:
        """Write a decision down; False where somebody else decided since, and then nothing is changed."""
        now = datetime.now(UTC)
        override = Override(
            submission=item.submission,
            criterion=item.criterion.id,
            points=points,
            comment=comment,
            who=who,
            when=now,
        )
        with self._gradebook() as gradebook:
            is_new = gradebook.decide(self.assignment, override, seen=seen, now=now)
            self._record(gradebook, item.submission, now)
        return is_new

    def take_back(self, item: Item, *, who: str) -> bool:
        """Undo `who`'s own last decision on an item; what it replaced stands again."""
        now = datetime.now(UTC)
        with self._gradebook() as gradebook:
            is_done = gradebook.take_back(
                self.assignment, item.submission, item.criterion.id, who=who, now=now
            )
            self._record(gradebook, item.submission, now)
        return is_done

    def _record(self, gradebook: Gradebook, submission: str, now: datetime) -> None:
        """Append the grade as it stands with the decisions in force, that of each member of a group too."""
        latest_grades = gradebook.latest(self.assignment)
        group = latest_grades[submission].group
        members = members_of(group, latest_grades) if group is not None and group.is_shared else [submission]
        decisions = self._decisions(gradebook)
        for member in members:
            for latest in gradebook.history(self.assignment, member)[-1:]:
                grade = with_decisions(latest.grade, decisions)
                gradebook.record([grade], now=now, judged={member: latest.judged})

    def _decisions(self, gradebook: Gradebook) -> list[Override]:
        latest = gradebook.latest(self.assignment).items()
        groups = {name: grade.group for name, grade in latest if grade.group is not None}
        return shared_decisions(gradebook.decisions(self.assignment), groups)

    def _page(self, grade: Grade) -> Path:
        return self.course.reports / self.assignment / grade.submission / "index.html"

    def _gradebook(self) -> AbstractContextManager[Gradebook]:
        return Gradebook.open(self._file)

    def _read_evidence(self) -> Iterator[Evidence]:
        """The evidence that the latest grades rest on."""
        keys = {grade.submission: grade.run_key for grade in self.grades().values()}
        for found in EvidenceStore(self.course.state / "evidence").of(self.assignment):
            run_key = found.run.key if found.run is not None else None
            if keys.get(found.submission.id, "") == run_key:
                yield found


def parsed_points(text: str, most: Decimal) -> Decimal | None:
    """Points as somebody types them, `0.75` or `0,75`; None where that is no number from 0 to `most`."""
    try:
        points = Decimal(text.strip().replace(",", "."))
    except ArithmeticError:
        return None
    fits = points.is_finite() and 0 <= points <= most and points == points.quantize(Decimal("0.01"))
    return points if fits else None


def neighbours(items: Sequence[Item], at: Item) -> tuple[Item | None, Item | None]:
    """The items before and after one."""
    number = items.index(at)
    before = items[number - 1] if number else None
    return before, items[number + 1] if number + 1 < len(items) else None


def next_open(items: Sequence[Item], after: Item | None = None) -> Item | None:
    """The next item that nobody has decided, from the one after `after` round to the beginning."""
    places = [item.place for item in items]
    start = places.index(after.place) + 1 if after is not None and after.place in places else 0
    return next((item for item in (*items[start:], *items[:start]) if not item.is_decided), None)


def progress(items: Iterable[Item]) -> Mapping[str, tuple[int, int]]:
    """Per criterion, how many of its items are decided, and out of how many."""
    counts: dict[str, tuple[int, int]] = {}
    for item in items:
        done, total = counts.get(item.criterion.id, (0, 0))
        counts[item.criterion.id] = done + item.is_decided, total + 1
    return counts
