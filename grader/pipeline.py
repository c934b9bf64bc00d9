"""The whole flow on one page: hand-ins in, runs, evidence, grades, reports out.

read_submissions → split the data → plan → execute → collect (and measure) → assess → record → publish
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from grader.assess import asks_for_more_seeds
from grader.course import Course
from grader.datasets.finding import dataset_names
from grader.datasets.withheld import course_secret
from grader.errors import UsageError
from grader.evidence.collect import StoredEvidence
from grader.evidence.record import Evidence
from grader.execution.forecast import Forecast
from grader.execution.interface import Executor
from grader.execution.running import Progress
from grader.gathering import Desk, Gathered, executed_node, gather, references_of
from grader.gradebook.changes import GradeChange
from grader.gradebook.decisions_csv import read_decisions
from grader.gradebook.store import Gradebook
from grader.groups.sharing import for_everybody, groups_of, judged_themselves, shared_decisions
from grader.intake.places import DECISIONS, WORKSHEET, is_whole, staff_file
from grader.intake.submissions import read_submissions
from grader.judged_before import Judged, JudgedBefore
from grader.judging import Judge
from grader.kept_rubrics import keep_rubric
from grader.lateness import HandInTimes
from grader.model import Grade, Group, Isolation, Outcome, Record, Rejected, RunStatus, Submission
from grader.provisions import Provisions
from grader.report.pseudonyms import NamesLeftOut, Published
from grader.report.publish import publish
from grader.report.standing import standing_of
from grader.rubric import Rubric, read_rubric, with_limits
from grader.trust import agreements, distrusted


class Graded(Record):
    """What came of grading one assignment. `lost` are the submissions that our machinery failed."""

    assignment: str
    grades: tuple[Grade, ...]
    rejected: tuple[Rejected, ...]
    lost: tuple[str, ...]
    changes: tuple[GradeChange, ...]
    executed: int
    isolation: Isolation
    class_page: Path


def grade(
    path: Path,
    course: Course,
    executor: Executor,
    *,
    assignment: str | None = None,
    data: Path | None = None,
    decisions: Path | None = None,
    worksheet: Path | None = None,
    limits: Sequence[str] = (),
    isolation: Isolation = Isolation.BUBBLEWRAP,
    repeat: int = 0,
    pseudonyms: bool = False,
    progress: Progress = lambda doing, done, total: None,
    foretell: Callable[[Forecast], None] = lambda forecast: None,
) -> Iterator[Graded]:
    """Grade everything at `path`, one assignment after the other.

    What was run before is not run again; what was judged before is judged again where anything has changed
    that it rests on. `data`, `decisions` and `worksheet` name a folder of data sets, a `decisions.csv` and
    Moodle's grading worksheet that lie elsewhere than expected; `limits`, each `name=value`, come before
    the rubric's; `repeat` other than 0 gives every run other seeds; `pseudonyms` leaves names out of all
    that is shown; `foretell` hears, before an assignment's first run, how long its runs will take. Raises
    `GraderError` for bad usage, a bad rubric or broken machinery, before the first student where it can be
    known.
    """
    with course.locked():
        names = NamesLeftOut(course_secret(course.state)) if pseudonyms else None
        received = list(read_submissions(path, assignment=assignment, workspace=course.state / "intake"))
        assignments = sorted({item.assignment for item in received})
        for option, file in (("--decisions", decisions), ("--worksheet", worksheet)):
            if file is not None and len(assignments) > 1:
                there = ", ".join(assignments)
                raise UsageError(f"{option} is for one assignment, and here are {there}: name one of them.")
        rubrics = {
            name: with_limits(read_rubric(course.rubric_path(name), datasets=dataset_names()), limits)
            for name in assignments
        }
        if names is not None:
            progress = names.progress(progress, received)
        for name, rubric in rubrics.items():
            items = [item for item in received if item.assignment == name]
            yield _grade_assignment(
                items,
                rubric,
                Desk(course, executor, data, isolation, progress, foretell, repeat, names),
                decisions_file=decisions or staff_file(path, name, DECISIONS),
                worksheet=worksheet or staff_file(path, name, WORKSHEET),
                is_whole_class=is_whole(path, name),
            )


def _grade_assignment(
    received: Sequence[Submission | Rejected],
    rubric: Rubric,
    desk: Desk,
    *,
    decisions_file: Path | None,
    worksheet: Path | None,
    is_whole_class: bool,
) -> Graded:
    submissions = [item for item in received if isinstance(item, Submission)]
    rejected = [item for item in received if isinstance(item, Rejected)]
    keep_rubric(desk.course, rubric)
    pages = desk.course.reports / rubric.assignment
    data = Provisions(rubric, desk.course, desk.data, desk.isolation, desk.repeat, desk.executor.device)
    with Gradebook.open(desk.course.state / "gradebook.sqlite") as gradebook:
        earlier = gradebook.latest(rubric.assignment)
        whose = {name: grade.participant for name, grade in earlier.items()}
        whose |= {item.id: item.participant for item in received}
        handed_in = HandInTimes.read(desk.course.root, rubric.assignment, rubric.late, whose, worksheet)
        if decisions_file is not None and not _is_handed_in(decisions_file, submissions):
            _take_decisions(decisions_file, rubric, submissions, gradebook)
        references = references_of(rubric, desk)
        not_trusted = distrusted(agreements(gradebook))
        keys = {one.id: desk.evidence.key(one, data.run_settings) for one in submissions}
        before = JudgedBefore(
            desk.course.state / "judged" / f"{rubric.assignment}.json",
            [rubric.sha256, *sorted(not_trusted), handed_in.terms],
            keys,
            desk.evidence,
            beside=[references.model_dump_json(), rubric.title],
            pages=pages,
            asked={one.id: one.asked for one in rubric.criteria if one.check.name not in not_trusted},
        )
        stored = StoredEvidence(desk.evidence, keys, at_hand=())
        groups: Mapping[str, Group] = {}
        if is_whole_class:
            decided = gradebook.group_decisions(rubric.assignment)
            known = before.groups(decided, earlier)
            groups = groups_of(submissions, decided, stored) if known is None else known
        decisions = shared_decisions(gradebook.decisions(rubric.assignment), groups)
        standing = before.standing(groups, earlier, decisions, handed_in.times)
        again: list[Judged] = []
        judge = Judge(
            rubric=rubric,
            decisions=decisions,
            distrusted=not_trusted,
            handed_in=handed_in,
            groups=groups,
            earlier=earlier,
            before=before,
        )
        if rubric.scripts or desk.names is not None:
            standing = {}  # a script's run counts for the whole class; pages without names are of all or none
        else:
            again = judge.again([one for one in submissions if one.id not in standing], submissions)
        settled = standing | {one.grade.submission: one.grade for one in again}
        to_judge = [one for one in submissions if one.id not in settled]
        themselves = judged_themselves(to_judge, groups)
        gathered = gather(themselves, rubric, desk, data, references, earlier.values(), stored)
        gathered = _for_groups(gathered, to_judge, groups)
        anew = judge.anew(gathered.evidence)
        judged = {one.grade.submission: one for one in (*again, *anew)}
        in_order = [judged[one.id] for one in submissions if one.id in judged]
        changes = gradebook.record(
            [one.grade for one in in_order],
            now=datetime.now(UTC),
            judged={one.grade.submission: one.seen for one in in_order},
        )
        latest = earlier | {one.grade.submission: one.grade for one in in_order}
        standings = [
            standing_of(name, (latest if name == rubric.assignment else gradebook.latest(name)).values())
            for name in gradebook.assignments()
        ]
        others = standing if is_whole_class else latest
    rejected += gathered.rejected
    present = judged.keys() | {item.id for item in rejected}
    pairs = list(zip(anew, gathered.evidence, strict=True))
    shown_anew = [(one.grade, found) for one, found in pairs if desk.names or not one.keeps_page]
    shown = Published(
        grades=[grade for grade, _ in shown_anew],
        evidence=[found for _, found in shown_anew],
        rejected=rejected,
        others=[grade for name, grade in others.items() if name not in present],
        executed=lambda evidence: executed_node(desk.runs, evidence.notebook, evidence.run),
    )
    if desk.names is not None:
        changes = list(_nameless(changes, shown.grades, desk.names))
        shown = desk.names.published(shown)
    class_page = publish(
        shown.grades,
        shown.evidence,
        shown.rejected,
        again=[one.grade for one in in_order if one.keeps_page and desk.names is None],
        others=shown.others,
        examples_from=None if desk.names else StoredEvidence(desk.evidence, keys, gathered.evidence),
        run_of=desk.runs.load,
        title=rubric.title,
        executed=shown.executed,
        standings=standings,
        to=pages,
    )
    if desk.names is None:
        final = (one for one, found in pairs if _is_final(one.grade, found, rubric))
        before.keep([*again, *final], groups if is_whole_class else None)
    lost = [e.submission.id for e in shown.evidence if e.run and e.run.status is RunStatus.LOST]
    settled |= {one.grade.submission: one.grade for one in anew}
    in_their_order = [settled[one.id] for one in submissions if one.id in settled]
    return Graded(
        assignment=rubric.assignment,
        grades=tuple(shown.grades if desk.names else in_their_order),
        rejected=tuple(shown.rejected),
        lost=tuple(lost),
        changes=tuple(changes),
        executed=gathered.executed,
        isolation=desk.isolation,
        class_page=class_page,
    )


def _is_final(grade: Grade, evidence: Evidence, rubric: Rubric) -> bool:
    """Whether judging again would end alike: nothing was lost, and no fault of ours was in the way."""
    is_lost = evidence.run is not None and evidence.run.status is RunStatus.LOST
    is_checked = all(one.verdict.outcome is not Outcome.NOT_CHECKED for one in grade.criteria)
    return is_checked and not is_lost and not asks_for_more_seeds(evidence, rubric)


def _for_groups(
    gathered: Gathered, submissions: Sequence[Submission], groups: Mapping[str, Group]
) -> Gathered:
    """What was gathered, with a group's one copy standing for every member's."""
    shared = list(for_everybody(gathered.evidence, submissions, groups))
    rejected = [item for item in shared if isinstance(item, Rejected)]
    evidence = [item for item in shared if isinstance(item, Evidence)]
    update = {"evidence": tuple(evidence), "rejected": (*gathered.rejected, *rejected)}
    return gathered.model_copy(update=update)


def _is_handed_in(file: Path, submissions: Sequence[Submission]) -> bool:
    """Whether a file is a student's: it belongs to a hand-in, or there is none that can be graded."""
    handed_in = {
        (one.folder / attached.name).resolve() for one in submissions for attached in one.attachments
    }
    return not submissions or file.resolve() in handed_in


def _nameless(
    changes: Iterable[GradeChange], grades: Iterable[Grade], names: NamesLeftOut
) -> Iterator[GradeChange]:
    participants = {grade.submission: grade.participant for grade in grades}
    for change in changes:
        called = names.called(change.submission, participants[change.submission])
        yield change.model_copy(update={"submission": called})


def _take_decisions(
    file: Path, rubric: Rubric, submissions: Iterable[Submission], gradebook: Gradebook
) -> None:
    """Take the decisions of the TA's `decisions.csv` into the gradebook's history.

    A row that is gone withdraws its decision only for hand-ins that this call grades.
    """
    present = {submission.id: submission.participant for submission in submissions}
    known = {name: grade.participant for name, grade in gradebook.latest(rubric.assignment).items()}
    now = datetime.now(UTC)
    overrides = read_decisions(file, rubric.points_by_criterion, known | present, now=now)
    gradebook.replace_decisions(rubric.assignment, overrides, among=present, now=now)
