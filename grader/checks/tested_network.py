"""Whether the trained network is evaluated on test images as it was trained, and what goes wrong there."""

from __future__ import annotations

import re
from decimal import Decimal

from grader.checks.cnn import seen, where
from grader.checks.measurement import LARGE_GAP, chance_on
from grader.checks.networks import (
    Network,
    all_seen,
    cell_of,
    code_of,
    convolutional,
    networks_of,
    nothing_trained,
    tests_in_code,
    tests_of_networks,
)
from grader.checks.previews import public
from grader.checks.read_before import named_in_code
from grader.checks.registry import check
from grader.checks.results import accuracies_in, could_be_computed, printed_lines, readings_of
from grader.checks.told import work_elsewhere
from grader.checks.written import written_down
from grader.evidence.observed import ObservedEvaluation
from grader.evidence.record import Evidence
from grader.model import Reason, RunStatus, Source, Verdict, met, needs_review, not_met, partly_met
from grader.notebook.records import Number, Split

_HALF = Decimal("0.5")
_WORSE = 0.05
_NEAR_CHANCE = 0.3  # of what guessing reaches, more or less
_FLATTENS_LABELS = re.compile(r"\.(?:reshape|ravel|flatten|squeeze)\(|tf\.(?:squeeze|reshape)|\[:,\s*0\]")
_UPDATES = re.compile(r"\.update_state\(")
_RESETS = re.compile(r"\.reset_states?\(")
_NAMES_TEST_DATA = re.compile(
    r"test|valid|\beval|(?:\b|_)(?:val|te|dev)(?:\b|_)|\b[xy]_?te\b|hold_?out|\.predict\(", re.IGNORECASE
)


@check(
    "network-tested",
    public_side=public(
        before_run=named_in_code(r"(?i)\w*(?:test|valid|eval)\w*", "something to test with, by its name")
    ),
)
def network_tested(evidence: Evidence) -> Verdict:
    """The trained network is evaluated on test images, and an accuracy is shown.

    Met when test images were seen to go through it as it was trained, and the outputs show an accuracy; or
    when the code tests a model and our run prints what was measured of a trained network.
    Told there is a metric that is never reset, where what is shown is far from what was measured.
    Partly met when they go through it otherwise and that measures worse, or when what is shown is guessing
    though the network has learned: labels of shape (n, 1) held against predictions of shape (n,) give that.
    Not met only when all was seen, no test image went through any network, and the code names no test data.
    """
    networks = convolutional(evidence)
    if not networks:
        return needs_review(nothing_trained(evidence))
    tests = tests_of_networks(evidence)
    wrong = _goes_another_way(evidence) or _shows_guessing(evidence, networks)
    if wrong is not None:
        return partly_met(_HALF, wrong) if _may_cost(evidence) else needs_review(wrong)
    shown = _accuracy_shown(evidence)
    if tests and shown is not None:
        text = "Test images go through the trained network."
        mixed = _never_reset(evidence, networks, shown)
        return met(seen(text, cell_of(evidence, tests[-1].run)), shown, *([mixed] if mixed else []))
    borne_out = _bears_out(evidence, networks)
    if borne_out is not None:
        return met(borne_out)
    other = _of_another_model(evidence)
    is_unnamed = not _NAMES_TEST_DATA.search(code_of(evidence)) and work_elsewhere(evidence) is None
    if all_seen(evidence) and not _all_tests(evidence) and is_unnamed:
        text = "No test image went through any network, and the code names no test data."
        return not_met(seen(text, where(evidence, networks[0])))
    text = "Whether the trained network is evaluated on test images could not be settled."
    return needs_review(
        seen(text), *([other] if other is not None else []), *([shown] if shown is not None else [])
    )


def _all_tests(evidence: Evidence) -> tuple[ObservedEvaluation, ...]:
    return () if evidence.observed is None else evidence.observed.evaluations


def _may_cost(evidence: Evidence) -> bool:
    return evidence.run is not None and evidence.run.status is RunStatus.COMPLETED and not evidence.run.mends


def _goes_another_way(evidence: Evidence) -> Reason | None:
    """What is different when test images go through, if all tests differ and that measures worse."""
    tests = [test for test in _all_tests(evidence) if test.part == "test"]
    if not tests or not all(test.difference for test in tests) or evidence.measured is None:
        return None
    for test in tests:
        measured = None if test.training is None else evidence.measured.of(test.training)
        if measured is None or measured.as_evaluated is None:
            continue
        if measured.accuracy - measured.as_evaluated > _WORSE:
            what = "scaled in another way" if "other scale" in test.difference else test.difference
            text = (
                f"Test images do not go through the network as those of its training ({what}): it "
                f"reaches {measured.accuracy:.3f} on new images, evaluated so {measured.as_evaluated:.3f}."
            )
            numbers = (measured.accuracy, measured.as_evaluated)
            return Reason(
                text=text, cell=cell_of(evidence, test.run), numbers=numbers, source=Source.MEASURED
            )
    return None


