"""A real browser opens pages full of attacks: nothing runs, nothing is loaded, nothing overflows."""

from __future__ import annotations

import pytest

from grader.model import (
    Attachment,
    CellRun,
    CellStatus,
    Mend,
    Participant,
    Reason,
    Rejected,
    RunStatus,
    met,
    needs_review,
    not_met,
)
from grader.notebook.records import Notebook, Output, OutputKind, Readings
from grader.report.pages import render_class, render_submission
from grader.report.standing import standing_of

ATTACK = (
    "<script>document.title='owned';alert(1)</script>"
    "<img src=x onerror=\"document.title='owned';alert(1)\">"
    "<svg onload=\"document.title='owned'\"><script>document.title='owned'</script></svg>"
    "<iframe src=\"data:text/html,<script>alert(1);parent.document.title='owned'</script>\"></iframe>"
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>"
    "<link rel=stylesheet href=https://evil.example/x.css><base href=https://evil.example/>"
    "<style>.score, .result { display: none !important } body { background: url(//evil.example) }</style>"
    "<div class=score id=main style='position:fixed;inset:0;background:red;z-index:99'>Score: 10 of 10</div>"
    "<a href=\"javascript:document.title='owned'\" class=bait>click</a>"
    "<details open ontoggle=\"document.title='owned'\"><summary>s</summary>d</details>"
    "<form action=https://evil.example/><input autofocus onfocus=alert(1)></form>"
    "<table width=9000><tr><td nowrap>" + "wide" * 400 + "</td></tr></table>"
    "</div></section></main></body></html>"
)
LONG = "n" * 3_000


@pytest.fixture
def hostile_notebook(a_notebook, code, markdown, printed) -> Notebook:
    def shown(html: str) -> Output:
        return Output(kind=OutputKind.DISPLAY, text="x", html=html)

    return a_notebook(
        markdown(ATTACK),
        markdown(f"# {LONG}\n\n[bait](javascript:alert(1)) ![x](https://evil.example/x.png)\n\n{ATTACK}\n"),
        code(f"x = '''{ATTACK}'''  # {LONG}", printed(ATTACK), printed(LONG), shown(ATTACK)),
        code("y", Output(kind=OutputKind.ERROR, text=ATTACK, error_name=ATTACK, error_value=LONG)),
        code("z", Output(kind=OutputKind.DISPLAY, image="PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIj4=")),
        code("figure", shown("<img src='data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIj4='>")),
    )


@pytest.fixture
def hostile_page(a_grade, a_criterion, a_run, an_evidence, hostile_notebook) -> str:
    participant = Participant(id="101", name=f"\u202e{ATTACK}{LONG}")
    submission = {
        "participant": participant,
        "notebook": f"{ATTACK}.ipynb",
        "attachments": (Attachment(name=f"a{LONG}.csv", size_bytes=1, sha256="a" * 64),),
        "online_text": ATTACK,
        "remarks": (ATTACK, LONG),
    }
    run = a_run(mends=(Mend(name="m", text=ATTACK),), missing_modules=(ATTACK,), versions={ATTACK: LONG})
    evidence = an_evidence(hostile_notebook, run, submission=submission, rerun=Readings())
    criteria = (
        a_criterion(met(Reason(text=ATTACK, cell=3), Reason(text=LONG))),
        a_criterion(needs_review(Reason(text=ATTACK * 3)), id=f"x{ATTACK}", title=ATTACK),
    )
    executed = hostile_notebook.model_copy(
        update={
            "cells": tuple(c.model_copy(update={"outputs": c.outputs * 2}) for c in hostile_notebook.cells)
        }
    )
    grade = a_grade(*criteria, participant=participant)
    return render_submission(grade, evidence, executed, rubric_title=f"Assignment 1 {ATTACK[:120]}")


