"""What the documentation says is true of the program: links, commands, tables, examples."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer.main

from grader.cli import MAIN_VERB, app
from grader.datasets.finding import dataset_names
from grader.gradebook.decisions_csv import read_decisions
from grader.model import CriterionGrade, Grade, Lateness, Override, Participant, Reason, met
from grader.report.grade_file import grade_json
from grader.rubric import read_rubric

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
_NOT_OURS = {"reports", "submissions", "data", "dist", "build"}  # but for the README of the first two


def pages() -> list[Path]:
    """All Markdown files of the repository, what is generated or installed left out."""
    found = []
    for folder in (ROOT, *(path for path in ROOT.iterdir() if path.is_dir())):
        if folder != ROOT and (folder.name.startswith(".") or folder.name in _NOT_OURS):
            continue
        found += folder.glob("*.md") if folder == ROOT else folder.rglob("*.md")
    return sorted([*found, ROOT / "reports" / "README.md", ROOT / "submissions" / "README.md"])


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, with the indent of their fence removed."""
    found = re.findall(rf"^([ \t]*)```{language}\n(.*?)^\1```", page.read_text("utf-8"), re.M | re.S)
    return [re.sub(rf"^{indent}", "", body, flags=re.M) for indent, body in found]


def spans(text: str) -> list[str]:
    """The pieces of inline code."""
    prose = re.sub(r"^[ \t]*```.*?^[ \t]*```", "", text, flags=re.M | re.S)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]


def present(page: Path) -> str:
    """A page without its section on what is not there yet."""
    return re.sub(r"^## Not yet\n.*?(?=^## |\Z)", "", page.read_text("utf-8"), flags=re.M | re.S)


def table(page: Path, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, cells as text, without its head."""
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page.read_text("utf-8"), re.M | re.S)
    assert section is not None, heading
    lines = [line for line in section[1].split("\n") if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


# Links ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_relative_links_lead_somewhere(page):
    text = re.sub(r"^[ \t]*```.*?^[ \t]*```|`[^`]*`", "", page.read_text("utf-8"), flags=re.M | re.S)
    targets = re.findall(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)", text)
    relative = [target for target in targets if not re.match(r"[a-z][a-z0-9+.-]*:|#", target)]
    assert [target for target in relative if not (page.parent / unquote(target).split("#")[0]).exists()] == []


def test_every_page_is_in_the_index():
    index = (DOCS / "README.md").read_text("utf-8")
    assert [
        page.name for page in DOCS.glob("*.md") if page.name not in ("README.md",) and page.name not in index
    ] == []


# Commands ---------------------------------------------------------------------------------------------


def commands(text: str) -> Iterator[list[str]]:
    """The words of every `grade …` in inline code or at the beginning of a line of a fenced block."""
    fenced = "\n".join(re.findall(r"^[ \t]*```\w*\n(.*?)^[ \t]*```", text, re.M | re.S))
    lines = [line.strip().removeprefix("$ ").removeprefix(".venv/bin/") for line in fenced.split("\n")]
    for line in (*spans(text), *lines):
        words = line.split("#")[0].split()
        if words[:1] == ["grade"] and len(words) > 1:
            yield words[1:]


def options_of(words: list[str]) -> set[str]:
    """The options of the verb that `words` call; words that name no verb are PATHs of the main verb."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        name = next((word for word in words if not word.startswith("-")), "")
        if name in command.commands:
            words = words[words.index(name) + 1 :]
        elif command.commands.get(MAIN_VERB) is None:
            pytest.fail(f"there is no such verb: {' '.join(words)}")
        else:
            name = MAIN_VERB
        command = command.commands[name]
    every = (option for p in command.params for option in (*p.opts, *p.secondary_opts))
    return {*every, "--help"}


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_command_that_is_named_exists(page):
    for words in commands(present(page)):
        path = next((word for word in words if not word.startswith("-")), "PATH")
        is_verb = re.fullmatch(r"[a-z][a-z-]*", path) is not None
        assert not is_verb or path in typer.main.get_command(app).commands, words
        given = {word.split("=")[0] for word in words if word.startswith("--")}
        assert given <= options_of(words), words


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=name_of)
def test_every_option_that_is_named_exists(page):
    every = {"--help"}
    pending: list[Any] = [typer.main.get_command(app)]
    while pending:
        command = pending.pop()
        pending += getattr(command, "commands", {}).values()
        for parameter in command.params:
            every |= {*parameter.opts, *parameter.secondary_opts}
    named = {span.split()[0].split("=")[0] for span in spans(present(page)) if span.startswith("--")}
    assert named <= every


