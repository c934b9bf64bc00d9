"""Checks of what `tf.function` gains: what a notebook compares, held against steps that were timed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from grader.checks.graph_claims import Trend, claimed_trends, speaks_of_gain
from grader.checks.graph_faults import MUCH_OUTSIDE, faults_of, loops_in, why_slow
from grader.checks.graph_times import (
    CLEAR,
    STEPS_TIMED,
    are_enough,
    sizes_compared,
    timed,
    timed_sizes,
    told_times,
)
from grader.checks.measurement import is_trusted
from grader.checks.networks import cell_of, code_of
from grader.checks.previews import Preview, later, preview_of, public
from grader.checks.read_before import named_in_code
from grader.checks.registry import check
from grader.checks.told import work_elsewhere
from grader.evidence.observed import Observed
from grader.evidence.record import Evidence
from grader.evidence.timings import Timing
from grader.model import Reason, RunStatus, Source, Verdict, met, needs_review, not_met, partly_met
from grader.notebook.mode_times import takes_times, typed_times
from grader.notebook.modes import Mode
from grader.notebook.records import ModeTime

_GAIN = 1.1  # the least gain, at the lower end of its interval, that a loop is worth a bonus for
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


class _Told(NamedTuple):
    """The times that a comparison rests on: those that our run printed, or those that the text gives."""

    times: tuple[ModeTime, ...]
    source: Source
    are_enough: bool = True


_UNTIMED = Reason(text="How much faster the graphs are was not timed in this run.", source=Source.OBSERVED)


def _gain_before_grading(evidence: Evidence) -> Preview:
    """What is compared; that is timed, and what is said of it is read, when it is graded."""
    verdict = graph_gain(evidence)
    return later(*verdict.reasons) if _UNTIMED in verdict.reasons else preview_of(verdict)


@check("graph-gain", public_side=public(before_run=_IN_GRAPHS, preview=_gain_before_grading), times=True)
def graph_gain(evidence: Evidence) -> Verdict:
    """At least two sizes of models are compared with and without `tf.function`, and the gain is put in words.

    Met when at least two sizes were trained both ways in our run, which prints the times of both or bears
    out those in the text, and a sentence says how the gain goes with the size that what was timed does not
    contradict. Half without such a sentence, and where it is clearly contradicted. Not met where nothing of
    it is there, or where times are printed for graphs and none ever ran; all else is left to a person with
    what was found.
    """
    observed = evidence.observed
    if observed is None or not is_trusted(evidence) or _patched(evidence):
        text = "What our recorder timed does not count in this run, so the comparison is open."
        return needs_review(Reason(text=text, source=Source.OBSERVED))
    told = _told_by(evidence)
    faults = tuple(faults_of(evidence, told.times))
    if (absent := _absent(evidence, told.times)) is not None:
        return not_met(absent, *faults)
    sizes = sizes_compared(observed)
    reasons = (*_timed(observed, evidence), *_taken_once(told, sizes))
    if len(sizes) < 2 or not told.are_enough:
        return needs_review(_too_few(sizes, told), *faults, *reasons)
    where = "Models" if told.source is Source.RERUN else "The text gives times that ours bear out: models"
    seen = Reason(
        text=f"{where} of {' and '.join(f'{size:,}' for size in sizes[:4])} weights are compared both ways.",
        cell=told.times[0].cell,
        numbers=tuple(sizes[:4]),
        source=told.source,
    )
    if not faults and not observed.timings:
        return needs_review(seen, _UNTIMED, *reasons)
    if faults or len(timed_sizes(observed)) < 2:
        return needs_review(*faults, *(reasons or (seen,)))
    return _with_sentence(evidence, (seen, *reasons))


def _told_by(evidence: Evidence) -> _Told:
    """What was printed in the hand-in and in our run; where that is not enough, what stands in the text.

    Typed times count only where the code takes times: nobody could have seen others.
    """
    printed = told_times(evidence.rerun)
    if are_enough(printed) and told_times(evidence.saved):
        return _Told(printed, Source.RERUN)
    typed = tuple(typed_times(evidence.prose))
    has_clock = bool(evidence.rerun and evidence.rerun.times) or takes_times(
        [cell.source for cell in evidence.notebook.code_cells]
    )
    if are_enough(typed) and has_clock:
        return _Told(typed, Source.SOURCE)
    return _Told(printed, Source.RERUN, are_enough=False)


def _too_few(sizes: Sequence[int], told: _Told) -> Reason:
    """What is missing of sizes and times."""
    counts = [sum(time.mode is mode for time in told.times) for mode in Mode]
    text = (
        f"Sizes of models seen to train both eagerly and as a graph: {len(sizes)}; times in our run's "
        f"outputs that say that they are of eager steps: {counts[0]}, of graphs: {counts[1]}."
    )
    return Reason(text=text, source=Source.OBSERVED)


def _with_sentence(evidence: Evidence, reasons: tuple[Reason, ...]) -> Verdict:
    """The verdict on a sound comparison, by what is said about it."""
    claims = list(claimed_trends(evidence))
    measured = measured_trend(evidence.observed) if evidence.observed else None
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
    leaning = measured_trend(evidence.observed, surely=False) if evidence.observed else None
    if leaning is not None and leaning is not trend:
        opposed = Reason(text=f"Timed by us it is {leaning.value}, if not clearly.", source=Source.OBSERVED)
        return needs_review(reason, opposed, *reasons)
    return met(reason, *reasons)


@check("graph-loop", public_side=public(before_run=_IN_GRAPHS), times=True)
def graph_loop(evidence: Evidence) -> Verdict:
    """A whole training loop is a `tf.function`, and its gain was timed.

    Met when a compiled function took many steps per call and its gain's interval lies above 1. Left to a
    person where it could not be timed or gains nothing for certain.
    """
    if evidence.observed is None or not is_trusted(evidence) or _patched(evidence):
        return needs_review(Reason(text="What our recorder saw does not count in this run."))
    loops = list(loops_in(evidence.observed))
    if not loops:
        text = "No `tf.function` was seen to take many training steps in one call."
        reason = Reason(text=text, source=Source.OBSERVED)
        return not_met(reason) if _is_whole(evidence) else needs_review(reason)
    names = {function.name for function in loops}
    of_loops = [
        one
        for one in timed(evidence.observed)
        if one.name in names and one.steps >= STEPS_TIMED and one.outside <= MUCH_OUTSIDE
    ]
    best = max(of_loops, key=lambda one: one.gain.low if one.gain else 0.0, default=None)
    cell = cell_of(evidence, loops[0].run)
    if best is None or best.gain is None or best.gain.low < _GAIN:
        text = f"`{loops[0].name}` holds a whole training loop; that it gains by it could not be shown."
        return needs_review(Reason(text=text, cell=cell, source=Source.OBSERVED))
    text = f"`{best.name}` holds a whole training loop. {in_words(best)}"
    return met(Reason(text=text, cell=cell, source=Source.OBSERVED))


def measured_trend(observed: Observed, *, surely: bool = True) -> Trend | None:
    """How the gain goes from the smallest to the largest model compared; None where it is not clear.

    Not `surely`, medians that are far enough apart make it clear, else their intervals have to be.
    """
    gains = [one.gain for one in timed_sizes(observed)]
    small, large = (gains[0], gains[-1]) if len(gains) > 1 else (None, None)
    if small is None or large is None:
        return None
    if not surely:
        small, large = (one._replace(low=one.middle, high=one.middle) for one in (small, large))
    if small.low > CLEAR * large.high:
        return Trend.FALLS
    return Trend.GROWS if large.low > CLEAR * small.high else None


def _timed(observed: Observed, evidence: Evidence) -> Iterator[Reason]:
    """What was timed, in words: the notebook's functions, then ours."""
    for one in (*timed(observed), *(one for one in observed.timings if one.is_reference)):
        text = in_words(one)
        yield Reason(text=text, cell=cell_of(evidence, one.at_run or None), source=Source.OBSERVED)


