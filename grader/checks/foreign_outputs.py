"""Saved outputs that the code as handed in does not give."""

from __future__ import annotations

from collections.abc import Iterator

from grader.evidence.record import Evidence
from grader.model import RunStatus


def results_of_other_code(evidence: Evidence) -> tuple[int, ...]:
    """The cells that show numbers or figures as handed in, where our run ended well and showed none."""
    run, rerun = evidence.run, evidence.rerun
    if (
        run is None
        or rerun is None
        or run.status is not RunStatus.COMPLETED
        or rerun.numbers
        or rerun.figures
    ):
        return ()
    return tuple(sorted({number.cell for number in evidence.saved.numbers} | set(evidence.saved.figures)))


def flags_of_foreign_outputs(evidence: Evidence) -> Iterator[str]:
    """A sentence for the TA where all results shown may be those of other code; it is no proof."""
    cells = results_of_other_code(evidence)
    if cells:
        yield (
            f"As handed in the notebook shows results (cell {cells[0]}), but it "
            "shows none when it is run again to its end: the saved outputs may be those of other code."
        )
