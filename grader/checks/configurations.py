"""What tells the configurations of convolutional networks apart, by what the recorder saw."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from grader.checks.cnn import in_words, seen, where
from grader.checks.mlp_configurations import varied_in_words
from grader.checks.networks import Network, code_of
from grader.evidence.record import Evidence
from grader.model import Reason, Source

_SHOWN = 8
_TOLD = (
    *("filters", "kernel_size", "strides", "padding", "dilation_rate", "groups", "pool_size", "units"),
    *("rate", "activation", "kernel_regularizer", "kernel_initializer"),
)
_UNTOLD = re.compile(  # what the recorder does not tell of every training
    r"\w*regulari[sz]er\w*|\w*initiali[sz]er\w*|momentum|nesterov|weight_decay|\bdecay\b|\bbeta_[12]\b|clip_?norm|"
    r"label_smoothing|class_weight|EarlyStopping|\w*[Ss]chedule\w*|\w*[Aa]ugment\w*|ImageDataGenerator|"
    r"\bRandom(?:Flip|Rotation|Zoom|Crop|Translation|Contrast|Brightness)\b|random_(?:flip|crop|rotat|bright|contr)\w*"
)
_LONGER = 1.5  # times as many steps: trained for another number of epochs


class Setup(NamedTuple):
    """What tells one trained configuration from another. Input and output sizes are left out: they are the
    data set's.
    """

    weights: tuple[tuple[int, ...], ...]
    operations: tuple[str, ...]
    layers: tuple[str, ...]
    optimizer: str
    rate: float | None
    batch: int | None
    loss: str


def setup_of(network: Network) -> Setup:
    """The configuration of a network and its training, as it was seen."""
    model, shapes = network.model, network.seen.shapes
    layers = model.layers[:-1] if model is not None else ()
    return Setup(
        tuple(_without_inputs(shape) for shape in shapes[:-2]),
        tuple(op.op for op in network.seen.forward),
        tuple(
            f"{layer.kind} {[(name, layer.config[name]) for name in _TOLD if name in layer.config]}"
            for layer in layers
        ),
        network.seen.optimizer or "",
        None if network.seen.optimizer_rate is None else round(network.seen.optimizer_rate, 9),
        network.seen.batch,
        (model.loss or "") if model is not None else "",
    )


def _without_inputs(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A kernel's size and filters, a matrix's units."""
    return (*shape[:-2], *shape[-1:]) if len(shape) > 1 else shape


def different(networks: Sequence[Network]) -> dict[Setup, Network]:
    """The different configurations, each with the first network that has it: one run again is one."""
    return {setup: alike[0] for setup, alike in _by_setup(networks).items()}


def _by_setup(networks: Sequence[Network]) -> dict[Setup, list[Network]]:
    found: dict[Setup, list[Network]] = {}
    for network in networks:
        found.setdefault(setup_of(network), []).append(network)
    return found


def varied(setups: Sequence[Setup]) -> str:
    """In what configurations differ, for the end of a sentence; "" where there is one."""
    return varied_in_words(
        ("layers", {(setup.weights, setup.operations, setup.layers) for setup in setups}),
        ("optimisers", {setup.optimizer for setup in setups}),
        ("learning rates", {setup.rate for setup in setups}),
        ("batch sizes", {setup.batch for setup in setups}),
        ("losses", {setup.loss for setup in setups}),
    )


def laid_out_setups(evidence: Evidence, setups: Mapping[Setup, Network]) -> list[Reason]:
    """What each configuration was: its network, and the optimiser, rate and batch of its training."""
    told = []
    for setup, network in list(setups.items())[:_SHOWN]:
        parts = [in_words(network.graph, network)]
        if network.seen.parameters:
            parts.append(f"{network.seen.parameters:,} weights")
        parts.append(setup.optimizer or "an optimiser that was not told")
        if setup.rate is not None:
            parts.append(f"rate {setup.rate:g}")
        if setup.batch is not None:
            parts.append(f"batches of {setup.batch}")
        told.append(seen(f"{network.seen.updates:,} steps: {'; '.join(parts)}.", where(evidence, network)))
    left_out = len(setups) - len(told)
    return [*told, seen(f"And {left_out} more, which are not listed.")] if left_out else told


def may_differ(evidence: Evidence, networks: Sequence[Network]) -> Reason | None:
    """In what trainings that look alike may differ all the same, None where there is nothing.

    It is how long they took, or something the code names that the recorder does not tell of.
    """
    by_setup = _by_setup(networks)
    for alike in by_setup.values():
        steps = [network.seen.updates for network in alike]
        if max(steps) >= _LONGER * min(steps):
            text = f"Trainings of one configuration took from {min(steps):,} to {max(steps):,} steps."
            return seen(text, where(evidence, alike[0]), (min(steps), max(steps)))
    named = _UNTOLD.search(code_of(evidence))
    if named is not None and len(networks) > len(by_setup):
        text = f"Trainings that look alike may differ in what was not recorded: the code names `{named[0]}`."
        return Reason(text=text, source=Source.SOURCE)
    return None
