"""A convolutional network built with Keras and trained in a loop of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from grader.checks.networks import (
    Network,
    all_seen,
    cell_of,
    code_of,
    convolutional,
    networks_of,
    nothing_trained,
    writes_keras_convolutions,
    writes_low_level_convolutions,
)
from grader.checks.previews import public
from grader.checks.read_before import named_in_code
from grader.checks.registry import check
from grader.checks.squashed_logits import squashed_logits
from grader.checks.told import work_elsewhere
from grader.evidence.graphs import Graph, NodeKind
from grader.evidence.observed import UpdatePath
from grader.evidence.record import Evidence
from grader.model import Reason, Source, Verdict, met, needs_review, not_met, partly_met

_HALF = Decimal("0.5")
_SHOWN = 6
_TAPE = re.compile(r"GradientTape|\.gradient\(|\.minimize\(|compute_gradients|apply_gradients|\.apply\(")
_FITS = re.compile(r"\.(fit|fit_generator|train_on_batch)\(")
_BY_HAND = (UpdatePath.OPTIMIZER, UpdatePath.ASSIGN, UpdatePath.REBOUND)


def seen(text: str, cell: int | None = None, numbers: Sequence[float] = ()) -> Reason:
    """A reason from what the recorder saw."""
    return Reason(text=text, cell=cell, numbers=tuple(numbers), source=Source.OBSERVED)


def where(evidence: Evidence, network: Network) -> int | None:
    """The cell in which a network was first trained."""
    return cell_of(evidence, network.seen.runs[0] if network.seen.runs else None)


def in_words(graph: Graph | None, network: Network) -> str:
    """A network in a few words: `3 convolutions (16, 32 and 32 filters), 2 poolings, 1 dense layer`."""
    count = network.convolutions
    text = f"{count} convolution{'s' * (count != 1)}"
    if graph is None:
        return text
    filters = [graph.nodes[place].filters for place in graph.places(NodeKind.CONVOLUTION)]
    if filters and None not in filters and len(filters) <= _SHOWN:
        text += f" ({', '.join(map(str, filters))} filters)"
    for kind, name in ((NodeKind.POOLING, "pooling"), (NodeKind.DENSE, "dense layer")):
        found = graph.count(kind)
        if found:
            text += f", {found} {name}{'s' * (found != 1)}"
    return text


@check(
    "convolutional-network",
    public_side=public(
        "at_least",
        before_run=named_in_code(r"\w*[Cc]onv(?:olution)?[123]?[dD]\w*|convolution", "a convolution"),
    ),
)
def convolutional_network(evidence: Evidence, *, at_least: Annotated[int, Field(ge=1, le=50)] = 1) -> Verdict:
    """A network with convolution layers of Keras is trained.

    Met when one with `at_least` convolutions was seen in training and the code names layers of Keras that
    do it. Partly met for convolutions written with low-level TensorFlow. Not met only when all trainings were
    seen whole, none has a convolution, and the code names none.
    """
    networks = networks_of(evidence)
    deep = [network for network in convolutional(evidence) if network.convolutions >= at_least]
    best = max(deep, key=lambda n: (n.model is not None, n.convolutions), default=None)
    if best is not None and writes_keras_convolutions(evidence):
        text = f"A network with {in_words(best.graph, best)} was trained for {best.seen.updates:,} steps."
        return met(seen(text, where(evidence, best), (best.convolutions, best.seen.updates)))
    if best is not None and best.model is None and writes_low_level_convolutions(evidence):
        text = (
            f"A network with {best.convolutions} convolutions was trained, but they are written with "
            "low-level TensorFlow; asked for were layers of Keras."
        )
        return partly_met(_HALF, seen(text, where(evidence, best), (best.convolutions,)))
    if not networks:
        return needs_review(nothing_trained(evidence))
    is_named = writes_keras_convolutions(evidence) or writes_low_level_convolutions(evidence)
    elsewhere = work_elsewhere(evidence)
    if all_seen(evidence) and not is_named and elsewhere is None and not convolutional(evidence):
        text = (
            f"None of the {len(networks)} networks that were trained has a convolution, and the code names "
            "none."
        )
        return not_met(seen(text, where(evidence, networks[0]), (len(networks),)))
    text = "Whether a network with convolutions of Keras is trained could not be settled."
    return needs_review(seen(text), *laid_out(evidence, networks), *([elsewhere] if elsewhere else []))


def laid_out(evidence: Evidence, networks: Iterable[Network]) -> list[Reason]:
    """The networks that were seen in training, for the person who decides."""
    return [
        seen(
            f"Trained for {network.seen.updates:,} steps: a network with {in_words(network.graph, network)}.",
            where(evidence, network),
        )
        for network in list(networks)[:_SHOWN]
    ]


@check(
    "custom-training-loop",
    public_side=public(before_run=named_in_code("GradientTape|train_step", "a training step of its own")),
)
def custom_training_loop(evidence: Evidence) -> Verdict:
    """A convolutional network is trained with gradients of one's own asking, not by Keras's `fit`.

    Met when one was seen in training with a GradientTape that code of the notebook opened, in a loop or in a
    `train_step` of its own, and the code has such a tape. Not met when all trainings were seen, Keras's own
    step did each of them, and the code has no tape.
    """
    networks = convolutional(evidence)
    has_tape = bool(_TAPE.search(code_of(evidence)))
    for network in networks:
        is_step = _has_own_step(network)
        if has_tape and (network.seen.path in _BY_HAND or is_step):
            place = network.seen.place or "the notebook"
            how = "by `fit`, whose `train_step` is the notebook's own" if is_step else "by its own loop"
            text = f"A convolutional network is trained {how}, with a GradientTape opened in `{place}`."
            return met(seen(text, where(evidence, network), (network.seen.updates,)))
    if not networks:
        return needs_review(nothing_trained(evidence), *laid_out(evidence, networks_of(evidence)))
    elsewhere = work_elsewhere(evidence)
    is_by_keras = all(network.is_by_fit for network in networks_of(evidence))
    is_all = all_seen(evidence) and elsewhere is None
    fits = _FITS.search(code_of(evidence))
    if is_by_keras and not has_tape and fits and is_all:
        text = (
            f"Every network is trained by Keras's `{fits[1]}`; asked for was a training loop of your own "
            "with GradientTape. The code has none."
        )
        return not_met(seen(text, where(evidence, networks[0]), (len(networks),)))
    text = "Whether the network is trained by a loop of one's own could not be settled."
    ways = [
        seen(f"Trained for {n.seen.updates:,} steps by {_way(n)}.", where(evidence, n))
        for n in networks[:_SHOWN]
    ]
    return needs_review(seen(text), *ways, *([elsewhere] if elsewhere else []))


def _has_own_step(network: Network) -> bool:
    """Whether `fit` trained it by a `train_step` of the notebook's own; a tape elsewhere makes none."""
    is_own = network.seen.place == "train_step" or (
        network.model is not None and network.model.own_train_step
    )
    return network.seen.path is UpdatePath.FIT and not network.seen.is_in_library and is_own


