"""The evening of docs/ta-guide.md, typed as it stands there; its review is done by keyboard."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from moodle.course import MISSING, groups, worksheet
from moodle.evening import Evening, write_evening
from moodle.made_up import as_moodle_reads
from review.conftest import Server
from typer.testing import CliRunner

from grader.cli import app
from grader.course import Course
from grader.gradebook import Gradebook

ROOT = Path(__file__).parents[1]
GUIDE, SCRIPT = ROOT / "docs" / "ta-guide.md", ROOT / "tools" / "guide_pictures.py"


def evening() -> list[tuple[str, list[str]]]:
    """The commands of the guide, in order, each with the lines that it quotes of what is said."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```\n(\$ .*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ grade "), []))
            else:
                found[-1][1].append(" ".join(line.split()))
    return found


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.setattr("grader.execution.local.LocalExecutor", Evening)
    write_evening(tmp_path / "course")
    monkeypatch.chdir(tmp_path / "course")
    return Course(root=tmp_path / "course")


def entered(browser, server):
    """A browser at the overview of the review."""
    page = browser.new_page()
    page.goto(server.address)
    page.wait_for_selector("#who:focus")
    page.keyboard.type("J. D.")
    page.keyboard.press("Enter")
    page.wait_for_selector("#questions")
    return page


def review_by_keyboard(course, browser):
    """Decide everything that waits, question by question, without the mouse."""
    server = Server(course)
    page = entered(browser, server)
    for address in page.locator("a[href^='/question/']").evaluate_all("all => all.map(one => one.pathname)"):
        page.locator(f"a[href='{address}']").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("#decide")
        left = int(page.locator("nav").first.inner_text().split(", ")[-1].split()[0])
        for number in range(left):
            with page.expect_navigation():
                page.keyboard.press("fhf"[number % 3])
    assert "0 of" in page.locator("h1").inner_text()
    page.close()
    assert server.end() == 0


def test_the_evening_goes_as_the_guide_tells_it(course, browser):
    commands = evening()
    assert [command.split()[0] for command, _ in commands] == [
        *("download.zip", "review", "download.zip", "trust", "release", "export"),
    ]
    for command, told in commands:
        if command.startswith("review"):
            review_by_keyboard(course, browser)
            continue
        result = CliRunner().invoke(app, shlex.split(command), catch_exceptions=False)
        said = " ".join(result.output.split())
        assert result.exit_code == 0, said
        assert [line for line in told if line not in said] == []
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        assert {one.who for one in gradebook.decisions("a1")} == {"J. D."}
        released = gradebook.released("a1")
    assert len(released) == 24
    everybody = {str(person) for number, team in groups().items() if number != MISSING for person in team}
    out = course.for_moodle("a1")
    assert as_moodle_reads(out / "a1-feedback.zip").keys() == everybody
    assert Path("grades.csv").read_bytes() == worksheet()


def test_what_is_for_the_exercise_names_nobody(course):
    CliRunner().invoke(app, shlex.split(evening()[0][0]), catch_exceptions=False)
    page = (course.reports / "a1" / "index.html").read_text("utf-8")
    mistakes = page[page.index('<section id="mistakes"') : page.index('<section id="failures"')]
    assert "example</summary>" in mistakes
    assert not re.search(r"Alex|Sample|Sam\b|Team|team|_9\d\d", mistakes)


def test_the_keys_that_the_guide_names_are_those_of_the_page(course, browser):
    CliRunner().invoke(app, shlex.split(evening()[0][0]), catch_exceptions=False)
    server = Server(course)
    page = entered(browser, server)
    page.goto(f"{server.root}/question/question-interface")
    page.keyboard.press("c")
    page.keyboard.type("Yes.")
    page.keyboard.press("Escape")
    for key in "hfk":
        with page.expect_navigation():
            page.keyboard.press(key)
    assert page.locator(".decision").count() == 1
    keys = set(page.locator("[data-key]").evaluate_all("all => all.map(one => one.dataset.key)")) | {"c", "p"}
    page.close()
    server.end()
    rows = re.findall(r"^\| (`.*?) \|", GUIDE.read_text("utf-8"), re.MULTILINE)
    named = {key for row in rows for key in re.findall(r"`([^`]+)`", row)}
    assert named - {"9"} == keys


def test_the_pictures_are_those_that_the_script_takes_and_small():
    named = set(re.findall(r"\(pictures/(\S+?)\)", GUIDE.read_text("utf-8")))
    taken = set(re.findall(r'"(\w+\.webp)"', SCRIPT.read_text("utf-8")))
    there = {file.name: file.stat().st_size for file in (GUIDE.parent / "pictures").iterdir()}
    assert named == taken == there.keys()
    assert sum(there.values()) < 1_000_000
