"""What was done with networks besides training one: varied, looked into, taken further."""

from __future__ import annotations

import ast
import math
import re
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field, JsonValue

from grader.checks.accuracy import accuracy_before_grading
from grader.checks.accuracy_shown import origin_of, stand_in_in_words
from grader.checks.borne_out import rests_on_the_room
from grader.checks.cnn import laid_out, seen, where
from grader.checks.configurations import different, laid_out_setups, may_differ, varied
from grader.checks.measurement import FEWEST_UPDATES, Model, doubt_about
from grader.checks.networks import (
    Network,
    all_seen,
    code_of,
    convolutional,
    networks_of,
    nothing_trained,
)
from grader.checks.previews import Preview, PublicSide, found, later, missing, public, unclear
from grader.checks.read_before import named_in_code
from grader.checks.registry import check
from grader.checks.results import (
    accuracies_in,
    could_be_computed,
    did_run,
    figure_shown,
    readings_of,
    results_shown,
    told_results,
)
from grader.checks.told import tells_of_experiments, work_elsewhere
from grader.evidence.record import Evidence
from grader.model import (
    DatasetOrigin,
    Outcome,
    Reason,
    Source,
    Verdict,
    met,
    needs_review,
    not_met,
    partly_met,
)
from grader.notebook.records import Cell, Split

_HALF = Decimal("0.5")
_A_TRY = 10  # steps with which a training was meant in earnest
_CLEAR = 2  # standard errors of an accuracy
_LOOKS_INSIDE = re.compile(
    r"\.output\b|get_layer\(|\.layers\[|feature_?maps?|activations?_(?:model|map)|\.kernel\b|get_weights\("
)
_SHOWS_IMAGES = re.compile(r"imshow|matshow|pcolor|heatmap|figimage|array_to_img|summary\.image|Image\(")
_MAY_SHOW_IMAGES = re.compile(
    r"(?-i:\bImage\b)|contourf?\(|display\(|visuali[sz]|"
    r"(?:show|plot|draw)_?\w*(?:image|img|map|filter|kernel|activation)",
    re.IGNORECASE,
)


def _experiments_before_grading(evidence: Evidence) -> Preview:
    """Which configurations are told apart; how many are enough is not looked at."""
    if evidence.run is None:
        return later(Reason(text="Which configurations are trained is seen when the notebook is run."))
    setups = different(convolutional(evidence))
    if len(setups) > 1:
        text = f"{len(setups)} different configurations of a network are trained{varied(list(setups))}."
        return found(seen(text, numbers=(len(setups),)))
    if network_experiments(evidence, at_least=2).outcome is Outcome.NOT_MET:
        return missing(seen("One configuration of a network is trained, no other."))
    return unclear(seen("Different configurations could not be told apart; say in words what you compared."))


@check("network-experiments", public_side=PublicSide(public().parameters, _experiments_before_grading))
def network_experiments(evidence: Evidence, *, at_least: Annotated[int, Field(ge=2, le=50)] = 3) -> Verdict:
    """Several configurations of a convolutional network are really trained, and their results shown.

    Configurations differ in their layers, filters, kernels, pooling, loss, optimiser, rate or batch; the same
    one trained again is one. Met with `at_least` and as many results in the outputs. Partly met with two
    where all trainings were seen, not met with one, where neither text nor outputs tell of more, nothing
    says that trainings which look alike may differ, and no other was trained too shortly to count.
    """
    networks = convolutional(evidence)
    if not networks:
        return needs_review(nothing_trained(evidence), *laid_out(evidence, networks_of(evidence)))
    setups = different(networks)
    results, source = results_shown(evidence, could_be_computed(evidence))
    count = len(setups)
    what = "1 configuration of a network was" if count == 1 else f"{count} configurations of a network were"
    trained = seen(
        f"{what} trained{varied(list(setups))}; {at_least} are asked for.", numbers=(count, at_least)
    )
    reasons = [trained, *laid_out_setups(evidence, setups), told_results(results, source)]
    if count >= at_least and results >= at_least:
        return met(*reasons)
    is_all = all_seen(evidence) and not tells_of_experiments(evidence) and work_elsewhere(evidence) is None
    unlike = may_differ(evidence, networks)
    brief = [one for setup, one in different(convolutional(evidence, _A_TRY)).items() if setup not in setups]
    if brief:
        longest = max(network.seen.updates for network in brief)
        what = "1 more was" if len(brief) == 1 else f"{len(brief)} more were"
        text = (
            f"{what} trained for fewer than {FEWEST_UPDATES} steps ({longest} at most), which does not count."
        )
        reasons.append(seen(text, numbers=(len(brief), FEWEST_UPDATES, longest)))
    is_clear = unlike is None and not brief
    if is_all and is_clear and count < at_least and _tests_shown(evidence) <= len(networks):
        return partly_met(_HALF, *reasons) if count > 1 else not_met(*reasons)
    if tells_of_experiments(evidence):
        text = "The text tells of further experiments, which may no longer be in the code."
        reasons.append(Reason(text=text, source=Source.SOURCE))
    return needs_review(*reasons, *([unlike] if unlike else []))


def _tests_shown(evidence: Evidence) -> int:
    """How many different accuracies the outputs show that are not those of training, nor of its steps."""
    return max(
        len({round(n.value, 4) for n in accuracies_in(readings) if n.split is Split.TEST and n.step is None})
        for _, readings in readings_of(evidence)
    )


# Bonus ------------------------------------------------------------------------------------------------


