"""The times that a notebook tells of eager steps and of graphs, printed or typed, held against our own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.evidence.observed import Observed
from grader.evidence.timings import Interval, Timing
from grader.notebook.modes import Mode
from grader.notebook.records import ModeTime, Readings

CLEAR = 1.25  # how far apart intervals of gains have to be, as a factor, to speak against a sentence
STEPS_TIMED = 4  # of a loop in a graph: so few elements of a data set may be timed
FAR = 3  # how many times what was timed a told gain may be; ten steps on a busy machine vary a lot
_SIZES = (
    (0, r"tin(?:y|iest)|winzig\w*"),
    (1, r"small(?:er|est)?|kleine?\w*|shallow"),
    (2, r"medium|middle|mittel\w*"),
    (3, r"large[rst]*|big(?:ger|gest)?|gro(?:ß|ss)\w*|größ\w*|deep(?:er)?|wider?"),
    (4, r"huge|riesig\w*"),
)


def told_times(readings: Readings | None) -> tuple[ModeTime, ...]:
    """The printed times that say which of the two they are of."""
    return () if readings is None else tuple(time for time in readings.times if time.mode is not None)


def are_enough(times: Sequence[ModeTime]) -> bool:
    """Whether there are two times of eager steps and two of graphs."""
    return all(sum(time.mode is mode for time in times) > 1 for mode in Mode)


def told_gains(times: Sequence[ModeTime]) -> list[tuple[str, float]]:
    """The gains that times tell, each with the label of its model: eager time by that of the graph.

    Those of one label belong together, else those in the same order, then without labels; none where there
    are more of one mode.
    """
    by_mode = {mode: [time for time in times if time.mode is mode and time.seconds > 0] for mode in Mode}
    eager, graph = by_mode[Mode.EAGER], by_mode[Mode.GRAPH]
    if len(eager) != len(graph):
        return []
    by_label = {time.label: time for time in graph}
    if len(by_label) == len(graph) and {time.label for time in eager} == set(by_label):
        return [(one.label, one.seconds / by_label[one.label].seconds) for one in eager]
    return [("", one.seconds / other.seconds) for one, other in zip(eager, graph, strict=True)]


def sizes_compared(observed: Observed) -> list[int]:
    """The numbers of weights of the models that were trained both eagerly and as graphs, ascending."""
    eager = {training.parameters for training in observed.trainings if training.eager_gradients}
    graph = {training.parameters for training in observed.trainings if training.graph_gradients}
    return sorted(graph & eager)


def timed(observed: Observed) -> tuple[Timing, ...]:
    """What of the notebook's was timed: of each size a step, and a loop in a graph; the smallest first."""
    own = sorted((one for one in observed.timings if not one.is_reference), key=lambda one: len(one.eager))
    last = {(one.parameters, one.steps >= STEPS_TIMED): one for one in own}
    return tuple(one for _, one in sorted(last.items(), key=lambda entry: entry[0]))


def timed_sizes(observed: Observed) -> tuple[Timing, ...]:
    """One timing with a gain per size that was trained both ways, the smallest first; steps before loops."""
    sizes = sizes_compared(observed)
    known = [one for one in timed(observed) if one.gain is not None and one.parameters in sizes]
    return tuple({one.parameters: one for one in reversed(known)}.values())[::-1]


def not_borne_out(times: Sequence[ModeTime], observed: Observed) -> tuple[float, Interval] | None:
    """A gain among `times` that is far from what was timed, with that; None where there is none.

    A gain is held against that of its model where the labels say which is larger, else against all.
    """
    timed = [one.gain for one in timed_sizes(observed) if one.gain is not None]
    told = told_gains(times)
    if not timed or not told:
        return None
    ranks = [_rank(label) for label, _ in told]
    if len(told) == len(timed) and None not in ranks and len(set(ranks)) == len(ranks):
        in_order = sorted(zip(ranks, (gain for _, gain in told), strict=True))
        pairs = [(gain, one) for (_, gain), one in zip(in_order, timed, strict=True)]
    else:
        everywhere = Interval(min(one.low for one in timed), 1.0, max(one.high for one in timed))
        pairs = [(gain, everywhere) for _, gain in told]
    return next(((gain, one) for gain, one in pairs if _is_far(gain, one)), None)


def _is_far(gain: float, timed: Interval) -> bool:
    is_turned = gain < 1 / CLEAR and timed.low > CLEAR
    return is_turned or gain < timed.low / FAR or gain > FAR * timed.high


def _rank(label: str) -> float | None:
    """What tells which of several models is the larger, by a word or the first number in a label."""
    text = re.sub(r"(?<=\d)[, ](?=\d{3}\b)", "", label)
    for rank, words in _SIZES:
        if re.search(rf"\b(?:{words})\b", text, re.IGNORECASE):
            return float(rank)
    number = re.search(r"\d+(?:\.\d+)?", text)
    return None if number is None else 1000.0 + float(number[0])
