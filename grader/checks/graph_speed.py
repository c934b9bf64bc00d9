"""Checks of what `tf.function` gains: what a notebook compares, held against steps that were timed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from grader.checks.graph_claims import Kind, PrintedTime, Trend, claimed_trends, printed_times, speaks_of_gain
from grader.checks.measurement import is_trusted
from grader.checks.networks import cell_of, code_of
from grader.checks.previews import Preview, later, preview_of, public
from grader.checks.read_before import named_in_code
from grader.checks.registry import check
from grader.checks.told import work_elsewhere
from grader.evidence.around import ObservedFunction
from grader.evidence.observed import Observed, ObservedTraining
from grader.evidence.record import Evidence
from grader.evidence.timings import Timing
from grader.model import Reason, RunStatus, Source, Verdict, met, needs_review, not_met, partly_met

CLEAR = 1.25  # how far apart intervals of gains have to be, as a factor, to speak against a sentence
_GAIN = 1.1  # the least gain, at the lower end of its interval, that a loop is worth a bonus for
_FAR = 3  # how many times what was timed a printed gain may be; ten steps on a busy machine vary a lot
_STEPS_PER_CALL = 10  # of a function that holds a loop
_FEWEST_TRACES = 3
_NAMED = re.compile(
    r"\btf\.function|\brun_eagerly|\brun_functions_eagerly|\bjit_compile|@function\b|\bAutoGraph", re.I
)
_MAY_BE_NAMED = re.compile(
    r"eager|\bgraph(?:en)?[ -]?(?:mode|modus|execution|ausführung)"
    r"|\b(?:in|as|im|als) (?:an? |ein )?graph|\bspeed",
    re.I,
)
_IN_GRAPHS = named_in_code("function|run_eagerly|run_functions_eagerly", "a tf.function")
_CLOCKS = ("time.", "tf.function", "tf.GradientTape")


_UNTIMED = Reason(text="How much faster the graphs are was not timed in this run.", source=Source.OBSERVED)


def _gain_before_grading(evidence: Evidence) -> Preview:
    """What is compared; that is timed, and what is said of it is read, when it is graded."""
    verdict = graph_gain(evidence)
    return later(*verdict.reasons) if _UNTIMED in verdict.reasons else preview_of(verdict)


@check("graph-gain", public_side=public(before_run=_IN_GRAPHS, preview=_gain_before_grading), times=True)
def graph_gain(evidence: Evidence) -> Verdict:
    """At least two sizes of models are compared with and without `tf.function`, and the gain is put in words.

    Met when at least two sizes were trained both ways in our run, which prints the times of both, and a
    sentence says how the gain goes with the size that what was timed does not clearly contradict. Half
    without such a sentence. Not met where nothing of it is there, or where times are given for graphs and
    none ever ran; all else is left to a person with what was found.
    """
    if evidence.observed is None or not is_trusted(evidence) or _patched(evidence):
        text = "What our recorder timed does not count in this run, so the comparison is open."
        return needs_review(Reason(text=text, source=Source.OBSERVED))
    printed = printed_times(evidence.rerun)
    faults = tuple(faults_of(evidence))
    if (absent := _absent(evidence, printed)) is not None:
        return not_met(absent, *faults)
    sizes = sizes_compared(evidence.observed)
    told = (*_told(evidence.observed, evidence), *_taken_once(printed, sizes))
    kinds = [[time for time in printed if time.kind is kind] for kind in Kind]
    if len(sizes) < 2 or min(map(len, kinds)) < 2 or not printed_times(evidence.saved):
        text = (
            f"Sizes of models seen to train both eagerly and as a graph: {len(sizes)}; times in our run's "
            f"outputs that say that they are of eager steps: {len(kinds[0])}, of graphs: {len(kinds[1])}."
        )
        return needs_review(Reason(text=text, source=Source.OBSERVED), *faults, *told)
    seen = Reason(
        text=f"Models of {' and '.join(f'{size:,}' for size in sizes[:4])} weights are compared both ways.",
        cell=printed[0].cell,
        numbers=tuple(sizes[:4]),
        source=Source.RERUN,
    )
    if not faults and not evidence.observed.timings:
        return needs_review(seen, _UNTIMED, *told)
    if faults or len([one for one in timed_sizes(evidence.observed) if one.gain is not None]) < 2:
        return needs_review(*faults, *(told or (seen,)))
    return _with_sentence(evidence, (seen, *told))


def _with_sentence(evidence: Evidence, reasons: tuple[Reason, ...]) -> Verdict:
    """The verdict on a sound comparison, by what is said about it."""
    claims = list(claimed_trends(evidence))
    measured = measured_trend(evidence.observed.timings if evidence.observed else ())
    if not claims:
        text = "No sentence was found on how the gain depends on the size of the model."
        if speaks_of_gain(evidence) or work_elsewhere(evidence) is not None or evidence.prose.pictures:
            return needs_review(Reason(text=text, source=Source.SOURCE), *reasons)
        return partly_met(Decimal("0.5"), Reason(text=text, source=Source.SOURCE), *reasons)
    said = {trend for _, trend in claims}
    cell = claims[0][0]
    if len(said) > 1 or Trend.OPEN in said:
        text = "What is said of the gain and the size of the model has to be read by a person."
        return needs_review(Reason(text=text, cell=cell, source=Source.SOURCE), *reasons)
    (trend,) = said
    text = f"The text says that the gain is {trend.value}."
    reason = Reason(text=text, cell=cell, source=Source.SOURCE)
    if measured is not None and measured is not trend:
        opposed = Reason(text=f"Timed by us it is clearly {measured.value}.", source=Source.OBSERVED)
        return partly_met(Decimal("0.5"), reason, opposed, *reasons)
    return met(reason, *reasons)


@check("graph-loop", public_side=public(before_run=_IN_GRAPHS), times=True)
def graph_loop(evidence: Evidence) -> Verdict:
    """A whole training loop is a `tf.function`, and its gain was timed.

    Met when a compiled function took many steps per call and its gain's interval lies above 1. Left to a
    person where it could not be timed or gains nothing for certain.
    """
    if evidence.observed is None or not is_trusted(evidence) or _patched(evidence):
        return needs_review(Reason(text="What our recorder saw does not count in this run."))
    loops = list(_loops(evidence.observed))
    if not loops:
        text = "No `tf.function` was seen to take many training steps in one call."
        reason = Reason(text=text, source=Source.OBSERVED)
        return not_met(reason) if _is_whole(evidence) else needs_review(reason)
    names = {function.name for function in loops}
    timed = [one for one in evidence.observed.timings if one.name in names and one.gain is not None]
    best = max(timed, key=lambda one: one.gain.low if one.gain else 0.0, default=None)
    cell = cell_of(evidence, loops[0].run)
    if best is None or best.gain is None or best.gain.low < _GAIN:
        text = f"`{loops[0].name}` holds a whole training loop; that it gains by it could not be shown."
        return needs_review(Reason(text=text, cell=cell, source=Source.OBSERVED))
    text = f"`{best.name}` holds a whole training loop. {in_words(best)}"
    return met(Reason(text=text, cell=cell, source=Source.OBSERVED))


def sizes_compared(observed: Observed) -> list[int]:
    """The numbers of weights of the models that were trained both eagerly and as graphs, ascending."""
    functions = {function.id: function for function in observed.functions}
    graph, eager = set(), set()
    for training in observed.trainings:
        function = functions.get(training.function) if training.function is not None else None
        if function is None or function.eager_calls:
            eager.add(training.parameters)
        if function is not None and function.calls > function.eager_calls:
            graph.add(training.parameters)
    return sorted(graph & eager)


def timed_sizes(observed: Observed) -> tuple[Timing, ...]:
    """What of the notebook's was timed, each size once, the smallest first."""
    own = sorted((one for one in observed.timings if not one.is_reference), key=lambda one: len(one.eager))
    return tuple(sorted({one.parameters: one for one in own}.values(), key=lambda one: one.parameters))


