"""The review page, answering on this machine in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from review.made_up import a_graded_course

from grader.course import Course


class Server:
    """`grade review` as a TA starts it."""

    def __init__(self, course: Course) -> None:
        command = [
            sys.executable,
            "-m",
            "grader",
            "review",
            "a1",
            "--no-browser",
        ]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment, cwd=course.root
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().split(" is at ")[1].strip()
        self.root = self.address.split("/?")[0]

    def end(self, number: int = signal.SIGINT) -> int:
        """Stop it; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return a_graded_course(tmp_path / "course", 10)


@pytest.fixture
def serve() -> Iterator[Callable[[Course], Server]]:
    """Starts servers and ends them after the test."""
    started: list[Server] = []

    def start(course: Course) -> Server:
        started.append(Server(course))
        return started[-1]

    yield start
    for server in started:
        server.end()


@pytest.fixture
def enter(browser: Any) -> Iterator[Callable[..., Any]]:
    """`enter(server, who, width=…)`: a browser of one's own at the overview."""
    contexts = []

    def open_page(server: Server, who: str = "J. D.", width: int = 1440, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(server.address)
        page.wait_for_selector("#who:focus")
        page.keyboard.type(who)
        page.keyboard.press("Enter")
        page.wait_for_selector("#questions")
        return page

    yield open_page
    for context in contexts:
        context.close()
