"""Diagnoses in words are held against causes and measurements; what is not clear goes to a person."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from grader.fixes.causes import KNOWN_CAUSES
from grader.fixes.diagnoses import Said, diagnose
from grader.fixes.records import Passage, Symptoms
from grader.fixes.scripts import read_scripts

HERE = Path(__file__).parent / "diagnoses"
SCRIPTS = read_scripts(Path(__file__).resolve().parents[2] / "rubrics" / "a2" / "scripts.yaml")
MEASURED = {
    name: Symptoms.model_validate(told)
    for name, told in yaml.safe_load((HERE / "symptoms.yaml").read_text("utf-8")).items()
}


def outcome(script: str, *texts: str, is_sure: bool = True) -> Said:
    said = [Passage(text=text, cell=place, is_sure=is_sure) for place, text in enumerate(texts, start=1)]
    return diagnose(said, SCRIPTS[script].causes, MEASURED[script]).outcome


def decisions(file: str) -> list[tuple[Said, Said, str]]:
    """(expected, decided, text) of the labelled diagnoses in a file."""
    entries = yaml.safe_load((HERE / file).read_text("utf-8"))
    return [(Said(e["expect"]), outcome(e["script"], e["text"]), e["text"]) for e in entries]


@pytest.mark.parametrize(("file", "least"), [("tuning.yaml", 0.95), ("measured.yaml", 0.85)])
def test_hardly_a_decision_on_a_labelled_diagnosis_is_wrong(file, least):
    decided = [told for told in decisions(file) if told[1] is not Said.UNCLEAR]
    mistakes = [text for expected, found, text in decided if found is not expected]
    clear = [told for told in decisions(file) if told[0] is not Said.UNCLEAR]
    assert not [text for expected, found, text in decided if {expected, found} == {Said.RIGHT, Said.WRONG}]
    assert len(mistakes) <= 0.03 * len(decided), mistakes
    assert len(decided) >= least * len(clear)


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("fail1", "The gradients don't vanish, so this is not the problem."),
        ("fail1", "In other scripts the gradients vanish."),
        ("fail1", "With sigmoid the gradients would vanish."),
        ("fail1", "The gradients vanish, as the weights are too large."),
        ("fail1", "I am not sure, but the gradients vanish."),
        ("fail1", "The gradients vanish. Correction: they explode."),
        ("fail2", "Use ReLU to avoid exploding gradients."),
        ("fail2", "The gradients explode, maybe."),
        ("fail5", "Earlier we thought that the images are noisy."),
    ],
)
def test_what_is_hedged_denied_or_corrected_is_never_wrong(script, text):
    assert outcome(script, text) is not Said.WRONG


def test_a_range_that_is_hedged_is_never_right():
    assert outcome("fail3", "The weights are drawn between -1 and 0.") is Said.RIGHT
    assert outcome("fail3", "The weights are drawn between -1 and 0, maybe.") is Said.UNCLEAR


def test_a_contradiction_of_what_was_measured_is_wrong_and_says_so():
    said = [Passage(text="The softmax is applied twice here.", cell=3)]
    diagnosis = diagnose(said, SCRIPTS["fail2"].causes, MEASURED["fail2"])
    assert diagnosis.outcome is Said.WRONG
    assert "does not sum to one" in diagnosis.reasons[0]


def test_what_can_be_measured_is_right_though_the_key_does_not_name_it():
    assert outcome("fail3", "The gradients are zero at all layers but the last.") is Said.RIGHT


def test_a_text_that_may_be_about_another_script_is_left_to_a_person():
    assert outcome("fail2", "Softmax is applied twice.", is_sure=False) is Said.UNCLEAR


def test_a_text_that_may_be_about_another_script_and_says_nothing_is_passed_over():
    said = [
        Passage(text="We made a function of the first two.", cell=1, is_sure=False),
        Passage(text="The weights are far too large.", cell=2),
    ]
    assert diagnose(said, SCRIPTS["fail1"].causes, MEASURED["fail1"]).outcome is Said.RIGHT
    assert diagnose(said[:1], SCRIPTS["fail1"].causes, MEASURED["fail1"]).outcome is Said.UNCLEAR


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        ("learning-rate-too-small", "The learning rate of 1e-5 is way too small."),
        ("learning-rate-too-small", "Die Lernrate ist mit 0,00001 viel zu klein."),
        ("biases-negative", "The loss does not fall since the biases are initialised with -10."),
    ],
)
def test_causes_of_other_scripts_are_understood(cause, text):
    said = [Passage(text=text, cell=1)]
    assert diagnose(said, [KNOWN_CAUSES[cause]], MEASURED["fail3"]).outcome is Said.RIGHT
    assert diagnose(said, SCRIPTS["fail3"].causes, MEASURED["fail3"]).outcome is not Said.RIGHT


def test_a_list_of_all_possible_causes_is_no_diagnosis():
    text = (
        "The learning rate is too high, the weights are too small, there are too many layers, "
        "the labels are wrong and the pixels are not normalised. The gradients explode."
    )
    assert outcome("fail1", text) is Said.UNCLEAR


def test_without_words_there_is_no_diagnosis():
    assert outcome("fail1") is Said.ABSENT
    assert outcome("fail1", "  ") is Said.ABSENT
