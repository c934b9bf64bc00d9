"""What a TA should look at beside the verdicts: outputs of other code, tables and weights in the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from grader.evidence.record import Evidence
from grader.model import RunStatus

_LONG_TEXT = 20_000  # characters of one string; the longest in our samples and references has 80
_LONG_TABLE = 2_000  # values written out in one list; the most in our samples and references are 21
_WEIGHTS = frozenset(
    {".ckpt", ".h5", ".hdf5", ".keras", ".npy", ".npz", ".pb", ".pickle", ".pkl", ".pt", ".pth"}
)
_SHOWN = 5


def suspicions(evidence: Evidence) -> Iterator[str]:
    """Sentences on what may be somebody else's work, or done elsewhere; none of them is proof."""
    cells = results_of_other_code(evidence)
    if cells:
        yield (
            f"As handed in the notebook shows results (cell {cells[0]}), but it shows none when it is run "
            "again to its end: the saved outputs may be those of other code."
        )
    for cell, what in _large_literals(evidence):
        yield f"Cell {cell} holds {what}: weights or a table of answers may be written into the code."
    weights = [
        a.name for a in evidence.submission.attachments if PurePosixPath(a.name).suffix.lower() in _WEIGHTS
    ]
    if weights:
        more = f" and {len(weights) - _SHOWN} more" if len(weights) > _SHOWN else ""
        yield f"Files that can hold trained weights were handed in: {', '.join(weights[:_SHOWN])}{more}."


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


def _large_literals(evidence: Evidence) -> Iterator[tuple[int, str]]:
    """The cells with a very long string, or with very many numbers, written out; each once."""
    for cell, tree in evidence.code.trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
                if len(node.value) > _LONG_TEXT:
                    yield cell, f"a text of {len(node.value):,} characters"
                    break
            elif isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
                count = sum(isinstance(inner, ast.Constant) for inner in ast.walk(node))
                if count > _LONG_TABLE:
                    yield cell, f"{count:,} values written out"
                    break
    for cell in sorted({cell for cell, _ in evidence.code.unparsed}):
        longest = max(map(len, evidence.code.source(cell).split("\n")))
        if longest > _LONG_TEXT:
            yield cell, f"a line of {longest:,} characters"