@pytest.fixture
def hostile_class_page(a_grade, a_criterion, a_run, an_evidence, hostile_notebook) -> str:
    participant = Participant(id="101", name=f"\u202e{ATTACK}{LONG}")
    rejected = Rejected(id="r", assignment="a1", participant=participant, reason=ATTACK + LONG)
    review = a_criterion(needs_review(Reason(text=ATTACK + LONG)), title=ATTACK)
    lost = [
        a_criterion(not_met(Reason(text=f"{ATTACK}{LONG}", cell=cell)), id=f"c{cell}") for cell in range(1, 7)
    ]
    grades = [
        a_grade(review, *lost, submission=name, participant=participant, flags=(ATTACK, LONG))
        for name in ("Participant_101", "Participant_102")
    ]
    failed = (CellRun(cell=4, status=CellStatus.FAILED, error=f"{ATTACK}: {LONG}"),)
    runs = {grade.submission: a_run(status=RunStatus.CELL_FAILED, cells=failed) for grade in grades}
    evidence = {name: an_evidence(hostile_notebook, run) for name, run in runs.items()}
    standings = [standing_of(name, grades) for name in ("a1", "a2")]
    return render_class(
        grades,
        [rejected],
        runs,
        title=f"The class {ATTACK}",
        evidence=evidence,
        standings=standings,
    )


@pytest.mark.parametrize("which", ["hostile_page", "hostile_class_page"])
@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_runs_nothing_is_loaded_nothing_overflows(browser, request, tmp_path, which, width):
    file = tmp_path / "index.html"
    file.write_text(request.getfixturevalue(which), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 800})
    requests: list[str] = []
    troubles: list[str] = []
    page.on("request", lambda seen: requests.append(seen.url))
    page.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    for link in page.locator(".student a").all():
        link.click(force=True, no_wait_after=True)
    page.wait_for_timeout(300)
    assert page.title().startswith(("Assignment 1", "The class"))
    assert [url for url in requests if not url.startswith("data:")] == [file.as_uri()]
    assert troubles == []
    assert page.frames == [page.main_frame]
    ours = 1 if which == "hostile_class_page" else 0
    assert page.evaluate("document.scripts.length") == ours
    assert page.locator("iframe, svg script, main script, script[src]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_the_score_is_seen_and_our_own_style_is_in_force(browser, hostile_page, tmp_path):
    file = tmp_path / "index.html"
    file.write_text(hostile_page, encoding="utf-8")
    page = browser.new_page(viewport={"width": 800, "height": 800})
    page.goto(file.as_uri())
    assert page.locator(".score").count() == 1
    assert page.locator(".score").is_visible()
    at_score = "(e => document.elementFromPoint(e.x + 9, e.y + 9).closest('.score') !== null)"
    assert page.evaluate(f"{at_score}(document.querySelector('.score').getBoundingClientRect())")
    assert (
        page.evaluate("getComputedStyle(document.querySelector('pre.code')).whiteSpaceCollapse") == "preserve"
    )
    assert page.evaluate("[...document.querySelectorAll('[id]')].length") == len(
        set(page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)"))
    )
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser, hostile_page, tmp_path, scheme):
    file = tmp_path / "index.html"
    file.write_text(hostile_page, encoding="utf-8")
    page = browser.new_page(color_scheme=scheme)
    page.goto(file.as_uri())
    ratios = page.evaluate(
        """() => {
        const style = getComputedStyle(document.documentElement)
        const light = name => {
            const digits = style.getPropertyValue(name).trim().slice(1)
            const parts = digits.match(/../g).map(x => parseInt(x, 16) / 255)
            const [r, g, b] = parts.map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
            return 0.2126 * r + 0.7152 * g + 0.0722 * b
        }
        const inks = ['ink', 'quiet', 'link', 'met', 'partly', 'not', 'review', 'unchecked',
                      'keyword', 'string', 'comment', 'number', 'builtin']
        return inks.flatMap(ink => ['paper', 'card', 'sunk'].map(ground => {
            const [a, b] = [light('--' + ink), light('--' + ground)]
            return [ink + ' on ' + ground, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]
        }))
    }"""
    )
    assert {name: ratio for name, ratio in ratios if ratio < 4.5} == {}
    page.close()