def measured_trend(timings: tuple[Timing, ...]) -> Trend | None:
    """How the gain goes from the notebook's smallest to its largest model; None where it is not clear."""
    known = sorted(
        (one for one in timings if one.gain and not one.is_reference), key=lambda one: one.parameters
    )
    if len(known) < 2 or known[0].parameters == known[-1].parameters:
        return None
    small, large = known[0].gain, known[-1].gain
    if small is None or large is None:
        return None
    if small.low > CLEAR * large.high:
        return Trend.FALLS
    return Trend.GROWS if large.low > CLEAR * small.high else None


def faults_of(evidence: Evidence) -> Iterator[Reason]:
    """What is wrong with a comparison, each with its evidence; all of it is for a person to weigh."""
    observed = evidence.observed
    if observed is None:
        return
    own = [function for function in observed.functions if function.is_own]
    for text, cell in (*_tracing(evidence, own), *_unequal(evidence, observed)):
        yield Reason(text=text, cell=cell, source=Source.OBSERVED)
    if own and all(function.eager_calls == function.calls for function in own):
        text = "All calls of `tf.function`s ran eagerly: `run_functions_eagerly` was never switched off."
        yield Reason(text=text, source=Source.OBSERVED)
    elif own and not any(function.has_gradients for function in own):
        text = f"`{own[0].name}` is a `tf.function`, but no gradients are computed in it or by it."
        yield Reason(text=text, cell=cell_of(evidence, own[0].run), source=Source.OBSERVED)
    yield from _misprinted(evidence, observed)


