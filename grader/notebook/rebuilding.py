"""Builds notebooks anew: fresh cells with ids of ours, no metadata of anybody's."""

from __future__ import annotations

import json
from typing import Any

import nbformat

from grader.notebook.records import CellKind, Notebook


def cell_id(number: int) -> str:
    """The id that the cell with this number has in every notebook that we build."""
    return f"cell-{number}"


def with_outputs_of(notebook: Notebook, executed: bytes) -> nbformat.NotebookNode:
    """The cells of `notebook` in their places, the code cells with the outputs that our run gave them.

    `executed` is a notebook of ours (JSON, nbformat 4) whose cells carry the ids of `cell_id`; it may hold
    only some of the cells. Text of one hand-in never gets into another's: only outputs are taken from it.
    """
    ran = {cell["id"]: cell for cell in json.loads(executed)["cells"]}
    cells = []
    for cell in notebook.cells:
        name = cell_id(cell.number)
        built: dict[str, Any] = {
            "cell_type": cell.kind.value,
            "id": name,
            "metadata": {},
            "source": cell.source,
        }
        if cell.kind is CellKind.CODE:
            built["outputs"] = ran.get(name, {}).get("outputs", [])
            built["execution_count"] = ran.get(name, {}).get("execution_count")
        cells.append(built)
    node: nbformat.NotebookNode = nbformat.from_dict(
        {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    )
    return node
