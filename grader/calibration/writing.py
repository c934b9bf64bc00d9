"""Writing calibrated thresholds into a rubric, with the figures that they follow from."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from grader.calibration.rule import Calibration, Reached
from grader.datasets.finding import dataset_names
from grader.errors import RubricError
from grader.model import DatasetOrigin
from grader.rubric import Rubric, read_rubric
from grader.strict_yaml import Place
from grader.yaml_editing import edited_yaml

_MARK = "grade calibrate, "


def write_thresholds(calibration: Calibration, path: Path, today: date) -> None:
    """Put the proposed thresholds and the band into the rubric at `path`, each below a line with its figures.

    All else in the file stays byte for byte. Raises ValueError for figures from stand-ins, and `RubricError`
    when the file cannot be written or would no longer say the same in all other respects.
    """
    if any(reached.origin is not DatasetOrigin.REAL for reached in calibration.reached):
        raise ValueError("thresholds come from real data only")
    rubric = read_rubric(path, datasets=dataset_names())
    index = [criterion.id for criterion in rubric.criteria].index(calibration.criterion)
    parameters: Place = ("criteria", index, "with")
    values: dict[Place, str] = {}
    notes: dict[Place, str] = {}
    for reached in calibration.reached:
        place = (*parameters, "thresholds", reached.dataset)
        values[*place, "full"] = f"{reached.proposed.full:.2f}"
        values[*place, "partly"] = f"{reached.proposed.partly:.2f}"
        notes[place] = f"{today}: {_figures(reached)}"
    if "band" in rubric.criteria[index].parameters.model_fields_set:
        values[*parameters, "band"] = f"{calibration.proposed_band:.2f}"
        notes[*parameters, "band"] = (
            f"{today}: the standard deviation over seeds is {calibration.deviation:.3f}"
        )
    new = edited_yaml(path.read_bytes().decode(), values, notes, _MARK).encode()
    if _without_thresholds(_read(new, path), index) != _without_thresholds(rubric, index):
        raise RubricError(f"{path}: thresholds cannot be put into this file by program: write them by hand.")
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".draft-") as folder:
            draft = Path(folder) / path.name
            draft.write_bytes(new)
            shutil.copymode(path, draft)
            draft.replace(path)
    except OSError as error:
        raise RubricError(
            f"{path}: this file cannot be written ({error.strerror}): make it writable."
        ) from error


def _figures(reached: Reached) -> str:
    low, high = min(reached.accuracies), max(reached.accuracies)
    return (
        f"{reached.notebook} on real data, {len(reached.accuracies)} seeds: {low:.3f} to {high:.3f}, "
        f"median {reached.median:.3f}"
    )


def _read(raw: bytes, path: Path) -> Rubric:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(raw)
        return read_rubric(copy, datasets=dataset_names())


def _without_thresholds(rubric: Rubric, index: int) -> dict[str, Any]:
    """What a rubric says, the thresholds and the band of one criterion left out."""
    content = rubric.model_dump(mode="json")
    content["criteria"][index]["parameters"] |= {"thresholds": None, "band": None}
    return content
