"""Which tf.data pipeline fed which training, and what went through it, by what the recorder saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import NamedTuple

from grader.evidence.around import Component, ObservedPipeline, PipelineNode
from grader.evidence.observed import Observed, ObservedTraining

_FED_SHARE = 0.5  # of a training's steps: fewer are those of a few looks at another pipeline on the way
_FEWEST_PIXELS = 64  # a component with fewer numbers for each example is no image
_BATCHES = frozenset({"batch", "padded_batch", "ragged_batch", "dense_to_ragged_batch"})


class Fed(NamedTuple):
    """A training and the pipeline that most of its steps were fed by; `steps` is None where a graph took
    from the pipeline by itself.
    """

    training: ObservedTraining
    pipeline: ObservedPipeline
    steps: int | None


class Given(NamedTuple):
    """The components of a pipeline's elements: what the images are in, and what the labels."""

    images: Component
    labels: Component


def fed_trainings(observed: Observed) -> tuple[Fed, ...]:
    """The trainings of which at least half of the steps were fed by pipelines, the longest first.

    A training's batches are those of its pipeline: one of another size was looked at on the way.
    """
    pipelines = {pipeline.id: pipeline for pipeline in observed.pipelines}
    found = []
    for training in observed.trainings:
        uses = [use for use in training.pipelines if _may_feed(pipelines.get(use.id), training)]
        steps = sum(training.updates if use.steps is None else use.steps for use in uses)
        if uses and training.updates and steps >= _FED_SHARE * training.updates:
            most = max(uses, key=lambda use: training.updates if use.steps is None else use.steps)
            found.append(Fed(training, pipelines[most.id], None if most.steps is None else steps))
    return tuple(sorted(found, key=lambda fed: -fed.training.updates))


def _may_feed(pipeline: ObservedPipeline | None, training: ObservedTraining) -> bool:
    if pipeline is None:
        return False
    given = given_by(pipeline)
    size = batch_size(given) if given is not None else None
    return size is None or training.batch is None or size == training.batch


def given_by(pipeline: ObservedPipeline) -> Given | None:
    """Images and labels among what a pipeline yielded; None where its elements are no such pairs."""
    if len(pipeline.elements) != 2:
        return None
    by_size = sorted(pipeline.elements, key=_numbers)
    labels, images = by_size
    if _numbers(images) // (batch_size(Given(images, labels)) or 1) < _FEWEST_PIXELS:
        return None
    return Given(images, labels)


def _numbers(component: Component) -> int:
    """How many numbers are in a component, an open dimension counted as one."""
    return prod(1 if dim is None else dim for dim in component.shape or ())


def is_batched(given: Given) -> bool:
    """Whether images and labels have a first dimension in common."""
    images, labels = given.images.shape or (), given.labels.shape or ()
    return len(images) > 1 and len(labels) > 0 and images[0] == labels[0]


def batch_size(given: Given) -> int | None:
    """How many examples the first element had, 1 for a single example, None where it is not known."""
    return (given.images.shape or (None,))[0] if is_batched(given) else 1


def label_width(given: Given) -> int:
    """How many numbers make up the label of one example."""
    return prod(1 if dim is None else dim for dim in (given.labels.shape or ())[int(is_batched(given)) :])


def before(pipeline: ObservedPipeline, place: int) -> list[PipelineNode]:
    """The node at `place` of a pipeline, and all that lead to it, each once."""
    nodes, seen, pending = pipeline.nodes, set[int](), [place]
    while pending:
        at = pending.pop()
        if 0 <= at < len(nodes) and at not in seen:
            seen.add(at)
            pending += nodes[at].inputs
    return [nodes[at] for at in sorted(seen)]


def operations_of(pipeline: ObservedPipeline, name: str) -> Iterator[tuple[int, PipelineNode]]:
    """The operations of that name, each with its place among the nodes."""
    return ((place, node) for place, node in enumerate(pipeline.nodes) if node.op == name)


def puts_into_batches(nodes: Sequence[PipelineNode]) -> bool:
    """Whether operations one after the other leave batches, and not single examples."""
    names = [node.op for node in nodes]
    last_batch = max((place for place, name in enumerate(names) if name in _BATCHES), default=-1)
    return last_batch >= 0 and "unbatch" not in names[last_batch:]
