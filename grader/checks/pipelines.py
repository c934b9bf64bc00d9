"""What the tf.data pipeline that trains the model gives: images, labels, batches, and in which order."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from grader.checks.feeding import IN_PIPELINE, cell_at, of_a_pipeline, seen
from grader.checks.guards import never_against, nothing_seen
from grader.checks.previews import public
from grader.checks.read_before import named_in_code
from grader.checks.registry import check
from grader.evidence.around import Component, ObservedModel, ObservedPipeline, PipelineNode
from grader.evidence.feeding import (
    Fed,
    batch_size,
    before,
    given_by,
    is_batched,
    label_width,
    operations_of,
    puts_into_batches,
)
from grader.evidence.record import Evidence
from grader.model import Reason, Verdict, met, needs_review, not_met, partly_met

_HALF = Decimal("0.5")
_RAW = 255.0  # the largest value of a pixel that nothing was done with
_CLOSE = 0.02
_TO_ONE = 0.5  # images that reach no further are darker than any of the data set
_IN_ORDER = frozenset({"from_tensor_slices", "from_tensors"})  # sources that draw nothing at random
_DRAWS = frozenset({"permutation", "permuted", "choice", "randint", "integers", "random_integers"})
_SHUFFLERS = ("np.random.shuffle", "random.shuffle", "tf.random.shuffle", "sklearn")
_SCALES = frozenset({"Rescaling", "Normalization", "BatchNormalization", "LayerNormalization", "Lambda"})


@check("pipeline-images", public_side=public(before_run=IN_PIPELINE))
@never_against(nothing_seen)
@of_a_pipeline
def pipeline_images(evidence: Evidence, fed: Fed) -> Verdict:
    """The pipeline gives images as floats in [0, 1].

    By what it really gave. Pixels from 0 to 255 are as good where they are scaled on their way into the
    model; not met where they surely go in as they are. Other ranges are for a person.
    """
    given, cell = given_by(fed.pipeline), cell_at(evidence, fed.pipeline.run)
    if given is None or given.images.least is None or given.images.largest is None:
        return _not_seen("images", cell)
    images, least, largest = given.images, given.images.least, given.images.largest
    text = f"The pipeline that trains the model gives images as {images.dtype}, {in_words(images)}."
    found = seen(text, cell, least, largest)
    is_float = images.dtype.startswith(("float", "bfloat"))
    if is_float and least >= 0 and _TO_ONE < largest <= 1 + 1e-6:
        return met(found)
    if least < 0 or largest <= _TO_ONE or largest > _RAW or not (largest > 1 or is_float):
        return needs_review(found, seen("Asked for are floats in [0, 1]: whether this is as good is open."))
    return _raw_images(evidence, fed, found)


def _raw_images(evidence: Evidence, fed: Fed, found: Reason) -> Verdict:
    """The verdict on pixels from 0 to 255: by what happens to them on their way to the first weights."""
    training = fed.training
    models = evidence.observed.models if evidence.observed is not None else ()
    model = next((one for one in models if one.id == training.model), None)
    scaled = _is_close((training.scale or 0) * _RAW) and abs(training.offset or 0) < _CLOSE
    if scaled or (model is not None and _rescales(model)):
        return met(found, seen("They are scaled into [0, 1] on their way into the model."))
    is_plain = model is None or (model.is_whole and not any(layer.kind in _SCALES for layer in model.layers))
    if is_plain and training.scale is not None and _is_close(training.scale):
        return not_met(found, seen("They go into the model as they are; asked for are floats in [0, 1]."))
    return needs_review(found, seen("Whether they are scaled on their way into the model was not seen."))


def _is_close(factor: float) -> bool:
    return abs(factor - 1) < _CLOSE


def _rescales(model: ObservedModel) -> bool:
    """Whether a layer takes pixels from 0 to 255 into [0, 1]."""
    for layer in model.layers:
        scale, offset = layer.config.get("scale"), layer.config.get("offset", 0)
        if layer.kind == "Rescaling" and isinstance(scale, float) and _is_close(scale * _RAW) and not offset:
            return True
    return False


@check("pipeline-labels", public_side=public(before_run=IN_PIPELINE))
@never_against(nothing_seen)
@of_a_pipeline
def pipeline_labels(evidence: Evidence, fed: Fed) -> Verdict:
    """The pipeline gives labels as integers.

    By what it really gave; any integers that train the model are right. Not met for floats that no code turns
    into integers later; one-hot labels are for a person.
    """
    given, cell = given_by(fed.pipeline), cell_at(evidence, fed.pipeline.run)
    if given is None or given.labels.least is None:
        return _not_seen("labels", cell)
    labels = given.labels
    found = seen(f"The pipeline that trains the model gives labels as {labels.dtype}.", cell)
    if label_width(given) > 1:
        text = f"Each label is made of {label_width(given)} numbers, most likely one-hot: a person decides."
        return needs_review(found, seen(text, cell, label_width(given)))
    if labels.dtype.startswith(("int", "uint")):
        return met(found)
    if _casts_to_integers(evidence):
        return needs_review(found, seen("The code also turns something into integers; asked for is int32."))
    return not_met(found, seen("Asked for are integers (int32)."))


def _casts_to_integers(evidence: Evidence) -> bool:
    """Whether a cell turns something into integers: `tf.cast(…, tf.int32)`, `….astype(int)`."""
    for tree in evidence.code.trees.values():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or _name(node.func) not in ("cast", "astype", "saturate_cast"):
                continue
            types = ast.unparse(ast.List(elts=[*node.args, *(k.value for k in node.keywords)]))
            if "int" in types:
                return True
    return False


def _name(function: ast.expr) -> str:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


@check("pipeline-batches", public_side=public(before_run=named_in_code("(?:padded_)?batch", "batches")))
@never_against(nothing_seen)
@of_a_pipeline
def pipeline_batches(evidence: Evidence, fed: Fed) -> Verdict:
    """The pipeline gives minibatches.

    By what it really gave. Not met for single examples, or batches of one.
    """
    given, cell = given_by(fed.pipeline), cell_at(evidence, fed.pipeline.run)
    if given is None:
        return _not_seen("batches", cell)
    sizes = [node.arguments.get("batch_size") for _, node in operations_of(fed.pipeline, "batch")]
    size = batch_size(given)
    size = next((one for one in reversed(sizes) if isinstance(one, int)), None) if size is None else size
    if not is_batched(given) or size == 1:
        return not_met(seen("The pipeline that trains the model gives one image at a time.", cell, 1))
    if size is None or any(node.op == "from_tensors" for node in fed.pipeline.nodes):
        return _not_seen("batches", cell)
    return met(seen(f"The pipeline that trains the model gives batches of {size:,}.", cell, size))


@check("pipeline-shuffled", public_side=public("buffer", before_run=named_in_code("shuffle", "a shuffle")))
@never_against(nothing_seen)
@of_a_pipeline
def pipeline_shuffled(
    evidence: Evidence, fed: Fed, *, buffer: Annotated[int, Field(ge=2, le=60_000)] = 100
) -> Verdict:
    """The pipeline shuffles the examples, with a buffer of at least `buffer`.

    Partly met with a smaller buffer. Not met with a buffer of 1, where images and labels are shuffled apart,
    or where nothing shuffles. Where only whole batches are shuffled, a person decides.
    """
    cell = cell_at(evidence, fed.pipeline.run)
    if _is_shuffled_apart(fed):
        text = "Images and labels are shuffled apart from each other, so that they no longer belong together."
        return not_met(seen(text, cell))
    shuffles = list(operations_of(fed.pipeline, "shuffle"))
    if not shuffles:
        return _nothing_shuffled(evidence, fed, cell)
    of_examples = [node for place, node in shuffles if _is_of_examples(fed.pipeline, place)]
    if not of_examples:
        text = "Whole batches are shuffled, or what a generator gives: whether that is enough is open."
        return needs_review(seen(text, cell))
    sizes = [node.arguments.get("buffer_size") for node in of_examples]
    known = [size for size in sizes if isinstance(size, int)]
    largest = max(known, default=None)
    if largest is None or (largest < buffer and len(known) < len(sizes)):
        return needs_review(seen("How large the buffer of `shuffle` is was not seen.", cell))
    text = f"The examples are shuffled with a buffer of {largest:,}; asked for: at least {buffer}."
    found = seen(text, cell, largest, buffer)
    if largest >= buffer or largest < 0:  # negative: all of the data
        return met(found)
    if largest <= 1:
        return not_met(found, seen("A buffer of 1 leaves the order as it is.", cell, 1))
    return partly_met(_HALF, found)


def _is_of_examples(pipeline: ObservedPipeline, place: int) -> bool:
    """Whether what arrives at a place are single examples; what a generator gives may be batches already."""
    leading = before(pipeline, place)
    is_generated = any(node.op == "from_generator" for node in leading)
    return not puts_into_batches(leading) and (puts_into_batches(pipeline.nodes) or not is_generated)


def _nothing_shuffled(evidence: Evidence, fed: Fed, cell: int | None) -> Verdict:
    """The verdict on a pipeline without `shuffle`: its code may shuffle in another way."""
    sources = {node.op for node in fed.pipeline.nodes if not node.inputs}
    found = seen("The pipeline that trains the model shuffles nothing.", cell)
    is_known = bool(sources) and sources <= _IN_ORDER
    if not is_known or any(operations_of(fed.pipeline, "interleave")) or _shuffles_by_hand(evidence):
        return needs_review(found, seen("Something in the code may draw or shuffle in another way."))
    return not_met(found)


def _shuffles_by_hand(evidence: Evidence) -> bool:
    """Whether the code shuffles or draws with something else than a data set's `shuffle`."""
    if any(evidence.code.uses(name) for name in _SHUFFLERS):
        return True
    for tree in evidence.code.trees.values():
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=function) if _name(function) in _DRAWS:
                    return True
                case ast.Expr(value=ast.Call(func=ast.Attribute(attr="shuffle"))):  # of a generator's own
                    return True
    return False