@check(
    "network-looked-into",
    public_side=public(
        before_run=named_in_code(
            r"imshow|matshow|pcolor\w*|heatmap|Image", "a picture, of the data or of what layers put out"
        )
    ),
)
def network_looked_into(evidence: Evidence) -> Verdict:
    """Feature maps or filters of a trained network are shown as images.

    Met when code that ran shows images in a cell that reaches into the layers of a network, or after one that
    does, with a figure. Not met only when nothing in the code looks as if it displayed an image.
    """
    live = {cell.number: _without_comments(evidence, cell) for cell in evidence.notebook.code_cells}
    inside = [number for number, source in live.items() if _LOOKS_INSIDE.search(source)]
    for cell in evidence.notebook.code_cells:
        is_after = any(number <= cell.number for number in inside)
        if not _SHOWS_IMAGES.search(live[cell.number]) or not is_after or not did_run(evidence, cell.number):
            continue
        is_of_layers = cell.number in inside or re.search(
            r"map|feature|filter|kernel|activation", cell.source
        )
        shown = figure_shown(evidence, cell.number)
        if is_of_layers and shown is not None and convolutional(evidence):
            text = f"What layers of the network put out is shown as images in cell {cell.number}."
            figure = Reason(text=f"Cell {cell.number} shows a figure.", cell=cell.number, source=shown)
            return met(Reason(text=text, cell=cell.number, source=Source.SOURCE), figure)
    code = code_of(evidence)
    may_show = _SHOWS_IMAGES.search(code) or _MAY_SHOW_IMAGES.search(code)
    if not may_show and work_elsewhere(evidence) is None:
        return not_met(Reason(text="No image is displayed anywhere in the code.", source=Source.SOURCE))
    text = "Whether feature maps or filters are looked at could not be settled."
    return needs_review(Reason(text=text, source=Source.SOURCE))


def _without_comments(evidence: Evidence, cell: Cell) -> str:
    """The code of a cell as far as it was understood, else its source."""
    is_read = cell.number not in {number for number, _ in evidence.code.unparsed}
    return ast.unparse(evidence.code.trees[cell.number]) if is_read else cell.source


def _data_set_named(evidence: Evidence, *, datasets: tuple[str, ...]) -> Preview:
    pattern = "|".join(map(re.escape, datasets))
    return named_in_code(pattern, f"one of {', '.join(datasets)}")(evidence)


@check(
    "network-trained-on",
    public_side=public("datasets", before_run=_data_set_named),
)
def network_trained_on(evidence: Evidence, *, datasets: tuple[str, ...]) -> Verdict:
    """A convolutional network is trained on one of `datasets`.

    Not met only when all trainings were seen, and the data of each is known and another.
    """
    networks = convolutional(evidence)
    names = " or ".join(f"`{name}`" for name in datasets)
    for network in networks:
        if network.seen.dataset in datasets:
            text = f"A convolutional network is trained on `{network.seen.dataset}`."
            return met(seen(text, where(evidence, network)))
    known = {network.seen.dataset for network in networks_of(evidence)}
    if networks and all_seen(evidence) and None not in known:
        text = f"Seen while it ran: trainings on {' and '.join(sorted(filter(None, known)))} only."
        return not_met(seen(text))
    return needs_review(seen(f"Whether a network is trained on {names} could not be settled."))


def _measured_later(_: Evidence, **__: object) -> Preview:
    return later(Reason(text="How far it goes is measured when the notebook is run."))


def _data_set_beyond(parameters: BaseModel) -> dict[str, JsonValue]:
    return {"datasets": [parameters.model_dump()["dataset"]]}


@check(
    "accuracy-beyond",
    public_side=PublicSide(_data_set_beyond, accuracy_before_grading, before_run=_measured_later),
)
def accuracy_beyond(
    evidence: Evidence,
    *,
    dataset: str,
    steps: Annotated[tuple[float, ...], Field(min_length=1, max_length=9)],
) -> Verdict:
    """How many of the accuracies in `steps` the best network reaches on images of `dataset` it never saw.

    Each is worth an equal share. A person decides where the accuracy is only what the room told. Not met only
    on the real data, clearly below the first step for the number of images asked about, or when all networks
    were trained on other data.
    """
    networks = [n for n in convolutional(evidence) if n.measured is not None and not _doubt(n)]
    there = [n.measured for n in networks if n.measured is not None and n.measured.dataset == dataset]
    known = {network.seen.dataset for network in networks_of(evidence)}
    if not there:
        if networks and all_seen(evidence) and not known & {dataset, None}:
            text = f"No network was trained on `{dataset}`."
            return not_met(seen(text))
        return needs_review(seen(f"No network trained on `{dataset}` could be measured."))
    best = max(there, key=lambda measured: measured.accuracy)
    reached = [step for step in steps if best.accuracy >= step]
    run = evidence.run
    data = dataset if run is None else f"{dataset}{stand_in_in_words(run, dataset)}"
    text = (
        f"Accuracy measured on {best.examples:,} images of {data} that the notebook never saw: "
        f"{best.accuracy:.3f}. Asked for: "
        f"{' / '.join(f'{step:.2f}' for step in steps)}."
    )
    reason = Reason(text=text, numbers=(best.accuracy, *steps), source=Source.MEASURED)
    if reached and run is not None:
        alone = rests_on_the_room(evidence, run, best, max(reached))
        if alone is not None:
            return needs_review(alone, reason)
    origin = None if run is None else origin_of(run, dataset)
    if len(reached) == len(steps):
        return met(reason)
    if reached:
        return partly_met(Decimal(len(reached)) / Decimal(len(steps)), reason)
    spread = math.sqrt(best.accuracy * (1 - best.accuracy) / best.examples)
    is_clear = best.accuracy + _CLEAR * spread < min(steps)
    is_known = origin is DatasetOrigin.REAL and all_seen(evidence)
    return not_met(reason) if is_known and is_clear else needs_review(reason)


def _doubt(network: Network) -> str:
    return "" if network.measured is None else doubt_about(Model(network.seen, network.measured))