def _tracing(evidence: Evidence, own: list[ObservedFunction]) -> Iterator[tuple[str, int | None]]:
    """Graphs that are traced again and again, or whose only call is the one that traces."""
    once = [one for one in own if one.has_gradients and one.calls - one.eager_calls == 1 and one.traces]
    loops = {function.id for function in _loops(evidence.observed)} if evidence.observed else set()
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


def _unequal(evidence: Evidence, observed: Observed) -> Iterator[tuple[str, int | None]]:
    """Models trained for another number of steps eagerly than as graphs, where times are not per step."""
    printed = printed_times(evidence.rerun)
    if not printed or all(time.is_per_step for time in printed):
        return
    for size in sizes_compared(observed):
        alike = [training for training in observed.trainings if training.parameters == size]
        by_kind = {is_graph: _steps(alike, is_graph=is_graph) for is_graph in (False, True)}
        if by_kind[False] and by_kind[True] and max(by_kind.values()) > 1.5 * min(by_kind.values()):
            text = (
                f"Steps taken by the model of {size:,} weights: {by_kind[False]} eagerly, {by_kind[True]} as "
                "a graph; the times are not said to be per step or epoch."
            )
            yield text, printed[0].cell


def _steps(trainings: list[ObservedTraining], *, is_graph: bool) -> int:
    return max((one.gradients for one in trainings if (one.function is not None) is is_graph), default=0)


def _misprinted(evidence: Evidence, observed: Observed) -> Iterator[Reason]:
    """Gains in the outputs that are far from all that was timed, or less than 1 where none of those is."""
    printed = printed_times(evidence.rerun)
    eager = [time.seconds for time in printed if time.kind is Kind.EAGER]
    graph = [time.seconds for time in printed if time.kind is Kind.GRAPH]
    gains = [one.gain for one in timed_sizes(observed) if one.gain is not None]
    if len(eager) != len(graph) or not gains:
        return
    ratios = [a / b for a, b in zip(eager, graph, strict=True) if b > 0]
    least, most = min(gain.low for gain in gains), max(gain.high for gain in gains)
    if any(ratio < 1 / CLEAR for ratio in ratios) and least > CLEAR:
        text = "The outputs show a graph slower than eager steps; timed without tracing it is faster."
    elif far := next((r for r in ratios if r < least / _FAR or r > _FAR * most), None):
        text = (
            f"The outputs show a gain of {far:.2g}; timed without tracing and sleep it lies between "
            f"{least:.2g} and {most:.2g}."
        )
    else:
        return
    yield Reason(text=text, cell=printed[0].cell, source=Source.RERUN)


