"""What bears a measurement out that only the room told of: a test in the code that prints about the same."""

from __future__ import annotations

from grader.checks.accuracy_shown import accuracies, dataset_of
from grader.checks.evaluation import tests_of_trained_mlps
from grader.checks.networks import tests_in_code, tests_of_networks
from grader.checks.written import written_down
from grader.evidence.measured import MeasuredTraining
from grader.evidence.record import Evidence
from grader.model import Reason, Run, Source
from grader.notebook.facts import Part
from grader.notebook.records import Readings, Split

_GAP = 0.05


def rests_on_the_room(
    evidence: Evidence, run: Run, measured: MeasuredTraining, least: float
) -> Reason | None:
    """Why a measurement does not settle it: the room's predictions could not be computed outside of it, and
    no test of a trained model in the code prints about the same, at `least`. None where one of the two holds.
    """
    if not measured.why_not_computed:
        return None
    is_written_down, known = written_down(evidence), [use.name for use in run.datasets]
    says_the_same = any(
        least <= number.value < 1
        and abs(number.value - measured.accuracy) < _GAP
        and not is_written_down(number.value)
        and dataset_of(number, evidence, run, known) == measured.dataset
        for number in accuracies(evidence.rerun or Readings(), Split.TEST)
    )
    if says_the_same and is_tested(evidence):
        return None
    text = (
        "This rests on what the notebook's own process told: its model's predictions could not be computed "
        f"outside of it ({measured.why_not_computed})."
    )
    return Reason(text=text, source=Source.OBSERVED)


def only_borne_out(measured: MeasuredTraining) -> tuple[Reason, ...]:
    """That a measurement is the room's word, which a printed test bears out and does not prove."""
    if not measured.why_not_computed:
        return ()
    text = (
        "A test in the code prints about the same; outside of the notebook's own process the predictions "
        f"could not be computed ({measured.why_not_computed})."
    )
    return (Reason(text=text, source=Source.OBSERVED),)


def is_tested(evidence: Evidence) -> bool:
    """Whether the code tests a trained model on test data that no training saw.

    A printed number alone, or one of another model, decides nothing.
    """
    facts = evidence.facts
    saw_test_data = any(Part.TEST in training.parts for training in facts.trainings)
    tests = (*tests_of_trained_mlps(evidence), *tests_of_networks(evidence), *tests_in_code(evidence))
    return bool(tests) and not saw_test_data
