"""What may be wrong with a comparison of graphs and eager steps, each fault with its evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from grader.checks.graph_times import CLEAR, not_borne_out, sizes_compared, timed
from grader.checks.networks import cell_of
from grader.evidence.around import ObservedFunction
from grader.evidence.observed import Observed
from grader.evidence.record import Evidence
from grader.evidence.timings import Timing
from grader.model import Reason, Source
from grader.notebook.modes import Mode
from grader.notebook.records import ModeTime

_STEPS_PER_CALL = 10  # of a function that holds a loop
_FEWEST_TRACES = 3
_ALIKE = 1.5  # times as many steps: those before the clock starts are among them
_CALLS_PER_TRACE = 20  # with fewer, tracing may make up much of the time of all calls
MUCH_OUTSIDE = 1 / 3  # of an eager call
_MORE_OPERATIONS = 2  # times as many as in the graph, which holds more than run eagerly
_LARGE_CONSTANTS = 10_000_000  # bytes
_SHORT_CALL = 0.001  # seconds, of a graph: to start it takes a good part of that


def faults_of(evidence: Evidence, times: Sequence[ModeTime]) -> Iterator[Reason]:
    """What is wrong with a comparison that gives these times; all of it is for a person to weigh."""
    observed = evidence.observed
    if observed is None:
        return
    own = [function for function in observed.functions if function.is_own]
    for text, cell in (*_tracing(evidence, own), *_unequal(evidence, times)):
        yield Reason(text=text, cell=cell, source=Source.OBSERVED)
    if own and all(function.eager_calls == function.calls for function in own):
        text = "All calls of `tf.function`s ran eagerly: `run_functions_eagerly` was never switched off."
        yield Reason(text=text, source=Source.OBSERVED)
    elif own and not any(function.has_gradients for function in own):
        text = f"`{own[0].name}` is a `tf.function`, but no gradients are computed in it or by it."
        yield Reason(text=text, cell=cell_of(evidence, own[0].run), source=Source.OBSERVED)
    yield from _other_work(evidence)
    yield from _told_otherwise(observed, times)


def loops_in(observed: Observed) -> Iterator[ObservedFunction]:
    """The notebook's `tf.function`s that take many steps per call."""
    for function in observed.functions:
        calls = function.calls - function.eager_calls
        if function.is_own and calls and function.steps >= _STEPS_PER_CALL * calls:
            yield function