def _told(observed: Observed, evidence: Evidence) -> Iterator[Reason]:
    """What was timed, in words: the notebook's functions, then ours."""
    for one in (*timed_sizes(observed), *(one for one in observed.timings if one.is_reference)):
        text = in_words(one)
        yield Reason(text=text, cell=cell_of(evidence, one.at_run or None), source=Source.OBSERVED)


def _taken_once(printed: tuple[PrintedTime, ...], sizes: list[int]) -> Iterator[Reason]:
    """What is said, for or against nothing, where the outputs show no more times than models and ways."""
    counts = [sum(time.kind is kind for time in printed) for kind in Kind]
    if all(0 < count <= len(sizes) for count in counts):
        text = "The outputs show one time for each model and way of running it, not how far times vary."
        yield Reason(text=text, cell=printed[0].cell, source=Source.RERUN)


def in_words(one: Timing) -> str:
    """One timing as a sentence."""
    whose = "A net of ours" if one.is_reference else f"`{one.name}`"
    gain = one.gain
    if gain is None:
        why = one.why_not or "too few calls"
        return f"{whose} ({one.parameters:,} weights) could not be timed: {why}."
    slept = f" Left out: {one.slept:.2g} s of sleep per call." if one.slept else ""
    return (
        f"{whose} ({one.parameters:,} weights): as a graph {gain.middle:.2f} times as fast as eagerly "
        f"(between {gain.low:.2f} and {gain.high:.2f}).{slept}"
    )


def _loops(observed: Observed) -> Iterator[ObservedFunction]:
    for function in observed.functions:
        taken = sum(one.gradients for one in observed.trainings if one.function == function.id)
        calls = function.calls - function.eager_calls
        if function.is_own and calls and taken >= _STEPS_PER_CALL * calls:
            yield function


def _absent(evidence: Evidence, printed: tuple[PrintedTime, ...]) -> Reason | None:
    """What shows that nothing was compared: it is not there at all, or all "graphs" ran eagerly."""
    observed = evidence.observed
    if observed is None or not _is_whole(evidence) or work_elsewhere(evidence) is not None:
        return None
    live = "\n".join(re.sub(r"#.*", "", line) for line in code_of(evidence).split("\n"))
    if any(one.is_own for one in observed.functions) or _NAMED.search(live):
        return None
    said = "\n".join((*(passage.text for passage in evidence.prose.passages), code_of(evidence)))
    if (
        not _NAMED.search(said)
        and not _MAY_BE_NAMED.search(said)
        and not printed
        and not evidence.prose.pictures
    ):
        return Reason(text="Nothing in the notebook speaks of `tf.function`.", source=Source.SOURCE)
    graphs = [time for time in printed if time.kind is Kind.GRAPH]
    is_eager_throughout = not observed.functions  # `fit` trains in a graph of Keras's own
    if is_eager_throughout and graphs and any(time.kind is Kind.EAGER for time in printed):
        text = "Times are given for graphs, but nothing ran as a `tf.function`: eager against eager."
        return Reason(text=text, cell=graphs[0].cell, source=Source.RERUN)
    return None


def _is_whole(evidence: Evidence) -> bool:
    run = evidence.run
    return run is not None and run.status is RunStatus.COMPLETED and not run.mends


def _patched(evidence: Evidence) -> bool:
    """Whether clocks, `time.sleep` or `tf.function` were replaced by the notebook."""
    return evidence.observed is not None and any(
        name.startswith(_CLOCKS) for name in evidence.observed.replaced
    )
