"""Whether a multilayer perceptron was trained from a tf.data pipeline, and which one it was."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from grader.checks.guards import never_against, nothing_seen
from grader.checks.measurement import (
    FEWEST_UPDATES,
    doubt_about_training,
    hidden_layers_seen,
    is_trusted,
    trainings_seen,
)
from grader.checks.previews import public
from grader.checks.read_before import named_in_code
from grader.checks.registry import check
from grader.evidence.around import ObservedPipeline
from grader.evidence.feeding import Fed, batch_size, fed_trainings, given_by
from grader.evidence.record import Evidence
from grader.model import (
    Outcome,
    Reason,
    RunStatus,
    Source,
    Verdict,
    met,
    needs_review,
    not_checked,
    not_met,
)

IN_PIPELINE = named_in_code("from_tensor_slices|from_tensors|from_generator|Dataset", "a pipeline")
_OF_ARRAYS = frozenset({"from_tensor_slices", "from_tensors", "from_generator", "range"})
_TEST_IMAGES = 10_000  # of MNIST and of Fashion-MNIST
_FEWEST_EXAMPLES = 1_000  # a pipeline that gave fewer has only been looked at
Judge = Callable[..., Verdict]


def seen(text: str, cell: int | None = None, *numbers: float) -> Reason:
    """A reason on what the recorder saw."""
    return Reason(text=text, cell=cell, numbers=numbers, source=Source.OBSERVED)


def cell_at(evidence: Evidence, position: int) -> int | None:
    """The number of the cell that was executed at a position, counted from 1."""
    cells = evidence.run.cells if evidence.run is not None else ()
    return cells[position - 1].cell if 0 < position <= len(cells) else None


def feeding_an_mlp(evidence: Evidence) -> tuple[Fed, ...]:
    """Trainings of models with a hidden layer, long enough to be ones, each with the pipeline that fed it."""
    deep = {training.id for training in trainings_seen(evidence)}
    fed = fed_trainings(evidence.observed) if evidence.observed is not None else ()
    return tuple(one for one in fed if one.training.id in deep)


def of_a_pipeline(judge: Judge) -> Judge:
    """A check of the pipelines that an MLP was trained from: `judge` is asked about each, the best counts.

    What the recorder saw counts where the code builds a pipeline, too. Where no MLP was trained from one,
    there is none to be judged; where the run did not come to its end well, nothing is denied.
    """

    @functools.wraps(judge)
    def checked(evidence: Evidence, **parameters: Any) -> Verdict:
        fed = feeding_an_mlp(evidence)
        if not fed:
            return _none_fed(evidence)
        verdicts = [judge(evidence, one, **parameters) for one in fed]
        best = max(verdicts, key=lambda verdict: _BETTER.index(verdict.outcome))
        is_settled = evidence.run is not None and evidence.run.status is RunStatus.COMPLETED
        if best.outcome in (Outcome.NOT_MET, Outcome.PARTLY_MET) and not is_settled:
            text = "The run did not come to its end well, so what was seen does not decide."
            return needs_review(seen(text), *best.reasons)
        if best.outcome is not Outcome.MET:
            return best
        built = built_in(evidence)
        if built is None:
            text = "No cell of the notebook builds a tf.data pipeline, though one was seen: a person decides."
            return needs_review(Reason(text=text, source=Source.SOURCE), *best.reasons)
        return met(*best.reasons, built)

    return checked


_BETTER = (Outcome.NOT_MET, Outcome.PARTLY_MET, Outcome.NOT_CHECKED, Outcome.NEEDS_REVIEW, Outcome.MET)


def built_in(evidence: Evidence) -> Reason | None:
    """Where the code builds a pipeline, None where it names nothing of tf.data."""
    use = next(iter(evidence.code.uses("tf.data")), None)
    if use is None:
        return None
    return Reason(text=f"The code uses `{use.name}`.", cell=use.cell, source=Source.SOURCE)


@check("trained-from-pipeline", public_side=public(before_run=IN_PIPELINE))
@never_against(nothing_seen)
def trained_from_pipeline(evidence: Evidence) -> Verdict:
    """A multilayer perceptron is trained on what a tf.data pipeline gives.

    Met where our recorder saw a pipeline over arrays feed at least half of the steps of such a training. Not
    met only in a run that came to its end well, where every such training was fed by hand and no pipeline
    gave as many examples, where every model that was trained is linear, or where nothing is trained.
    """
    return _fed_by_a_pipeline(evidence)


def _judge_source(evidence: Evidence, fed: Fed) -> Verdict:
    training, pipeline, steps = fed
    cell = cell_at(evidence, pipeline.run)
    count = f"{training.updates:,} steps" if steps is None else f"{steps:,} of {training.updates:,} steps"
    layers = hidden_layers_seen(training)
    text = (
        f"A model with {layers} hidden layer{'s' * (layers != 1)} was trained for {count} on what a tf.data "
        "pipeline gave."
    )
    others = {node.op for node in pipeline.nodes if not node.inputs} - _OF_ARRAYS
    if others or not pipeline.nodes:
        what = ", ".join(sorted(others)) or "something unknown"
        return needs_review(seen(f"The pipeline begins with {what}; asked for are arrays."), seen(text, cell))
    return met(seen(text, cell, steps or training.updates, training.updates))


_fed_by_a_pipeline = of_a_pipeline(_judge_source)


def _none_fed(evidence: Evidence) -> Verdict:
    """The verdict where no training of an MLP was seen to be fed by a pipeline."""
    run, observed = evidence.run, evidence.observed
    if run is None or run.status is RunStatus.LOST:
        why = "The notebook was not run again" if run is None else "The run was lost through a fault of ours"
        return not_checked(Reason(text=f"{why}, so what its training is fed by could not be seen."))
    if observed is None or not is_trusted(evidence):
        doubt = doubt_about_training(evidence)
        text = "Our recorder saw nothing of this run, so what the training is fed by is open."
        return needs_review(doubt or seen(text))
    if run.status is not RunStatus.COMPLETED:
        text = "The run did not come to its end well, and until then no MLP was seen trained from a pipeline."
        return needs_review(seen(text))
    against = _fed_by_hand(evidence) or _all_linear(evidence) or _nothing_trained(evidence)
    if against is not None:
        return not_met(against)
    text = "That a model with a hidden layer was trained from a tf.data pipeline was not seen for certain."
    return needs_review(seen(text), *_laid_out(evidence))


def _fed_by_hand(evidence: Evidence) -> Reason | None:
    """Why every training of an MLP was surely fed with arrays."""
    deep = trainings_seen(evidence)
    pipelines = evidence.observed.pipelines if evidence.observed is not None else ()
    is_certain = all(training.part == "train" and not training.pipelines for training in deep)
    if not deep or not is_certain or any(map(_could_have_fed, pipelines)):
        return None
    built = built_in(evidence)
    is_built = f"The pipeline that the code builds (cell {built.cell}) did not feed it" if built else ""
    longest = max(deep, key=lambda training: training.updates)
    text = (
        f"The model was trained for {longest.updates:,} steps on arrays. "
        f"{is_built or 'No tf.data pipeline was gone through for that'}."
    )
    return seen(text, cell_at(evidence, longest.runs[0]) if longest.runs else None, longest.updates)


def _could_have_fed(pipeline: ObservedPipeline) -> bool:
    """Whether a training set may have come out of a pipeline in a way in which its steps were not seen."""
    if pipeline.where in ("evaluate", "predict"):
        return False
    rows = [tensor.shape[0] for node in pipeline.nodes for tensor in node.tensors if tensor.shape]
    if pipeline.where == "loop" and rows and all(count == _TEST_IMAGES for count in rows):
        return False
    given = given_by(pipeline)
    first = batch_size(given) if given is not None else None
    if pipeline.where != "loop" or not pipeline.draws or (given is not None and first is None):
        return True
    of_one = [component.shape[0] if component.shape else 1 for component in pipeline.elements]
    return pipeline.draws * max([first or 0, *(size or 0 for size in of_one)], default=0) >= _FEWEST_EXAMPLES


def _all_linear(evidence: Evidence) -> Reason | None:
    """Why there is no MLP: every model that was trained has no hidden layer, by the run and by the code."""
    trained = evidence.observed.trainings if evidence.observed is not None else ()
    long = [training for training in trained if training.updates >= FEWEST_UPDATES]
    is_known = all(training.forward and not training.why_not for training in trained)
    if not long or not is_known or any(map(hidden_layers_seen, trained)):
        return None
    if any(model.hidden_layers for model in evidence.facts.models):
        return None
    text = "Every model that was trained is linear: it has no hidden layer. Asked for is an MLP."
    return seen(text, cell_at(evidence, long[0].runs[0]) if long[0].runs else None)


def _nothing_trained(evidence: Evidence) -> Reason | None:
    """Why there is no training: neither the run nor the code, all of it understood, shows one."""
    facts, observed = evidence.facts, evidence.observed
    if observed is None or observed.trainings or facts.trainings or not facts.is_complete:
        return None
    return seen(
        "Nothing is trained in the notebook: no step of a training was seen, nor does the code take one."
    )


def _laid_out(evidence: Evidence) -> list[Reason]:
    """The trainings and pipelines that were seen, for the person who decides."""
    observed = evidence.observed
    assert observed is not None
    reasons = []
    for training in sorted(observed.trainings, key=lambda found: -found.updates)[:3]:
        fed = ", ".join(f"{use.steps} by pipeline {use.id}" for use in training.pipelines) or "none by any"
        text = f"A training of {training.updates:,} steps: {fed} (as far as it was seen)."
        reasons.append(seen(text, cell_at(evidence, training.runs[0]) if training.runs else None))
    for pipeline in observed.pipelines[:3]:
        chain = " → ".join(node.op for node in pipeline.nodes)
        text = f"Pipeline {pipeline.id} ({chain}): {pipeline.draws:,} elements were taken from it in Python."
        reasons.append(seen(text, cell_at(evidence, pipeline.run)))
    return reasons
