"""How long cells took their author, as a notebook itself tells: its metadata, and times that were printed.

Nothing of this is believed: it helps to say beforehand how long a class may take, and decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from grader.notebook.records import Cell, Notebook, OutputKind

MOST_SECONDS = 7 * 24 * 3600.0  # of one cell; more is a clock that was wrong

_STARTS = ("iopub.execute_input", "iopub.status.busy", "start_time")
_ENDS = ("shell.execute_reply", "iopub.status.idle", "end_time")
_BAR = re.compile(
    r"^\s*(?P<done>\d{1,9})/(?P=done)\b[^\n]{0,200}?\s(?:(?P<minutes>\d{1,3}):)?(?P<seconds>\d{1,5})s?"
    r" (?P<each>\d{1,6})(?P<unit>ms|us|µs|s)/(?:step|epoch)",
    re.MULTILINE,
)
_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}
_MAGIC = re.compile(
    r"^Wall time: (?P<parts>(?:\d+(?:\.\d+)? ?(?:h|min|s|ms|us|µs|ns) ?){1,4})$", re.MULTILINE
)
_PART = re.compile(r"(\d+(?:\.\d+)?) ?(h|min|s|ms)\b")
_SAID = re.compile(
    r"\b(?:took|time|elapsed|duration|runtime|dauer)\b[^\n\d]{0,40}(\d{1,7}(?:\.\d{1,9})?) ?"
    r"(h|hours?|min|minutes?|s|secs?|seconds?|sekunden|ms)\b",
    re.IGNORECASE,
)
_SCALES = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3}


def seconds_in_metadata(metadata: Any) -> float | None:
    """The seconds that a cell took by its `metadata`, as Colab, Jupyter and its extensions write it.

    None where nothing is told, or nothing that can be true.
    """
    if not isinstance(metadata, Mapping):
        return None
    colab = metadata.get("executionInfo")
    if isinstance(colab, Mapping) and isinstance(elapsed := colab.get("elapsed"), int | float):
        return _possible(elapsed / 1000)
    for name in ("execution", "ExecuteTime"):
        times = metadata.get(name)
        if isinstance(times, Mapping):
            begin, end = _moment(times, _STARTS), _moment(times, _ENDS)
            if begin is not None and end is not None:
                return _possible((end - begin).total_seconds())
    return None


def told_seconds(notebook: Notebook) -> float | None:
    """How long the notebook's cells took its author together, as far as it tells; None where it does not.

    A cell's metadata comes before what it printed.
    """
    told = [_told_by(cell) for cell in notebook.code_cells]
    known = [seconds for seconds in told if seconds is not None]
    return sum(known) if known else None


def _told_by(cell: Cell) -> float | None:
    if cell.seconds is not None:
        return cell.seconds
    printed = [out.text for out in cell.outputs if out.kind is OutputKind.STREAM]
    for read in (_by_magic, _by_bars, _by_words):
        found = [seconds for text in printed for seconds in read(text)]
        if found:
            return _possible(sum(found))
    return None


def _by_magic(text: str) -> list[float]:
    """`Wall time: 1min 2s`, as `%%time` prints it."""
    return [
        sum(float(number) * _scale(unit) for number, unit in _PART.findall(match["parts"]))
        for match in _MAGIC.finditer(text)
    ]


def _by_bars(text: str) -> list[float]:
    """Keras's bars at the end of an epoch: the seconds they show, or steps × time per step where that is more
    exact.
    """
    found = []
    for match in _BAR.finditer(text):
        shown = 60 * int(match["minutes"] or 0) + int(match["seconds"])
        by_steps = int(match["done"]) * int(match["each"]) * _UNITS[match["unit"]]
        found.append(by_steps if shown == 0 else float(shown))
    return found


def _by_words(text: str) -> list[float]:
    """`took 12.3 seconds`: the longest, because times of parts and of the whole are printed alike."""
    said = [float(number) * _scale(unit) for number, unit in _SAID.findall(text)]
    return [max(said)] if said else []


def _scale(unit: str) -> float:
    unit = unit.lower()
    return _SCALES["ms"] if unit == "ms" else _SCALES[unit[0]]


def _moment(times: Mapping[str, Any], names: tuple[str, ...]) -> datetime | None:
    for name in names:
        written = times.get(name)
        if isinstance(written, str):
            try:
                moment = datetime.fromisoformat(written)
            except ValueError:
                continue
            return moment.replace(tzinfo=None)
    return None


def _possible(seconds: float) -> float | None:
    return seconds if 0 <= seconds <= MOST_SECONDS else None
