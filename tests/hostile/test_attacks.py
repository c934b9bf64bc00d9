"""Every attack gets what its label says, and nobody else notices it."""

from __future__ import annotations

import csv
import re

import pytest

from grader.model import RunStatus
from grader.report.pages import render_class
from hostile.attacks import Attack, read_attacks
from hostile.oddities import ODDITIES

ATTACKS = pytest.mark.parametrize(
    "attack", read_attacks(), ids=lambda attack: f"{attack.subject}: {attack.name}"
)
NAMES = pytest.mark.parametrize("name", ODDITIES)


@ATTACKS
def test_an_attack_earns_nothing(hostile_class, attack: Attack):
    mine, nothing = (
        hostile_class.outcomes.points(number)
        for number in (hostile_class.attacks[attack.name], hostile_class.nothing_done)
    )
    assert {name: points for name, points in mine.items() if points > nothing[name]} == {}


@ATTACKS
def test_an_attack_gets_nothing_that_it_must_not_get(hostile_class, attack: Attack):
    printed = hostile_class.outcomes.printed(hostile_class.attacks[attack.name])
    assert [line for line in printed.splitlines() if line.startswith("SUCCEEDED")] == []
    assert [text for text in attack.shows if text not in printed] == [], printed


@ATTACKS
def test_a_run_ends_as_its_label_says_and_the_report_tells(hostile_class, attack: Attack):
    number = hostile_class.attacks[attack.name]
    run = hostile_class.outcomes.run(number)
    flags = "\n".join(hostile_class.outcomes.grades[number].flags)
    assert run.status in attack.status, run
    assert run.wall_seconds >= attack.at_least_seconds
    assert [text for text in attack.flags if text not in flags] == [], flags
    assert (run.status is RunStatus.COMPLETED) or run.status.value.split("_")[-1] in _ending_words(flags)
    told = flags + run.model_dump_json(include={"mends", "remarks"})
    assert [text for text in attack.silent if text in told] == []


def _ending_words(flags: str) -> set[str]:
    """Words of statuses, for the sentence about the run's end that stands among the flags."""
    words = {"died": "died", "raised an error": "failed", "in time": "out", "time limit": "short"}
    words |= {
        "memory up": "memory",
        "it wrote more": "disk",
        "printed more": "output",
        "processes": "processes",
    }
    return {word for sentence, word in words.items() if sentence in flags}


@NAMES
def test_an_odd_hand_in_is_rejected_with_the_reason_or_graded_without_its_tricks(hostile_class, name: str):
    oddity, number = ODDITIES[name], hostile_class.oddities[name]
    if oddity.rejected:
        assert oddity.rejected in hostile_class.outcomes.rejected[number]
        return
    mine, nothing = map(hostile_class.outcomes.points, (number, hostile_class.nothing_done))
    assert {criterion: points for criterion, points in mine.items() if points > nothing[criterion]} == {}
    flags = "\n".join(hostile_class.outcomes.grades[number].flags)
    assert [text for text in oddity.flags if text not in flags] == [], flags


def test_everybody_is_told_of_and_no_run_was_lost(hostile_class):
    outcomes = hostile_class.outcomes
    everybody = {*hostile_class.attacks.values(), *hostile_class.oddities.values(), *hostile_class.honest}
    assert {*outcomes.grades, *outcomes.rejected} == everybody | {hostile_class.nothing_done}
    assert outcomes.graded.lost == ()


def test_honest_hand_ins_get_what_they_get_alone(hostile_class):
    """Verdicts and evidence, times and resource samples aside, though hostile ones ran at the same time."""
    assert hostile_class.rooms_seconds > 1.5 * hostile_class.seconds, "they did not run at the same time"
    for number in hostile_class.honest:
        assert "temporary files: ['mine.txt'] []\nprocesses: 2" in hostile_class.outcomes.printed(number)
        assert hostile_class.outcomes.comparable(number) == hostile_class.alone.comparable(number)


def test_nothing_is_left_on_the_machine(hostile_class):
    assert hostile_class.left == {}


def test_nobody_reached_a_socket_of_the_host(hostile_class):
    assert hostile_class.heard == []


def test_no_page_holds_anything_that_runs(hostile_class):
    """The markup; that nothing runs in a real browser is shown in tests/report/test_browser.py."""
    live = re.compile(
        r"<(?:script|iframe|object|embed|form|meta http-equiv=.?refresh)|<[^>]*(?:\son\w+=|=.?javascript:)",
        re.IGNORECASE,
    )
    script = re.search("<script.*?</script>", render_class([], [], {}, title=""), re.DOTALL)
    assert script is not None
    pages = [*hostile_class.outcomes.course.reports.rglob("*.html")]
    assert len(pages) > len(hostile_class.attacks)
    for page in pages:
        text = page.read_text("utf-8").replace(script[0], "", 1)  # the class page's own, allowed by its hash
        text = re.sub(r"<pre.*?</pre>", "", text, flags=re.DOTALL)
        assert live.findall(text) == [], page


def test_no_cell_of_the_gradebook_is_a_formula(hostile_class):
    with (hostile_class.outcomes.course.reports / "a1" / "gradebook.csv").open(
        encoding="utf-8", newline=""
    ) as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
    assert any("HYPERLINK" in cell for cell in cells)
