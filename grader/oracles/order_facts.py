"""The facts that are sought about an order of shuffle, batch and repeat: how each shows in a pass.

An epoch is what `repeat` repeats. The epoch that an example is of is told by how often it came before: its
first coming is of epoch 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from enum import Enum, auto
from itertools import pairwise
from typing import NamedTuple

from grader.oracles.traces import Batch, Batches, Trace

Shows = Callable[[Batches, Trace], int | None]


class Where(Enum):
    """In which settings a fact is sought."""

    USUAL = auto()  # the data makes several batches
    UNEVEN = auto()  # and the last one is not full
    ALSO_ONE_BATCH = auto()  # also where a batch could hold more than all the data


class Definition(NamedTuple):
    """How a fact is derived: `shows` gives the batch in which a pass shows it, None when it does not.

    When it `can_be`, one pass is enough for *yes*. Otherwise `shows` tells of a breach: without any the
    fact is *yes*, with one in every setting *no*. `yes` and `no` are sentences for a student.
    """

    shows: Shows
    can_be: bool
    yes: str
    no: str
    where: Where = Where.USUAL


def _is_in_order(batch: Batch, examples: int) -> bool:
    return all(after == (before + 1) % examples for before, after in pairwise(batch))


def epochs_of(batches: Batches) -> Iterator[tuple[int, ...]]:
    """For each batch the epochs that its examples are of."""
    seen: Counter[int] = Counter()
    for batch in batches:
        epochs = []
        for example in batch:
            seen[example] += 1
            epochs.append(seen[example])
        yield tuple(epochs)


def _examples_shuffled(batches: Batches, trace: Trace) -> int | None:
    return next((i for i, batch in enumerate(batches) if not _is_in_order(batch, trace.examples)), None)


def _batches_shuffled(batches: Batches, trace: Trace) -> int | None:
    if _examples_shuffled(batches, trace) is not None:
        return None
    moved = (i for i, (a, b) in enumerate(pairwise(batches), 1) if b[0] != (a[-1] + 1) % trace.examples)
    return next(moved, None)


def _batch_mixes_epochs(batches: Batches, trace: Trace) -> int | None:
    return next((i for i, epochs in enumerate(epochs_of(batches)) if len(set(epochs)) > 1), None)


def _epoch_is_torn(batches: Batches, trace: Trace) -> int | None:
    """The batch in which an example comes again though its epoch is not over, None when that never is."""
    position = 0
    for index, epochs in enumerate(epochs_of(batches)):
        for epoch in epochs:
            if epoch != position // trace.examples + 1:
                return index
            position += 1
    return None


def _twice_before_once(batches: Batches, trace: Trace) -> int | None:
    seen: Counter[int] = Counter()
    for index, batch in enumerate(batches):
        for example in batch:
            seen[example] += 1
            if seen[example] == 2 and len(seen) < trace.examples:
                return index
    return None


def _twice_in_a_batch(batches: Batches, trace: Trace) -> int | None:
    return next((i for i, batch in enumerate(batches) if len(set(batch)) < len(batch)), None)


def _batch_twice_before_once(batches: Batches, trace: Trace) -> int | None:
    if _examples_shuffled(batches, trace) is not None:
        return None
    seen: Counter[Batch] = Counter()
    for index, batch in enumerate(batches):
        seen[batch] += 1
        if seen[batch] == 2 and len(seen) < len(set(batches)):
            return index
    return None


def _short(batches: Batches, trace: Trace) -> list[int]:
    return [index for index, batch in enumerate(batches) if len(batch) < trace.batch_size]


def _not_short_at_epoch_ends(batches: Batches, trace: Trace) -> int | None:
    """The last batch of an epoch that is not short, or a short one elsewhere."""
    ends, position = [], 0
    for index, batch in enumerate(batches):
        before, position = position, position + len(batch)
        if position // trace.examples > before // trace.examples:
            ends.append(index)
    wrong = set(ends) ^ set(_short(batches, trace))
    return min(wrong, default=None)


def _not_short_only_at_end(batches: Batches, trace: Trace) -> int | None:
    return next((index for index in _short(batches, trace) if index < len(batches) - 1), None)


def _short_within_epoch(batches: Batches, trace: Trace) -> int | None:
    position, short = 0, set(_short(batches, trace))
    for index, batch in enumerate(batches):
        position += len(batch)
        if index in short and position % trace.examples:
            return index
    return None


def _not_one_short_per_epoch(batches: Batches, trace: Trace) -> int | None:
    return len(batches) - 1 if len(_short(batches, trace)) != trace.epochs else None


def _order_changes(batches: Batches, trace: Trace) -> int | None:
    flat = [example for batch in batches for example in batch]
    count = trace.examples
    changed = (i for i in range(count, len(flat)) if flat[i] != flat[i - count])
    first = next(changed, None)
    return None if first is None else _batch_of(first, batches)


def _batch_of(position: int, batches: Batches) -> int:
    for index, batch in enumerate(batches):
        position -= len(batch)
        if position < 0:
            return index
    return len(batches) - 1


def _batches_differ(batches: Batches, trace: Trace) -> int | None:
    counts = Counter(tuple(sorted(batch)) for batch in batches)
    differ = (i for i, batch in enumerate(batches) if counts[tuple(sorted(batch))] != trace.epochs)
    return next(differ, None)


FACTS: Mapping[str, Definition] = {
    "examples-shuffled": Definition(
        _examples_shuffled,
        True,
        "Single examples are shuffled: a batch holds examples that did not stand side by side.",
        "Single examples are not shuffled: within a batch they stay side by side, as in the data.",
    ),
    "batches-shuffled": Definition(
        _batches_shuffled,
        True,
        "Whole batches are shuffled: what is in a batch stays together, the batches change places.",
        "It is not whole batches that are shuffled.",
    ),
    "batches-mix-epochs": Definition(
        _batch_mixes_epochs,
        True,
        "A batch can hold examples of two epochs.",
        "No batch holds examples of two epochs.",
    ),
    "epochs-separate": Definition(
        _epoch_is_torn,
        False,
        "Each epoch gives every example once before the next epoch begins.",
        "Epochs are mixed: an example can come again before the epoch is over.",
    ),
    "twice-before-once": Definition(
        _twice_before_once,
        True,
        "An example can come twice before another one has come once.",
        "No example comes twice before all have come once.",
    ),
    "twice-in-a-batch": Definition(
        _twice_in_a_batch,
        True,
        "An example can come twice in one batch.",
        "No example comes twice in one batch.",
        Where.ALSO_ONE_BATCH,
    ),
    "batch-twice-before-once": Definition(
        _batch_twice_before_once,
        True,
        "A whole batch can come twice before another one has come once.",
        "No whole batch comes twice before all have come once.",
    ),
    "short-at-epoch-ends": Definition(
        _not_short_at_epoch_ends,
        False,
        "Where the batch size does not divide, the last batch of every epoch is smaller.",
        "It is not so that the last batch of every epoch is smaller.",
        Where.UNEVEN,
    ),
    "short-only-at-end": Definition(
        _not_short_only_at_end,
        False,
        "All batches are full; only the very last one of all epochs can be smaller.",
        "Smaller batches come before the very end, too.",
        Where.UNEVEN,
    ),
    "short-within-epoch": Definition(
        _short_within_epoch,
        True,
        "A smaller batch can come in the middle of an epoch.",
        "No smaller batch comes in the middle of an epoch.",
        Where.UNEVEN,
    ),
    "one-short-per-epoch": Definition(
        _not_one_short_per_epoch,
        False,
        "Where the batch size does not divide, each epoch has one smaller batch.",
        "There are not as many smaller batches as epochs.",
        Where.UNEVEN,
    ),
    "new-order-each-epoch": Definition(
        _order_changes,
        True,
        "The order changes from epoch to epoch.",
        "Every epoch has the same order.",
    ),
    "same-batches-each-epoch": Definition(
        _batches_differ,
        False,
        "Every epoch has the same batches.",
        "The batches differ from epoch to epoch.",
    ),
}
"""Every fact there is, by the name that rubrics use."""
