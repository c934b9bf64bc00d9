"""Networks of Keras that were seen in training, each with its graph and what was measured of it.

What the recorder saw can be forged; nothing here counts where it is not trusted, and what makes a criterion
met is also asked of the code or of the outputs.
"""

from __future__ import annotations

import re
from functools import cached_property

from grader.checks.measurement import FEWEST_UPDATES, is_trusted
from grader.checks.results import did_run
from grader.evidence.around import ObservedModel
from grader.evidence.connections import Connections
from grader.evidence.graphs import Graph, NodeKind, graph_of
from grader.evidence.measured import MeasuredTraining
from grader.evidence.observed import ObservedEvaluation, ObservedTraining, UpdatePath
from grader.evidence.record import Evidence
from grader.model import Reason, RunStatus, Source
from grader.notebook.facts import Evaluation, Part

_CONVOLUTIONS = frozenset({"Conv2D", "Conv3D", "DepthwiseConv2dNative", "Conv2DBackpropInput"})
_WRITTEN_KERAS = re.compile(
    r"\b(?:Separable|Depthwise)?Conv(?:olution)?[123]D(?:Transpose)?\b|keras\.applications"
)
_WRITTEN_LOW_LEVEL = re.compile(r"\bconv[23]d\b|nn\.(?:depthwise_|separable_)?conv|\bnn\.convolution\b")


class Network:
    """One training that the recorder saw, with its model."""

    def __init__(
        self, seen: ObservedTraining, model: ObservedModel | None, measured: MeasuredTraining | None
    ) -> None:
        self.seen = seen
        self.model = model
        self.measured = measured

    @cached_property
    def graph(self) -> Graph | None:
        """The graph of its Keras model, None for what is no Keras model."""
        return None if self.model is None else graph_of(self.model)

    @cached_property
    def connections(self) -> Connections | None:
        """What feeds what in it, None where that is not known."""
        return Connections(self.graph) if self.graph is not None and self.graph.is_whole else None

    @property
    def convolutions(self) -> int:
        """How many convolutions with trained weights there are between data and logits."""
        in_forward = sum(op.op in _CONVOLUTIONS and op.weight is not None for op in self.seen.forward)
        in_graph = 0 if self.graph is None else self.graph.count(NodeKind.CONVOLUTION)
        return max(in_forward, in_graph)

    @property
    def is_known(self) -> bool:
        """Whether it is known what its forward pass does: then no convolution means that there is none."""
        return bool(self.seen.forward) or (self.graph is not None and bool(self.graph.nodes))

    @property
    def is_by_fit(self) -> bool:
        """Whether Keras's own `train_step` trained it."""
        return self.seen.path is UpdatePath.FIT and self.seen.is_in_library


def networks_of(evidence: Evidence, fewest: int = FEWEST_UPDATES) -> tuple[Network, ...]:
    """The trainings that were seen for `fewest` steps or more, in order; none where nothing seen counts."""
    if evidence.observed is None or not is_trusted(evidence):
        return ()
    models = {model.id: model for model in evidence.observed.models}
    return tuple(
        Network(
            seen,
            None if seen.model is None else models.get(seen.model),
            None if evidence.measured is None else evidence.measured.of(seen.id),
        )
        for seen in evidence.observed.trainings
        if seen.updates >= fewest
    )


def convolutional(evidence: Evidence, fewest: int = FEWEST_UPDATES) -> tuple[Network, ...]:
    """Those with convolutions."""
    return tuple(network for network in networks_of(evidence, fewest) if network.convolutions)


def all_seen(evidence: Evidence) -> bool:
    """Whether the run came to its end well and the recorder saw the trainings whole: then what is missing
    among them is missing.
    """
    run = evidence.run
    if run is None or run.status is not RunStatus.COMPLETED or run.mends or not is_trusted(evidence):
        return False
    networks = networks_of(evidence)
    return bool(networks) and all(network.is_known for network in networks)


def tests_of_networks(evidence: Evidence) -> tuple[ObservedEvaluation, ...]:
    """Test images that were seen to go through a trained convolutional network as it was trained."""
    if evidence.observed is None:
        return ()
    trained = {network.seen.id for network in convolutional(evidence)}
    return tuple(
        test
        for test in evidence.observed.evaluations
        if test.part == "test" and test.training in trained and not test.difference
    )


def tests_in_code(evidence: Evidence) -> tuple[Evaluation, ...]:
    """Evaluations of a model on test data alone, in code that ran, where convolutional networks were trained.

    Which model it is, is not told; what the recorder does not see (a `test_step` of the notebook's own, say)
    is found so.
    """
    if not convolutional(evidence):
        return ()
    return tuple(
        test
        for test in evidence.facts.evaluations
        if test.is_called
        and test.parts == (Part.TEST,)
        and test.model is not None
        and did_run(evidence, test.run_cell)
    )


def code_of(evidence: Evidence) -> str:
    """The source of all code cells."""
    return "\n".join(cell.source for cell in evidence.notebook.code_cells)


def writes_keras_convolutions(evidence: Evidence) -> bool:
    """Whether the code names a convolution layer of Keras, or one of its ready-made models."""
    return bool(_WRITTEN_KERAS.search(code_of(evidence)))


def writes_low_level_convolutions(evidence: Evidence) -> bool:
    """Whether the code names a convolution of low-level TensorFlow."""
    return bool(_WRITTEN_LOW_LEVEL.search(code_of(evidence)))


def nothing_trained(evidence: Evidence) -> Reason:
    """What is said where no network with a convolution was seen in training, or nothing seen counts."""
    if evidence.observed is None or evidence.run is None:
        return Reason(text="The notebook was not run again, so no training could be seen.")
    if not is_trusted(evidence):
        text = "What our recorder saw cannot be trusted in this run, so which models were trained is open."
        return Reason(text=text, source=Source.OBSERVED)
    most = max((training.updates for training in evidence.observed.trainings), default=0)
    if most >= FEWEST_UPDATES:
        text = (
            f"Networks were seen to be trained (for up to {most:,} steps), but none with a convolution "
            f"for {FEWEST_UPDATES}."
        )
        return Reason(text=text, numbers=(most, FEWEST_UPDATES), source=Source.OBSERVED)
    text = (
        f"While it ran, no network was seen to be trained for {FEWEST_UPDATES} steps (the longest training "
        f"of any model had {most})."
    )
    return Reason(text=text, numbers=(FEWEST_UPDATES, most), source=Source.OBSERVED)


def cell_of(evidence: Evidence, run: int | None) -> int | None:
    """The number of the cell that was executed at a position of the run, None when that is not known."""
    if evidence.run is None or run is None or not 0 < run <= len(evidence.run.cells):
        return None
    return evidence.run.cells[run - 1].cell
