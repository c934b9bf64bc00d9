"""Takes the pictures of docs/ta-guide.md anew: a made-up course is graded, and its pages are photographed.

    .venv/bin/python tools/guide_pictures.py [FOLDER]

Needs Chromium at /usr/bin/chromium and the extra `dev`; nothing of TensorFlow is run. Pictures go to
docs/pictures/, or to FOLDER.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from conftest import ARGUMENTS, CHROMIUM  # noqa: E402 - found by the line above
from moodle.evening import Evening, write_evening  # noqa: E402

from grader.course import Course  # noqa: E402
from grader.pipeline import grade  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTH, HEIGHT = 1100, 780
QUALITY = 70


def main(folder: Path) -> None:
    """Grade the course, review some of it, and write every picture below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        root = Path(scratch) / "course"
        write_evening(root)
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        class_page = _graded(root)
        _photograph_class(browser, class_page, folder)
        with _reviewing(root) as address:
            _photograph_review(browser, address, folder)
        _photograph_report(browser, _graded(root).parent / "Team-6_906" / "index.html", folder)
        browser.close()
    for picture in sorted(folder.glob("*.webp")):
        print(f"{picture.name}: {picture.stat().st_size / 1024:.0f} KiB")


def _graded(root: Path) -> Path:
    """The class page, after grading."""
    course = Course(root=root)
    [graded] = grade(
        root / "download.zip", course, Evening(1), assignment="a1", worksheet=root / "grades.csv"
    )
    return graded.class_page


def _photograph_class(browser: Browser, page_file: Path, folder: Path) -> None:
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    page.goto(page_file.as_uri())
    _keep(page, folder / "class.webp")
    page.locator("#mistakes details").first.evaluate("one => one.open = true")
    page.locator("#failures details").first.evaluate("one => one.open = true")
    page.locator("#by-criterion").scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#by-criterion').scrollIntoView()")
    _keep(page, folder / "exercise.webp")
    page.close()


def _photograph_review(browser: Browser, address: str, folder: Path) -> None:
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    page.goto(address)
    page.wait_for_selector("#who:focus")
    page.keyboard.type("J. D.")
    page.keyboard.press("Enter")
    page.wait_for_selector("#questions")
    page.locator("a[href='/question/question-interface']").click()
    for key in "hhf":
        page.keyboard.press("c")
        page.keyboard.type("Say what you would wrap, and why." if key == "h" else "A thoughtful answer.")
        page.keyboard.press("Escape")
        with page.expect_navigation():
            page.keyboard.press(key)
    _keep(page, folder / "review.webp")
    page.keyboard.press("o")
    page.wait_for_selector("#questions")
    _keep(page, folder / "overview.webp")
    page.close()


def _photograph_report(browser: Browser, page_file: Path, folder: Path) -> None:
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    page.goto(page_file.as_uri())
    _keep(page, folder / "report.webp")
    page.close()


@contextmanager
def _reviewing(root: Path) -> Iterator[str]:
    """`grade review a1`, as a TA starts it; yields the address."""
    command = [sys.executable, "-m", "grader", "review", "a1", "--no-browser"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root, env=environment) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split(" is at ")[1].strip()
        process.send_signal(signal.SIGINT)


def _keep(page: Page, file: Path) -> None:
    """What the window shows now, as a small picture."""
    shot = Image.open(io.BytesIO(page.screenshot()))
    shot.convert("RGB").save(file, "WEBP", quality=QUALITY, method=6)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
