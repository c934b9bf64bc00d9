"""`pytest reference_solutions/`: every reference with every criterion is a test.

The references that pytest selected are graded once, together, before the first test. This module is loaded
by every pytest run of the environment, so everything of ours is imported where it is used.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from grader.reference_grading import Seen
    from grader.references import Reference

_NAMED = 5  # references with the longest runs, in the summary


class Hooks:
    """Hooks that this plug-in adds."""

    @pytest.hookspec(firstresult=True)
    def pytest_grade_references(
        self, config: pytest.Config, references: Sequence[Reference]
    ) -> Mapping[Path, Seen] | None:
        """Grade references, each given once; the answer is by their `origin`. The first answer counts."""


_CRITERIA = pytest.StashKey[dict[Path, tuple[str, ...]]]()
_SEEN = pytest.StashKey["Mapping[Path, Seen]"]()
_BROKEN = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options that say how references are run."""
    group = parser.getgroup("grader", "references as tests")
    group.addoption(
        "--reference-budget",
        choices=("quick", "full"),
        help="how long references train: as `references.yaml` says for a quick run, which is enough on "
        "stand-ins (default there), or as written (default on real data)",
    )
    group.addoption(
        "--reference-data",
        metavar="DIR",
        help="the real data sets; else the variable GRADER_DATA, else generated stand-ins",
    )
    group.addoption(
        "--reference-course",
        metavar="DIR",
        help="grade in this folder and keep it, with reports and runs; else in a temporary one",
    )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Make `pytest_grade_references` known."""
    pluginmanager.add_hookspecs(Hooks)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A reference by its place, None for any other file."""
    if file_path.suffix not in (".ipynb", ".yaml") or "reference_solutions" not in file_path.parts:
        return None
    from grader.references import is_reference

    if not is_reference(file_path):
        return None
    collected: pytest.Collector = ReferenceFile.from_parent(parent, path=file_path)
    return collected


class ReferenceFile(pytest.File):
    """One reference; its tests are the criteria of its assignment's rubric."""

    def collect(self) -> Iterator[pytest.Item]:
        """One test per criterion, in the rubric's order."""
        from grader.errors import GraderError
        from grader.references import read_reference

        try:
            criteria = self._criteria()
            reference = read_reference(self.path, criteria)
        except GraderError as error:
            raise self.CollectError(str(error)) from error
        for criterion in criteria:
            yield ReferenceItem.from_parent(self, name=criterion, reference=reference)

    def _criteria(self) -> tuple[str, ...]:
        from grader.datasets.finding import dataset_names
        from grader.rubric import read_rubric

        known = self.config.stash.setdefault(_CRITERIA, {})
        path = _course_of(self.path) / "rubrics" / f"{_assignment_of(self.path)}.yaml"
        if path not in known:
            rubric = read_rubric(path, datasets=dataset_names())
            known[path] = tuple(criterion.id for criterion in rubric.criteria)
        return known[path]


class ReferenceItem(pytest.Item):
    """One criterion of one reference."""

    def __init__(self, *, reference: Reference, **fields: object) -> None:
        super().__init__(**fields)  # type: ignore[arg-type]
        self.reference = reference

    def runtest(self) -> None:
        """Hold the verdict against what is expected."""
        broken = self.config.stash.get(_BROKEN, "")
        seen = self.config.stash.get(_SEEN, {}).get(self.reference.origin)
        if broken or seen is None:
            raise VerdictError(broken or "This reference was not graded.")
        verdict = seen.verdicts.get(self.name)
        if verdict is None:
            raise VerdictError(seen.why_not or "The grade has no such criterion.")
        expected = self.reference.expected(self.name, is_real=_data_of(self.config) is not None)
        self.user_properties.append(("outcome", verdict.outcome.value))
        if not expected.fits(verdict.outcome):
            found = verdict.outcome.value.replace("_", " ")
            title = self.reference.title
            reasons = [f"  - {_with_place(reason.text, reason.cell)}" for reason in verdict.reasons]
            lines = [title, f"expected: {expected.value}", f"found: {found}", *reasons]
            raise VerdictError("\n".join(lines))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """What was expected and found, with the reasons; a traceback only for faults of ours."""
        if isinstance(excinfo.value, VerdictError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, None, str]:
        """The headline of a failure."""
        return self.path, None, f"{self.reference.name}: {self.name}"


class VerdictError(Exception):
    """A reference did not get what it must; the text is the failure's."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Grade the selected references before the first test, outside of any test's timeout."""
    items = [item for item in session.items if isinstance(item, ReferenceItem)]
    if not items or session.config.option.collectonly or session.testsfailed:
        return
    from grader.errors import GraderError

    references = {item.reference.origin: item.reference for item in items}
    try:
        seen = session.config.hook.pytest_grade_references(
            config=session.config, references=list(references.values())
        )
        session.config.stash[_SEEN] = seen
    except GraderError as error:
        session.config.stash[_BROKEN] = str(error)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which references ran longest."""
    seconds = {path: seen.seconds for path, seen in config.stash.get(_SEEN, {}).items() if seen.seconds}
    if seconds:
        longest = sorted(seconds.items(), key=lambda entry: -entry[1])[:_NAMED]
        named = ", ".join(f"{path.stem} {value:.1f} s" for path, value in longest)
        terminalreporter.write_line(
            f"{len(seconds)} references, {sum(seconds.values()):.0f} s in their cells; longest: {named}"
        )


@pytest.hookimpl(trylast=True)
def pytest_grade_references(config: pytest.Config, references: Sequence[Reference]) -> Mapping[Path, Seen]:
    """Grade references in a course of their own, in rooms, as hand-ins of numbered participants."""
    from grader.execution.local import LocalExecutor
    from grader.reference_grading import course_of_references, grade_references

    data = _data_of(config)
    budget = config.getoption("--reference-budget") or ("full" if data else "quick")
    is_quick = budget == "quick"
    seen: dict[Path, Seen] = {}
    for root in dict.fromkeys(_course_of(reference.origin) for reference in references):
        chosen = [reference for reference in references if _course_of(reference.origin) == root]
        with (
            _course_folder(config.getoption("--reference-course")) as folder,
            closing(LocalExecutor()) as local,
        ):
            course = course_of_references(root / "rubrics", folder)
            graded = grade_references(chosen, course, local, data=data, is_quick=is_quick)
        seen |= {reference.origin: result for reference, result in zip(chosen, graded, strict=True)}
    return seen


@contextmanager
def _course_folder(kept: str | None) -> Iterator[Path]:
    if kept is None:
        with TemporaryDirectory(prefix="references-") as folder:
            yield Path(folder)
    else:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept).resolve()


def _data_of(config: pytest.Config) -> Path | None:
    """The folder of real data that references are run on, None for stand-ins."""
    named = config.getoption("--reference-data") or os.environ.get("GRADER_DATA")
    return Path(named) if named else None


def _folder_of(path: Path) -> Path:
    """The folder of the assignment that a reference's file belongs to."""
    return path.parent if path.name == "solution.ipynb" else path.parent.parent


def _assignment_of(path: Path) -> str:
    return _folder_of(path).name


def _course_of(path: Path) -> Path:
    return _folder_of(path).parent.parent


def _with_place(text: str, cell: int | None) -> str:
    return text if cell is None or f"cell {cell}" in text.lower() else f"{text} (cell {cell})"