def _taken_once(told: _Told, sizes: Sequence[int]) -> Iterator[Reason]:
    """What is said, for or against nothing, where there are no more times than models and ways."""
    counts = [sum(time.mode is mode for time in told.times) for mode in Mode]
    if all(0 < count <= len(sizes) for count in counts):
        text = "There is one time for each model and way of running it, not how far times vary."
        yield Reason(text=text, cell=told.times[0].cell, source=told.source)


def in_words(one: Timing) -> str:
    """One timing as a sentence."""
    whose = "A net of ours" if one.is_reference else f"`{one.name}`"
    gain = one.gain
    if gain is None:
        why = one.why_not or "too few calls"
        return f"{whose} ({one.parameters:,} weights) could not be timed: {why}."
    slept = f" Left out: {one.slept:.2g} s of sleep per call." if one.slept else ""
    cause = why_slow(one) if gain.low < 1 else ""
    slow = f" That it is not faster may be because {cause}." if cause else ""
    return (
        f"{whose} ({one.parameters:,} weights): as a graph {gain.middle:.2f} times as fast as eagerly "
        f"(between {gain.low:.2f} and {gain.high:.2f}).{slow}{slept}"
    )


def _absent(evidence: Evidence, told: Sequence[ModeTime]) -> Reason | None:
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
        and not told
        and not evidence.prose.pictures
    ):
        return Reason(text="Nothing in the notebook speaks of `tf.function`.", source=Source.SOURCE)
    printed = told_times(evidence.rerun)
    graphs = [time for time in printed if time.mode is Mode.GRAPH]
    is_eager_throughout = not observed.functions  # `fit` trains in a graph of Keras's own
    if is_eager_throughout and graphs and any(time.mode is Mode.EAGER for time in printed):
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