def test_the_table_of_options_is_that_of_the_main_verb():
    command = typer.main.get_command(app).commands[MAIN_VERB]
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    rows = table(DOCS / "grading.md", "From download to reports")
    assert {row[0].strip("`").split()[0] for row in rows} == options


# Tables and examples ----------------------------------------------------------------------------------


def test_the_table_of_parts_is_the_one_that_a_test_holds():
    spec = importlib.util.spec_from_file_location(
        "architecture_table", Path(__file__).with_name("test_architecture.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows = table(DOCS / "architecture.md", "Parts, and what may import what")
    told = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[2])) for row in rows}
    assert told == module.MAY_IMPORT


def a_decided_grade() -> Grade:
    """A grade with all that a grade may have."""
    decision = Override(
        submission="s",
        criterion="c",
        points=Decimal("0.5"),
        who="J. D.",
        when=datetime(2026, 1, 1, tzinfo=UTC),
    )
    criterion = CriterionGrade(
        id="c", title="C.", points=Decimal(1), verdict=met(Reason(text="Yes.")), override=decision
    )
    return Grade(
        submission="s",
        assignment="a1",
        participant=Participant(),
        run_key=None,
        rubric_sha256="0" * 64,
        criteria=(criterion,),
        late=Lateness(
            handed_in=datetime(2026, 1, 2, tzinfo=UTC),
            due=datetime(2026, 1, 1, tzinfo=UTC),
            has_extension=False,
            days=1,
            penalty=Decimal(1),
            is_refused=False,
        ),
    )


def keys_of(value: Any, prefix: str = "") -> Iterator[str]:
    """The keys of plain JSON, nested ones as `criteria[].id`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{prefix}{key}"
            yield from keys_of(inner, f"{prefix}{key}.")
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner, f"{prefix[:-1]}[].")


def test_the_table_of_grade_json_names_every_key_and_no_other():
    told = [
        key for row in table(DOCS / "grading.md", "`grade.json`") for key in re.findall(r"`([^`]+)`", row[0])
    ]
    assert sorted(told) == sorted(keys_of(grade_json(a_decided_grade())))


def test_the_example_of_decisions_is_read_against_the_rubric(tmp_path):
    (example,) = blocks(DOCS / "grading.md", "csv")
    (tmp_path / "decisions.csv").write_text(example, "utf-8")
    whose = {f"Participant_{number}": Participant(id=number, is_blind=True) for number in ("101", "102")}
    rubric = read_rubric(ROOT / "rubrics" / "a1.yaml", datasets=dataset_names())
    now = datetime(2026, 1, 1, tzinfo=UTC)
    found = read_decisions(tmp_path / "decisions.csv", rubric.points_by_criterion, whose, now=now)
    assert [(one.submission, one.points) for one in found] == [
        ("Participant_101", Decimal("0.75")),
        ("Participant_102", Decimal("1")),
    ]


def test_the_examples_of_checks_work_in_a_rubric_and_pass_their_test(tmp_path):
    """In a process of its own: the registry of the test run stays as it is."""
    page = DOCS / "writing-checks.md"
    (figures, seeds, test), (criteria,) = blocks(page, "python"), blocks(page, "yaml")
    (tmp_path / "figures_example.py").write_text(figures, "utf-8")
    (tmp_path / "seeds_example.py").write_text(seeds, "utf-8")
    (tmp_path / "test_example.py").write_text(test + _IN_A_RUBRIC, "utf-8")
    rubric = (ROOT / "rubrics" / "a1.yaml").read_text("utf-8")
    (tmp_path / "a1.yaml").write_text(f"{rubric.rstrip()}\n\n{criteria}", "utf-8")
    shutil.copytree(ROOT / "rubrics" / "a1", tmp_path / "a1")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert ended.returncode == 0, ended.stdout
    assert "7 passed" in ended.stdout


_IN_A_RUBRIC = """

def test_a_rubric_can_ask_for_both():
    from grader.datasets.finding import dataset_names
    from grader.rubric import read_rubric

    rubric = read_rubric(Path(__file__).parent / "a1.yaml", datasets=dataset_names())
    *_, shown, seeded = rubric.criteria
    assert shown.check(evidence_of(""), shown.parameters).outcome is Outcome.NEEDS_REVIEW
    assert seeded.check(evidence_of(""), seeded.parameters).outcome is Outcome.NOT_MET
"""
