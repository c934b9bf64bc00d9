"""Networks with connections past their layers: dense blocks, residual blocks, and how they are built."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field

from grader.checks.cnn import laid_out, seen, where
from grader.checks.measurement import FEWEST_UPDATES
from grader.checks.networks import (
    Network,
    all_seen,
    cell_of,
    code_of,
    convolutional,
    networks_of,
    nothing_trained,
)
from grader.checks.previews import Preview, public, unclear
from grader.checks.read_before import first_named, named_in_code
from grader.checks.ready_made import are_named_by_keras, names_ready_made
from grader.checks.registry import check
from grader.checks.told import work_elsewhere
from grader.evidence.around import ObservedModel
from grader.evidence.connections import Block, Connections
from grader.evidence.graphs import NodeKind, graph_of
from grader.evidence.record import Evidence
from grader.model import Reason, Source, Verdict, met, needs_review, not_met, partly_met

_HALF = Decimal("0.5")
_JOINS = re.compile(r"concat", re.IGNORECASE)
_ADDS = re.compile(r"\badd\b|\bAdd\b|\+", re.IGNORECASE)
_JOINING_NAME = re.compile(r"[Cc]oncat\w*")
_ADDING_NAME = re.compile(r"Add")  # `add` is also how layers are put into a model


class BlockKind(StrEnum):
    """What a rubric can ask for."""

    DENSE = "dense"
    RESIDUAL = "residual"


class _Found(NamedTuple):
    """The blocks of one network."""

    network: Network
    dense: tuple[Block, ...]
    residual: tuple[Block, ...]

    def of(self, kind: BlockKind) -> tuple[Block, ...]:
        return self.dense if kind is BlockKind.DENSE else self.residual

    def longest(self, kind: BlockKind) -> int:
        return max((len(block) for block in self.of(kind)), default=0)


def _found_in(networks: Iterable[Network]) -> list[_Found]:
    return [
        _Found(network, network.connections.dense_blocks(), network.connections.residual_blocks())
        for network in networks
        if network.connections is not None
    ]


def _connections_named(evidence: Evidence, *, kind: BlockKind, **_: object) -> Preview:
    """Where the code connects layers past others; of a dense block no connection that only adds is told."""
    added = first_named(evidence, _ADDING_NAME)
    if kind is BlockKind.RESIDUAL or added is None or first_named(evidence, _JOINING_NAME) is not None:
        either = f"{_JOINING_NAME.pattern}|{_ADDING_NAME.pattern}"
        return named_in_code(either, "a connection past layers")(evidence)
    text = (
        f"Cell {added[0]} has a connection past layers (`{added[1]}`), which adds. Look up once more what "
        "each layer of a dense block receives."
    )
    return unclear(Reason(text=text, cell=added[0], source=Source.SOURCE))


@check(
    "connected-blocks",
    public_side=public("kind", "at_least", before_run=_connections_named),
)
def connected_blocks(
    evidence: Evidence,
    *,
    kind: BlockKind = BlockKind.DENSE,
    at_least: Annotated[int, Field(ge=1, le=50)] = 3,
) -> Verdict:
    """A network is trained that has a dense block (or a residual one, as `kind` says).

    A dense block is a stretch in which each of at least `at_least` convolution layers receives, by
    concatenation, the outputs of all earlier ones in it; a residual block adds what `at_least` convolutions
    make of its input to the input. Met by one network with one such block that was seen in training. Partly
    met by a shorter one. Not met only when all trainings were seen and every graph is known whole.
    """
    networks = convolutional(evidence)
    if not networks:
        return needs_review(nothing_trained(evidence), *laid_out(evidence, networks_of(evidence)))
    found = _found_in(networks)
    own = _surely_own(evidence, found, kind, at_least)
    best = max(own or found, key=lambda one: one.longest(kind), default=None)
    longest = 0 if best is None else best.longest(kind)
    is_written = (_JOINS if kind is BlockKind.DENSE else _ADDS).search(code_of(evidence)) is not None
    if best is not None and longest >= at_least:
        reason = _told(evidence, best, kind)
        if best not in own:
            text = "The code uses a ready-made network: are the blocks the notebook's own work?"
            return needs_review(Reason(text=text, source=Source.SOURCE), reason)
        if not any(block.is_certain for block in best.of(kind) if len(block) >= at_least):
            text = "One concatenation makes the block: is it meant as one, or as a connection past one layer?"
            return needs_review(seen(text, where(evidence, best.network)), reason)
        return met(reason) if is_written else needs_review(reason)
    elsewhere = (
        work_elsewhere(evidence)
        or _unread_step(evidence, found)
        or _not_trained(evidence, _untrained(evidence, networks), kind, at_least)
    )
    is_all = all_seen(evidence) and len(found) == len(networks) and elsewhere is None
    if best is not None and longest > 1 and is_all:
        return partly_met(_HALF, _told(evidence, best, kind, asked_for=at_least))
    other = _other_kind(evidence, found, kind)
    if is_all:
        return not_met(*other, _without(evidence, found, kind, at_least))
    text = f"Whether a network with a {kind.value} block is trained could not be settled."
    return needs_review(
        seen(text), *other, *laid_out(evidence, networks), *([elsewhere] if elsewhere else [])
    )


def _surely_own(evidence: Evidence, found: Iterable[_Found], kind: BlockKind, at_least: int) -> list[_Found]:
    """Those with such a block that cannot be a ready-made network, though the code may use one."""
    is_in_doubt = names_ready_made(evidence)
    return [
        one
        for one in found
        if one.longest(kind) >= at_least
        and (not is_in_doubt or (kind is BlockKind.DENSE and are_named_by_keras(one.dense)))
    ]


def _unread_step(evidence: Evidence, found: Iterable[_Found]) -> Reason | None:
    """A step of a network that may do what a layer of a block does, or keep features or not."""
    for one in found:
        unread = () if one.network.connections is None else one.network.connections.unread
        if unread:
            text = f"What the step `{unread[0]}` of the network does could not be read."
            return seen(text, where(evidence, one.network))
    return None


def _not_trained(
    evidence: Evidence, models: Iterable[ObservedModel], kind: BlockKind, at_least: int
) -> Reason | None:
    """A network with such a block among those that were called, but not seen in training."""
    for model in models:
        graph = graph_of(model)
        connections = Connections(graph)
        is_dense = kind is BlockKind.DENSE
        blocks = connections.dense_blocks() if is_dense else connections.residual_blocks()
        if graph.is_whole and any(len(block) >= at_least for block in blocks):
            text = (
                f"The network `{model.name}` has a {kind.value} block, but was not seen to be trained for "
                f"{FEWEST_UPDATES} steps."
            )
            return seen(text, cell_of(evidence, model.run))
    return None


def _untrained(evidence: Evidence, networks: Iterable[Network]) -> list[ObservedModel]:
    trained = {network.seen.model for network in networks}
    models = () if evidence.observed is None else evidence.observed.models
    return [model for model in models if model.id not in trained]


def _told(evidence: Evidence, found: _Found, kind: BlockKind, asked_for: int = 0) -> Reason:
    blocks = found.of(kind)
    sizes = [len(block) for block in blocks]
    counted = " and ".join(
        [", ".join(map(str, sizes[:-1])), str(sizes[-1])] if len(sizes) > 1 else [str(sizes[0])]
    )
    network = found.network
    name = network.model.name if network.model is not None else "of the notebook"
    text = (
        f"The network `{name}` has {len(blocks)} {kind.value} block{'s' * (len(blocks) != 1)} of {counted} "
    )
    text += "layers" if kind is BlockKind.DENSE else "convolutions"
    if kind is BlockKind.DENSE:
        text += ": each layer receives, by concatenation, the outputs of all earlier ones"
    text += f"; it was trained for {network.seen.updates:,} steps."
    if asked_for:
        text += f" Asked for: at least {asked_for} in one block."
    return seen(text, where(evidence, network), sizes)


def _other_kind(evidence: Evidence, found: Iterable[_Found], kind: BlockKind) -> list[Reason]:
    """What the networks are instead, where they are the other kind."""
    other = BlockKind.RESIDUAL if kind is BlockKind.DENSE else BlockKind.DENSE
    for one in found:
        if one.of(other):
            name = "ResNet" if other is BlockKind.RESIDUAL else "DenseNet"
            asked = "DenseNet" if other is BlockKind.RESIDUAL else "ResNet"
            how = "adds" if other is BlockKind.RESIDUAL else "concatenates"
            wanted = "concatenating" if other is BlockKind.RESIDUAL else "adding"
            count = len(one.of(other))
            text = (
                f"The network {how} instead of {wanted}: {count} {other.value} block{'s' * (count != 1)}. "
                f"That is a {name}; a {asked} is asked for."
            )
            return [seen(text, where(evidence, one.network), (count,))]
    return []


def _without(evidence: Evidence, found: list[_Found], kind: BlockKind, at_least: int) -> Reason:
    joining = NodeKind.CONCATENATION if kind is BlockKind.DENSE else NodeKind.ADDITION
    counts = [one.network.graph.count(joining) for one in found if one.network.graph is not None]
    most = max(counts, default=0)
    text = f"No network that was trained has a {kind.value} block of {at_least} layers or more"
    if kind is BlockKind.DENSE:
        count = "there is 1 concatenation" if most == 1 else f"there are {most} concatenations"
        text += (
            f": {count}, but nowhere does each of {at_least} layers receive all earlier ones"
            if most
            else ": nothing is concatenated"
        )
        apart = [
            one.network.connections.unconnected() for one in found if one.network.connections is not None
        ]
        later, earlier = next(filter(None, apart), ("", ""))
        text += f" (`{later}`, for one, does not receive `{earlier}`)" if later else ""
    return seen(f"{text}.", where(evidence, found[0].network), (most,))


@check(
    "functional-api",
    public_side=public(before_run=named_in_code("Input|Model|Functional", "what the functional API takes")),
)
def functional_api(evidence: Evidence) -> Verdict:
    """The network with connections past layers is built with Keras's functional API.

    Met by a functional model that was seen in training and whose graph branches, also inside of another
    model. Partly met when all trainings were seen and every network that branches is built otherwise; not met
    when every graph is known whole and none is functional or branches.
    """
    networks = convolutional(evidence)
    if not networks:
        return needs_review(nothing_trained(evidence))
    functional = [n for n in networks if n.model is not None and _is_functional(n.model)]
    branched = [n for n in networks if n.graph is not None and _branches(n)]
    for network in functional:
        if network in branched and network.model is not None:
            text = f"The network `{network.model.name}` is built with the functional API, and it branches."
            return met(seen(text, where(evidence, network)))
    is_all = all_seen(evidence) and all(n.model is not None for n in networks)
    is_elsewhere = any(_is_functional(model) and model.has_joins for model in _untrained(evidence, networks))
    if is_all and not is_elsewhere and work_elsewhere(evidence) is None:
        if branched:
            how = branched[0].model.made if branched[0].model is not None else ""
            name = {"sequential": "with Sequential and layers of your own", "subclassed": "as a subclass"}
            text = f"The network is built {name.get(how, how)}; the functional API was asked for."
            return partly_met(_HALF, seen(text, where(evidence, branched[0])))
        if not functional and all(n.connections is not None for n in networks):
            text = "No network is built with the functional API: each is one layer after the other."
            return not_met(seen(text, where(evidence, networks[0])))
    text = "Whether the functional API is used for the network could not be settled."
    return needs_review(seen(text), *laid_out(evidence, networks))


def _is_functional(model: ObservedModel) -> bool:
    """Whether it is functional, or holds a functional model that branches, as one around a network does."""
    return model.made == "functional" or model.joins_inside > 0


def _branches(network: Network) -> bool:
    graph = network.graph
    return graph is not None and graph.count(NodeKind.CONCATENATION, NodeKind.ADDITION) > 0


@check(
    "densenet-sequential",
    public_side=public("at_least", before_run=named_in_code("Sequential", "a Sequential model")),
)
def densenet_sequential(evidence: Evidence, *, at_least: Annotated[int, Field(ge=2, le=50)] = 3) -> Verdict:
    """A network with a dense block is built with the Sequential API.

    A functional model in a Sequential one is left to a person, and a Sequential model that was built and not
    trained. Not met only when all trainings were seen and no Sequential model has a dense block.
    """
    networks = convolutional(evidence)
    sequential = [n for n in networks if n.model is not None and n.model.made == "sequential"]
    dense = [one for one in _found_in(sequential) if one.longest(BlockKind.DENSE) >= at_least]
    for found in dense:
        if found.network.model is not None and not found.network.model.joins_inside:
            return met(_told(evidence, found, BlockKind.DENSE))
    if dense:
        text = "The Sequential model holds a functional one: is its dense block built with Sequential?"
        return needs_review(seen(text), _told(evidence, dense[0], BlockKind.DENSE))
    is_known = all(network.connections is not None for network in sequential)
    untrained = [model for model in _untrained(evidence, networks) if model.made == "sequential"]
    built = _not_trained(evidence, untrained, BlockKind.DENSE, at_least)
    if networks and all_seen(evidence) and is_known and not built and work_elsewhere(evidence) is None:
        return not_met(seen("No Sequential model that was trained has a dense block."))
    text = "Whether a Sequential model has a dense block could not be settled."
    return needs_review(seen(text), *([built] if built else []))
