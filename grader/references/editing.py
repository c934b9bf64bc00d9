"""The notebook that a reference hands in: edited, with the constant of a quick run, with outputs of a run."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from grader.errors import RubricError
from grader.references.records import (
    SETTINGS,
    Edit,
    Notebook,
    Quick,
    Reference,
)
from grader.strict_yaml import did_you_mean, read_yaml


def notebook_of(reference: Reference, *, is_quick: bool) -> Notebook:
    """The notebook that is handed in, edited, and with the quick run's constant where it is asked for.

    Raises `RubricError` when its file is no notebook, or when the constant is not set exactly once.
    """
    notebook = edited(reference.origin, load_notebook(reference.notebook), reference.edits)
    if is_quick and reference.quick is not None:
        _lower(notebook, reference.quick, reference)
    return notebook


def with_outputs_of(reference: Reference, notebook: Notebook, executed: Notebook) -> Notebook:
    """`notebook` with the outputs of its run (of the same cells), and then the edits of outputs."""
    result = copy.deepcopy(notebook)
    for cell, ran in zip(result["cells"], executed["cells"], strict=True):
        if cell["cell_type"] == "code":
            cell["outputs"] = copy.deepcopy(ran.get("outputs", []))
            cell["execution_count"] = ran.get("execution_count")
    numbers = {old: cell for old, cell in zip(_old_numbers(reference), result["cells"], strict=True) if old}
    for edit in reference.edits:
        if edit.is_of_outputs:
            _edit_outputs(edit, list(result["cells"]) if edit.cell is None else [numbers[edit.cell]])
    return result


def edited(path: Path, notebook: Notebook, edits: Collection[Edit]) -> Notebook:
    """`notebook` after `edits`, which stand in the file `path` under the key `edits`.

    Raises `RubricError` with the lines of all edits that do not fit.
    """
    result, cells, misfits = copy.deepcopy(notebook), notebook["cells"], []
    changed: dict[int, dict[str, Any]] = dict(enumerate(copy.deepcopy(cells), start=1))
    added: dict[int, list[dict[str, Any]]] = {}
    gone: set[int] = set()
    for index, edit in enumerate(edits):
        number = edit.cell or edit.delete or edit.after
        if number is not None and number > len(cells):
            misfits.append((index, f"there is no cell {number}: the notebook has {len(cells)}"))
        elif edit.is_of_outputs:
            _edit_outputs(edit, list(changed.values()) if edit.cell is None else [changed[edit.cell]])
        elif edit.delete is not None:
            gone.add(edit.delete)
        elif edit.after is not None and edit.source is not None:
            added.setdefault(edit.after, []).append(_code_cell(edit.source, f"added-{index + 1}"))
        elif edit.cell is not None and (sentence := _edit_source(edit, changed[edit.cell])):
            misfits.append((index, sentence))
    if misfits:
        raise _located(path, misfits)
    result["cells"] = list(added.get(0, []))
    for number, cell in changed.items():
        result["cells"] += [*([] if number in gone else [cell]), *added.get(number, [])]
    return result


def _old_numbers(reference: Reference) -> list[int | None]:
    """For each cell of the edited notebook its number before the edits, None for cells that were added."""
    count = len(load_notebook(reference.notebook)["cells"])
    gone = {edit.delete for edit in reference.edits}
    added = [edit.after for edit in reference.edits if edit.after is not None]
    result: list[int | None] = [None] * added.count(0)
    for number in range(1, count + 1):
        result += [*([] if number in gone else [number]), *[None] * added.count(number)]
    return result


def _edit_source(edit: Edit, cell: dict[str, Any]) -> str | None:
    """Change a cell's source; a sentence when that is not possible."""
    if edit.source is not None:
        _set_source(cell, edit.source)
        return None
    source, old = source_of(cell), edit.replace or ""
    count = source.count(old)
    if count != 1:
        first = old.strip().split("\n")[0][:60]
        found = "not found" if count == 0 else f"found {count} times"
        hint = did_you_mean(first, [line.strip() for line in source.split("\n")]) if count == 0 else ""
        return f"this text is {found} in cell {edit.cell}: {first!r}{hint}"
    _set_source(cell, source.replace(old, edit.by or ""))
    return None


def _edit_outputs(edit: Edit, cells: Collection[dict[str, Any]]) -> None:
    for cell in cells:
        if edit.outputs == "keep" or cell["cell_type"] != "code":
            continue
        cell["outputs"] = []
        if edit.prints is not None:
            text = edit.prints.splitlines(keepends=True)
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]
        else:
            cell["execution_count"] = None


def _lower(notebook: Notebook, quick: Quick, reference: Reference) -> None:
    """Set the constant of the quick run."""
    pattern = re.compile(rf"^({re.escape(quick.constant)}\s*=\s*)\d[\d_]*\b", re.MULTILINE)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    found = [cell for cell in code for _ in pattern.finditer(source_of(cell))]
    if len(found) != 1:
        raise RubricError(
            f"{reference.origin}: the code should set `{quick.constant} = <a number>` exactly once, and does "
            f"so {len(found)} times: {SETTINGS} names it as the constant of the quick run."
        )
    _set_source(found[0], pattern.sub(rf"\g<1>{quick.value}", source_of(found[0])))


def source_of(cell: Mapping[str, Any]) -> str:
    """The source of a cell, which a notebook may keep as a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _set_source(cell: dict[str, Any], source: str) -> None:
    cell["source"] = source.splitlines(keepends=True)


def _code_cell(source: str, cell_id: str) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": "code",
        "id": cell_id,
        "metadata": {},
        "execution_count": None,
        "outputs": [],
    }
    return cell | {"source": source.splitlines(keepends=True)}


def _located(path: Path, misfits: Collection[tuple[int, str]]) -> RubricError:
    """The sentences about edits, by their index, with the lines that these stand in."""
    yaml = read_yaml(path)
    for index, sentence in misfits:
        yaml.report(("edits", index), sentence)
    return yaml.error()


def load_notebook(path: Path) -> Notebook:
    """The notebook in a file, as it is there; `RubricError` when it cannot be read as one."""
    try:
        notebook: Notebook = json.loads(path.read_text("utf-8"))
        if not isinstance(notebook["cells"], list):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RubricError(f"{path}: this reference cannot be read as a notebook of format 4.") from error
    return notebook