def _way(network: Network) -> str:
    if network.is_by_fit:
        return "Keras's own `train_step`"
    return f"code in `{network.seen.place}`" if network.seen.place else "code that could not be told"


_OF_THE_LOSS = "Mean"  # Keras makes this metric by itself; the notebook's own are named in its code
_TOOLS: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = (
    (
        "loss",
        ("tf.keras.losses", "tf.losses"),
        re.compile(r"\w*[Cc]ross_?[Ee]ntropy\w*|keras\.losses|tf\.losses|\bloss\s*="),
    ),
    (
        "optimiser",
        ("tf.keras.optimizers", "tf.optimizers"),
        re.compile(r"\b(?:Adam\w*|SGD|RMSprop|Nadam|Adagrad|Lion|Ftrl)\b|optimizers?\b", re.IGNORECASE),
    ),
    (
        "metric",
        ("tf.keras.metrics", "tf.metrics"),
        re.compile(r"metrics?\b|\w*Accuracy\b|keras\.metrics", re.IGNORECASE),
    ),
)


@check("keras-training-tools")
def keras_training_tools(evidence: Evidence) -> Verdict:
    """Losses, optimisers and metrics of Keras are used.

    Met when the code uses all three, by their names or by those given to `compile`. Partly met when two are,
    and nothing in the code looks like the third. A loss that expects logits and does not get them is told.
    """
    found = {name: _use_of(evidence, name, prefixes) for name, prefixes, _ in _TOOLS}
    used = [reason for reason in found.values() if reason is not None]
    missing = [name for name, reason in found.items() if reason is None]
    if not missing:
        return met(*used, *squashed_logits(evidence))
    code = code_of(evidence)
    unlike = [name for name, _, looks in _TOOLS if name in missing and not looks.search(code)]
    if len(missing) == 1 and unlike == missing and work_elsewhere(evidence) is None:
        text = f"Of Keras's losses, optimisers and metrics, no {missing[0]} is used anywhere in the code."
        return partly_met(_HALF, Reason(text=text, source=Source.SOURCE), *used)
    if unlike and len(unlike) == len(_TOOLS) and work_elsewhere(evidence) is None:
        text = "No loss, no optimiser and no metric of Keras is used anywhere in the code."
        return not_met(Reason(text=text, source=Source.SOURCE))
    if len(missing) == len(_TOOLS) and _uses_only_data_of_keras(evidence):
        text = "Of Keras, the code uses nothing but the data sets."
        return not_met(Reason(text=text, source=Source.SOURCE))
    text = f"Whether Keras's {' and '.join(missing)} is used could not be read for certain."
    return needs_review(Reason(text=text, source=Source.SOURCE), *used)


def _uses_only_data_of_keras(evidence: Evidence) -> bool:
    """Whether all that the code names of Keras are data sets; all of it was read, and no model is Keras's."""
    code = evidence.code
    uses = [use.name for use in code.uses("tf.keras")]
    is_data = all(name.startswith("tf.keras.datasets") for name in uses)
    is_bare = all(network.model is None for network in networks_of(evidence))
    is_open = code.unparsed or re.search(r"keras[\w.]*\s+import\s+\*", code_of(evidence))
    return is_data and is_bare and not is_open and work_elsewhere(evidence) is None


def _use_of(evidence: Evidence, name: str, prefixes: Sequence[str]) -> Reason | None:
    """Where a tool is used: by its name in the code, or as given to `compile` of a model that was trained."""
    article = "an" if name == "optimiser" else "a"
    for prefix in prefixes:
        for use in evidence.code.uses(prefix):
            return Reason(
                text=f"{article.capitalize()} {name} of Keras: `{use.name}`.",
                cell=use.cell,
                source=Source.SOURCE,
            )
    for network in networks_of(evidence):
        model = network.model
        given = (
            None
            if model is None
            else {
                "loss": model.loss,
                "optimiser": model.optimizer or network.seen.optimizer,
                "metric": ", ".join(kind for kind in model.metrics if kind != _OF_THE_LOSS) or None,
            }[name]
        )
        if given:
            return seen(f"Seen while it ran, {article} {name} of Keras: {given}.", where(evidence, network))
    return None