def why_slow(timing: Timing) -> str:
    """The likely cause of a graph that is no faster than eager steps, as far as it was seen; else ""."""
    if timing.python_operations:
        return "it goes back to Python at each step (`tf.py_function` or the like)"
    if timing.constant_bytes > _LARGE_CONSTANTS:
        return f"arrays of {timing.constant_bytes / 1e6:.0f} MB stand in it as constants"
    if timing.graph and sorted(timing.graph)[len(timing.graph) // 2] < _SHORT_CALL:
        return "its calls are so short that starting them takes most of the time"
    return ""


def _tracing(evidence: Evidence, own: list[ObservedFunction]) -> Iterator[tuple[str, int | None]]:
    """Graphs that are traced again and again, or whose only call is the one that traces."""
    once = [one for one in own if one.has_gradients and one.calls - one.eager_calls == 1 and one.traces]
    loops = {function.id for function in loops_in(evidence.observed)} if evidence.observed else set()
    once = [one for one in once if one.id not in loops]
    for name in dict.fromkeys(one.name for one in once):
        same = [one for one in once if one.name == name]
        cell = cell_of(evidence, same[0].run)
        if len(same) >= _FEWEST_TRACES:
            yield f"`{name}` is made a new `tf.function` {len(same)} times and traced for each call.", cell
        else:
            yield f"`{name}` runs once as a graph, while it is traced: its time is that of tracing.", cell
    for one in own:
        calls = one.calls - one.eager_calls
        if one.traces >= _FEWEST_TRACES and 2 * one.traces > calls > 1:
            is_number = any(re.search(r"\b(?:int|float): ", signature) for signature in one.signatures)
            cause = "Python numbers among its arguments" if is_number else "arguments of other shapes"
            text = f"`{one.name}` was traced {one.traces} times in {calls} calls, for {cause}."
            yield text, cell_of(evidence, one.run)


def _unequal(evidence: Evidence, times: Sequence[ModeTime]) -> Iterator[tuple[str, int | None]]:
    """Sizes that were never trained for as many steps eagerly as by a graph, where times are not per step.

    Cells that print the times are looked at where they train, else all cells.
    """
    observed = evidence.observed
    if observed is None or not times or all(time.is_per_step for time in times):
        return
    cells = {time.cell for time in times}
    for size in sizes_compared(observed):
        work = [
            one for training in observed.trainings if training.parameters == size for one in training.work
        ]
        here = [one for one in work if cell_of(evidence, one.run) in cells]
        eager = sorted({one.eager for one in here or work if one.eager})
        graph = sorted({one.graph for one in here or work if one.graph})
        if eager and graph and not _are_alike(eager, graph):
            text = (
                f"Steps taken by the model of {size:,} weights: {eager[-1]} eagerly, {graph[-1]} as a graph; "
                "the times are not said to be per step or epoch."
            )
            yield text, times[0].cell


def _are_alike(eager: Iterable[int], graph: Iterable[int]) -> bool:
    """Whether there are about as many steps of both kinds: then some stand next to each other in order."""
    steps = sorted([*((count, Mode.EAGER) for count in eager), *((count, Mode.GRAPH) for count in graph)])
    return any(
        mode is not other and more <= _ALIKE * fewer for (fewer, mode), (more, other) in pairwise(steps)
    )


def _other_work(evidence: Evidence) -> Iterator[Reason]:
    """Time among the steps that is not TensorFlow's, or operations that run eagerly only."""
    for use in evidence.code.uses("time.sleep")[:1]:
        yield Reason(text="The code sleeps (`time.sleep`).", cell=use.cell, source=Source.SOURCE)
    for one in timed(evidence.observed) if evidence.observed else ():
        if one.outside > MUCH_OUTSIDE:
            text = (
                f"Of an eager call of `{one.name}` {100 * one.outside:.0f} % of the time passes in Python "
                "outside TensorFlow."
            )
            yield Reason(text=text, cell=cell_of(evidence, one.at_run or None), source=Source.OBSERVED)
        if one.graph_operations and one.eager_operations > _MORE_OPERATIONS * one.graph_operations:
            text = (
                f"An eager call of `{one.name}` runs {one.eager_operations:,} operations, its graph has "
                f"{one.graph_operations:,}: that is not the same work."
            )
            yield Reason(text=text, cell=cell_of(evidence, one.at_run or None), source=Source.OBSERVED)


def _told_otherwise(observed: Observed, times: Sequence[ModeTime]) -> Iterator[Reason]:
    """A gain that is far from what was timed; of a graph that is slower than it was timed, why."""
    found = not_borne_out(times, observed)
    if found is None:
        return
    gain, timed = found
    if gain < 1 / CLEAR < timed.low:
        text = "The graph is told to be slower than eager steps; timed without tracing it is faster."
        text += _tracing_among(observed, times)
    else:
        text = (
            f"A gain of {gain:.2g} is told; timed without tracing and sleep it lies between {timed.low:.2g} "
            f"and {timed.high:.2g}."
        )
    yield Reason(text=text, cell=times[0].cell, source=Source.OBSERVED)


def _tracing_among(observed: Observed, times: Sequence[ModeTime]) -> str:
    """What is to be said of tracing where it explains half of what the told times of graphs are more."""
    few = [
        one
        for one in observed.functions
        if one.has_gradients
        and one.traces > 0
        and one.calls - one.eager_calls < _CALLS_PER_TRACE * one.traces
    ]
    seconds = max((one.tracing_seconds / one.traces for one in few), default=0.0)
    eager, graph = ([one.seconds for one in times if one.mode is mode] for mode in (Mode.EAGER, Mode.GRAPH))
    excess = min((b - a for a, b in zip(eager, graph, strict=False) if b > a), default=0.0)
    if not few or seconds < excess / 2:
        return ""
    traced, calls = sum(one.traces for one in few), sum(one.calls - one.eager_calls for one in few)
    return f" Tracing is the likely cause: {traced} times in {calls} calls, for {seconds:.2g} s at most."
