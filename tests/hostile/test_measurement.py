"""Nobody gets an accuracy for a model that was not trained, whatever is forged; what is gained is known."""

from __future__ import annotations

import pytest

from hostile.attacks import MEASURED, Attack, read_attacks

ATTACKS = pytest.mark.parametrize("attack", read_attacks(MEASURED), ids=lambda attack: attack.name)


@ATTACKS
def test_a_forgery_earns_no_more_than_the_same_without_it(measured_class, attack: Attack):
    outcomes, attacks = measured_class
    mine, plain = (outcomes.points(attacks[name]) for name in (attack.name, attack.like or attack.name))
    gained = {criterion for criterion, points in mine.items() if points > plain[criterion]}
    assert gained <= set(attack.gains)
    assert "accuracy" not in attack.gains


@ATTACKS
def test_a_forgery_is_told_of(measured_class, attack: Attack):
    outcomes, attacks = measured_class
    number = attacks[attack.name]
    flags = "\n".join(outcomes.grades[number].flags)
    assert outcomes.run(number).status in attack.status, outcomes.run(number)
    assert [text for text in attack.flags if text not in flags] == [], flags


def test_without_an_attack_nothing_is_told_of(measured_class):
    outcomes, attacks = measured_class
    for name in ("lazy", "idle"):
        flags = "\n".join(outcomes.grades[attacks[name]].flags)
        assert "recorder" not in flags
        assert "replaced" not in flags
        assert outcomes.points(attacks[name])["accuracy"] == 0
