"""No function earns the points for a comparison by knowing that it is timed, or that it runs eagerly."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.execution.local import LocalExecutor
from grader.model import Outcome
from grader.pipeline import grade
from grader.sandbox.sources import ForkedRooms
from hostile.attacks import TIMED, Attack, read_attacks
from hostile.classroom import AMPLE, Outcomes, a_course, hand_in_attack
from hostile.timed import WORDS

HONEST = "compares"
ABOUT_IT = {"tf-function", "graph-loop"}
ATTACKS = [attack for attack in read_attacks(TIMED) if attack.like]


@pytest.fixture(scope="module")
def timed_class(
    kernel_parent: ForkedRooms, ready_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Outcomes, dict[str, int]]:
    """All notebooks about steps that are timed, in one grading: what came of them, and who is who."""
    course = a_course(tmp_path_factory.mktemp("timed") / "course", AMPLE, ready_data, "a4")
    attacks = {}
    for number, attack in enumerate(read_attacks(TIMED), start=101):
        attacks[attack.name] = number
        hand_in_attack(course, number, attack.with_words(WORDS), "a4")
    [graded] = grade(course.root / "submissions", course, LocalExecutor(1, kernel_parent))
    return Outcomes(course, graded), attacks


def test_an_honest_comparison_is_timed_and_loses_nothing(timed_class):
    """Where the machine is too busy for a clear gain, a person decides; nothing is held against it."""
    outcomes, attacks = timed_class
    [verdict] = [c for c in outcomes.grades[attacks[HONEST]].criteria if c.id == "tf-function"]
    assert verdict.awarded or verdict.verdict.outcome is Outcome.NEEDS_REVIEW, verdict
    observed = outcomes.evidence[attacks[HONEST]].observed
    assert observed is not None
    assert observed.timings


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_a_function_that_knows_how_it_runs_earns_nothing_by_it(timed_class, attack: Attack):
    outcomes, attacks = timed_class
    mine, plain = (outcomes.points(attacks[name]) for name in (attack.name, attack.like))
    assert {name for name in ABOUT_IT if mine[name] > plain[name]} == set()
    assert outcomes.run(attacks[attack.name]).status in attack.status
    flags = "\n".join(outcomes.grades[attacks[attack.name]].flags)
    assert [text for text in attack.flags if text not in flags] == [], flags