def _shows_guessing(evidence: Evidence, networks: tuple[Network, ...]) -> Reason | None:
    """Why the accuracies that our run shows are those of guessing though a network has learned."""
    best = max((n for n in networks if n.measured is not None), key=_accuracy, default=None)
    if best is None or best.measured is None or evidence.rerun is None:
        return None
    chance = chance_on(best.measured.dataset)
    shown = [n for n in accuracies_in(evidence.rerun) if n.split is not Split.TRAIN]
    if not shown or any(abs(n.value - chance) > _NEAR_CHANCE * chance for n in shown):
        return None
    if _accuracy(best) - chance < LARGE_GAP:
        return None
    text = (
        f"Cell {shown[-1].cell} shows an accuracy of {shown[-1].value:.3f}, about that of guessing, but the "
        f"trained network reaches {_accuracy(best):.3f} on new images"
    )
    if best.measured.dataset.startswith("cifar") and not _FLATTENS_LABELS.search(code_of(evidence)):
        text += (
            ": CIFAR's labels have the shape (n, 1), and held against predictions of the shape (n,) each is "
            "compared with all"
        )
    else:
        text += ": predictions and labels are not held against each other as they should, or another model is"
    numbers = (shown[-1].value, _accuracy(best))
    return Reason(text=f"{text}.", cell=shown[-1].cell, numbers=numbers, source=Source.MEASURED)


def _never_reset(evidence: Evidence, networks: tuple[Network, ...], shown: Reason) -> Reason | None:
    """That what is shown may not be of the test alone: far from all that was measured, with a metric that
    is given results and never reset.
    """
    reached = [_accuracy(network) for network in networks if network.measured is not None]
    code = code_of(evidence)
    if not reached or not shown.numbers or not _UPDATES.search(code) or _RESETS.search(code):
        return None
    nearest = min(reached, key=lambda accuracy: abs(accuracy - shown.numbers[0]))
    if abs(nearest - shown.numbers[0]) <= _WORSE:
        return None
    text = (
        f"On new images the trained network reaches {nearest:.3f}. A metric is updated and nowhere reset: "
        "what is shown may count the training's images, too."
    )
    return Reason(text=text, cell=shown.cell, numbers=(nearest,), source=Source.MEASURED)


def _accuracy(network: Network) -> float:
    return 0.0 if network.measured is None else network.measured.accuracy


def _accuracy_shown(evidence: Evidence) -> Reason | None:
    """The best accuracy in the outputs that may be one of a test, and was not typed into the code."""
    is_written = written_down(evidence)
    found: list[tuple[Source, Number]] = [
        (source, number)
        for source, readings in readings_of(evidence)
        for number in accuracies_in(readings)
        if number.split is not Split.TRAIN and 0 < number.value < 1 and not is_written(number.value)
    ]
    if not found:
        return _line_shown(evidence)
    source, number = max(found, key=lambda pair: (pair[1].split is Split.TEST, pair[1].value))
    text = f"An accuracy is shown in cell {number.cell}: {number.value:.4f}."
    return Reason(text=text, cell=number.cell, numbers=(number.value,), source=source)


def _bears_out(evidence: Evidence, networks: tuple[Network, ...]) -> Reason | None:
    """A test accuracy printed where the code tests a model, which a measured network bears out.

    Not where the recorder saw test images go through in another way, or through another model.
    """
    cells = {cell for test in tests_in_code(evidence) for cell in (test.cell, test.run_cell)}
    is_seen_otherwise = any(test.part == "test" for test in _all_tests(evidence))
    if evidence.rerun is None or is_seen_otherwise:
        return None
    is_written = written_down(evidence)
    for number in accuracies_in(evidence.rerun):
        for network in networks:
            is_alike = abs(number.value - _accuracy(network)) < _WORSE
            is_shown = number.cell in cells and number.split is Split.TEST and not is_written(number.value)
            if network.measured is not None and is_alike and is_shown:
                text = (
                    f"Cell {number.cell} tests a model and reports {number.value:.4f}; measured of a trained "
                    f"network on new images: {_accuracy(network):.3f}."
                )
                numbers = (number.value, _accuracy(network))
                return Reason(text=text, cell=number.cell, numbers=numbers, source=Source.MEASURED)
    return None


def _line_shown(evidence: Evidence) -> Reason | None:
    """A line with a figure that may be an accuracy, printed by a cell in which test images were seen."""
    cells = {
        cell for test in tests_of_networks(evidence) if (cell := cell_of(evidence, test.run)) is not None
    }
    for source, readings in readings_of(evidence):
        for cell, line in printed_lines(readings, cells, could_be_computed(evidence)):
            text = f"A result is shown in cell {cell}: {line.strip()[:80]}."
            return Reason(text=text, cell=cell, source=source)
    return None


def _of_another_model(evidence: Evidence) -> Reason | None:
    """Test images that go through a model that was hardly trained."""
    trained = {network.seen.id for network in networks_of(evidence)}
    for test in _all_tests(evidence):
        if test.part == "test" and test.training not in trained:
            text = "Test images go through a model that is not the one that was trained."
            return seen(text, cell_of(evidence, test.run))
    return None
