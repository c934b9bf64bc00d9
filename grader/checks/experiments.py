"""What was done with the model besides testing it: varied, looked at, trained on other data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from grader.checks.guards import (
    never_against,
    nothing_seen,
    several_trainings,
    training_on,
)
from grader.checks.measurement import (
    FEWEST_UPDATES,
    of_a_trained_model,
    trainings_seen,
)
from grader.checks.mlp import said, trainings_of_mlps
from grader.checks.mlp_configurations import distinct, fresh_trainings, in_words, varied
from grader.checks.networks import code_of
from grader.checks.previews import Preview, PublicSide, found, missing, public, unclear
from grader.checks.registry import check
from grader.checks.results import (
    accuracies_in,
    could_be_computed,
    depth_of,
    did_run,
    figure_shown,
    printed_lines,
    readings_of,
    results_shown,
    told_results,
)
from grader.checks.told import tells_of, tells_of_experiments
from grader.evidence.record import Evidence
from grader.model import Outcome, Reason, Source, Verdict, met, needs_review, not_met
from grader.notebook.facts import (
    CodeFacts,
    Evaluation,
    Picked,
    Training,
)

_SHOWN = 8
_FEWEST_CONFIGURATIONS = 2  # that can be compared at all
_SHOWS_IMAGES = re.compile(
    r"imshow|matshow|summary\.image|\bImage\b|fromarray|pcolor|imsave|add_image|cv2|heatmap|plot_\w*image|wandb"
    r"|figimage|show_\w*(?:image|digit|example)|contourf?|background_gradient|spy\(",
    re.IGNORECASE,
)
_IMAGES = re.compile(r"image|picture|digit|example|sample|number|bild|ziffer|zahl", re.IGNORECASE)
_WRONG = re.compile(r"wrong|miss?.?class|incorrect|mistake|confus|falsch|fehlklass|verwechs", re.IGNORECASE)
_OTHER_NAMES = {"fashion_mnist": ("fashion", "zalando", "cloth", "kleidung")}
_LOOKS_FOR_WRONG = re.compile(
    r"!=|not_equal|wrong|miss?.?class|incorrect|mistake|errors\b|falsch|fehler|confus|where\(|boolean_mask|nonzero",
    re.IGNORECASE,
)


# Experiments ------------------------------------------------------------------------------------------


def _experiments_before_grading(evidence: Evidence) -> Preview:
    """Which configurations are told apart; how many are enough is not looked at."""
    fresh = tuple(fresh_trainings(trainings_of_mlps(evidence)))
    configurations = distinct(training.configuration for training in fresh)
    if len(configurations) > 1:
        cells = [next(t.run_cell for t in fresh if t.configuration == one) for one in configurations]
        text = f"{len(configurations)} different configurations are trained{varied(configurations)}."
        return found(said(text, cells[0], [len(configurations)]))
    if experiments(evidence, at_least=_FEWEST_CONFIGURATIONS).outcome is Outcome.NOT_MET:
        return missing(said("In the code there are no two different configurations that are trained."))
    text = "Different configurations could not be told apart for certain; say in words what you compared."
    seen = [said(f"Cell {t.run_cell}: {in_words(t.configuration)}.", t.run_cell) for t in fresh[:_SHOWN]]
    return unclear(said(text), *seen)


@check("experiments", public_side=PublicSide(public().parameters, _experiments_before_grading))
@never_against(several_trainings)
def experiments(evidence: Evidence, *, at_least: Annotated[int, Field(ge=2, le=50)] = 3) -> Verdict:
    """Several configurations of the model are really trained, and their results shown.

    Met with `at_least` different ones (sizes, activations, starting weights, rates) in code that ran, and
    as many results in the outputs. Not met only when all code was understood, there is one configuration,
    and neither the text nor the outputs tell of another.
    """
    facts = evidence.facts
    fresh = tuple(fresh_trainings(trainings_of_mlps(evidence)))
    found = distinct(training.configuration for training in fresh)
    results, source = results_shown(evidence, could_be_computed(evidence))
    cells = [next(t.run_cell for t in fresh if t.configuration == one) for one in found]
    unseen = _too_few_seen(evidence, cells, at_least)
    if unseen is None and len(found) >= at_least and results >= at_least and _are_results_of_models(facts):
        return met(
            said(f"{len(found)} different configurations are trained{varied(found)}.", numbers=[len(found)]),
            told_results(results, source),
        )
    called = [training for training in facts.trainings if training.is_called]
    if _is_certainly_one(evidence, called) and results_shown(evidence, lambda value: True)[0] <= 1:
        cell = called[0].cell if called else None
        what = "One configuration is" if called else "No model is"
        text = f"{what} trained in the code, and nothing tells of another one; {at_least} are asked for."
        return not_met(said(text, cell, [len(called[:1]), at_least]))
    reasons = [
        said(f"{len(found)} different configurations were found for certain; {at_least} are asked for.")
    ]
    reasons += [said(f"Cell {t.run_cell}: {in_words(t.configuration)}.", t.run_cell) for t in called[:_SHOWN]]
    reasons.append(told_results(results, source))
    if unseen is not None:
        reasons.insert(0, unseen)
    if tells_of_experiments(evidence):
        reasons.append(said("The text tells of further experiments, which may no longer be in the code."))
    return needs_review(*reasons)


def _too_few_seen(evidence: Evidence, cells: Sequence[int], at_least: int) -> Reason | None:
    """Why the configurations, each run by one of `cells`, are no experiments as far as the recorder saw.

    None when they are, or there was no recorder. In each cell no more of them count than trainings of at
    least `FEWEST_UPDATES` steps were seen there.
    """
    if evidence.observed is None:
        return None
    seen = trainings_seen(evidence)
    if len(seen) < at_least:
        text = (
            f"Seen while it ran: {len(seen)} trainings of {FEWEST_UPDATES} steps or more; {at_least} are "
            "asked for."
        )
        return Reason(text=text, numbers=(len(seen), FEWEST_UPDATES, at_least), source=Source.OBSERVED)
    if evidence.run is None or not all(training.runs for training in seen):
        return None
    executed = dict(enumerate((entry.cell for entry in evidence.run.cells), start=1))
    long_in = Counter(executed.get(place) for training in seen for place in training.runs)
    counted = sum(min(count, long_in[cell]) for cell, count in Counter(cells).items())
    if counted >= at_least:
        return None
    text = (
        f"Seen while it ran: {counted} of the different configurations may have been trained for "
        f"{FEWEST_UPDATES} steps or more; {at_least} are asked for."
    )
    return Reason(text=text, numbers=(counted, FEWEST_UPDATES, at_least), source=Source.OBSERVED)


def _are_results_of_models(facts: CodeFacts) -> bool:
    """Whether predictions of a model are held against labels: else the numbers may be anything."""
    return any(test.is_called and depth_of(test.model) for test in facts.evaluations)


def _is_certainly_one(evidence: Evidence, called: Sequence[Training]) -> bool:
    facts = evidence.facts
    if not facts.is_complete or len(called) != len(facts.trainings) or tells_of_experiments(evidence):
        return False
    if any(training.model is None or not training.model.is_plain for training in called):
        return False
    products = [step for training in called if training.model for step in training.model.products]
    if any(step.weight is None or not step.weight.is_one for step in products):
        return False  # made in a loop: how many models come of it is not known
    if not called and facts.models:  # trained in a way that is not known here, by hand in NumPy say
        return False
    return len({training.configuration for training in called}) <= 1


# Bonus ------------------------------------------------------------------------------------------------


@check("misclassified-looked-at")
@never_against(nothing_seen)
def misclassified_looked_at(evidence: Evidence) -> Verdict:
    """Images that the model gets wrong are picked out and shown.

    Met when a display in code that runs is of images picked by comparing predictions with labels, and
    its cell shows a figure. Not met only when no image is displayed anywhere and nothing looks as if wrong
    ones were sought.
    """
    facts = evidence.facts
    for display in facts.displays:
        if display.picked is Picked.WRONG and display.is_called and did_run(evidence, display.run_cell):
            cell = display.run_cell
            source = figure_shown(evidence, cell)
            if source is not None:
                text = f"Images whose prediction differs from the label are shown (cell {cell})."
                figure = Reason(text=f"Cell {cell} shows a figure.", cell=cell, source=source)
                return met(said(text, cell), figure)
    has_figures = any(readings.figures for _, readings in readings_of(evidence)) or any(
        output.html for cell in evidence.notebook.code_cells for output in cell.outputs
    )
    code = code_of(evidence)
    may_show = bool(facts.displays or evidence.prose.pictures or tells_of(evidence, _IMAGES, _WRONG))
    may_show = may_show or bool(_SHOWS_IMAGES.search(code) or _LOOKS_FOR_WRONG.search(code))
    if not may_show and (facts.is_complete or not has_figures):
        return not_met(said("No image is displayed anywhere in the notebook."))
    reasons = [
        said(f"Cell {display.cell} shows an image (`{display.how}`).", display.cell)
        for display in facts.displays[:_SHOWN]
    ]
    return needs_review(said("Whether misclassified images are looked at could not be settled."), *reasons)


@check("trained-on", public_side=public("dataset"))
@never_against(training_on)
@of_a_trained_model
def trained_on(evidence: Evidence, *, dataset: str) -> Verdict:
    """A model is trained on `dataset`, and an accuracy on it is shown.

    Met only by a training that may have been on that data set, as far as the recorder could tell. Not met
    only when neither code nor text names it, and no data is loaded that could be it.
    """
    facts = evidence.facts
    trainings = [t for t in trainings_of_mlps(evidence) if dataset in t.datasets]
    tests = [test for test in facts.evaluations if test.is_called and test.datasets == (dataset,)]
    shown = next((found for test in tests if (found := _result_on(evidence, test, dataset))), None)
    elsewhere = _seen_on_others_only(evidence, dataset)
    if trainings and shown is not None and elsewhere is None:
        return met(
            said(
                f"A model is trained on `{dataset}` in cell {trainings[0].run_cell}.", trainings[0].run_cell
            ),
            shown,
        )
    name = re.escape(dataset).replace("_", r"[_\-\s]*")
    named = re.compile("|".join((name, *_OTHER_NAMES.get(dataset, ()))), re.IGNORECASE)
    unknown_load = any(not load.dataset for load in facts.loads)
    is_named = named.search(code_of(evidence)) or tells_of(evidence, named)
    if not is_named and not unknown_load and facts.loads:
        return not_met(
            said(f"The code never names the data set `{dataset}`, and the text tells of no result.")
        )
    return needs_review(
        said(f"Whether a model is trained on `{dataset}` and evaluated there could not be settled."),
        *([elsewhere] if elsewhere is not None else []),
        *[
            said(
                f"A training in cell {t.run_cell}, on {', '.join(t.datasets) or 'data not known'}.",
                t.run_cell,
            )
            for t in facts.trainings[:_SHOWN]
        ],
    )


def _seen_on_others_only(evidence: Evidence, dataset: str) -> Reason | None:
    """What speaks against a training on `dataset`: the recorder knows the data of all, and it is another."""
    seen = {training.dataset for training in trainings_seen(evidence)}
    if not seen or seen & {dataset, None}:
        return None
    text = f"Seen while it ran: trainings on {' and '.join(sorted(name or '' for name in seen))} only."
    return Reason(text=text, source=Source.OBSERVED)


def _result_on(evidence: Evidence, test: Evaluation, dataset: str) -> Reason | None:
    """An accuracy that the cell of an evaluation shows, or a line of it with the data set and a figure."""
    for source, readings in readings_of(evidence):
        shown = [n for n in accuracies_in(readings) if n.cell in (test.run_cell, test.cell)]
        if shown:
            text = f"An accuracy on it is shown in cell {shown[-1].cell}: {shown[-1].value:.4f}."
            return Reason(text=text, cell=shown[-1].cell, numbers=(shown[-1].value,), source=source)
    word = dataset.split("_")[0]
    for source, readings in readings_of(evidence):
        for cell, line in printed_lines(readings, {test.run_cell}, could_be_computed(evidence)):
            if word in line.lower():
                text = f"A result on it is shown in cell {cell}: {line.strip()[:80]}."
                return Reason(text=text, cell=cell, source=source)
    return None