def _is_shuffled_apart(fed: Fed) -> bool:
    """Whether the branches of a `zip` that have images and labels apart are shuffled, and not alike."""
    for _, node in operations_of(fed.pipeline, "zip"):
        branches = [before(fed.pipeline, place) for place in node.inputs]
        if len(branches) == 2 and {_has_images(branch) for branch in branches} == {True, False}:
            orders = [_shuffles_of(branch) for branch in branches]
            if orders[0] != orders[1] or any(seed is None for order in orders for _, seed in order):
                return any(orders)
    return False


def _has_images(branch: Sequence[PipelineNode]) -> bool:
    """Whether a branch begins with tensors of more than labels."""
    return any(len(tensor.shape or ()) > 1 for node in branch for tensor in node.tensors)


def _shuffles_of(branch: Sequence[PipelineNode]) -> list[tuple[object, object]]:
    shuffles = (node.arguments for node in branch if node.op == "shuffle")
    return [(arguments.get("buffer_size"), arguments.get("seed")) for arguments in shuffles]


def in_words(component: Component) -> str:
    """The range of a component's values: `0 to 1`."""
    return f"from {component.least:g} to {component.largest:g}"


def _not_seen(what: str, cell: int | None) -> Verdict:
    text = f"What the pipeline gives as {what} could not be told from what was seen of its elements."
    return needs_review(seen(text, cell))
