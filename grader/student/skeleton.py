"""A notebook with the headings below which answers are found for sure, made of a student edition."""

from __future__ import annotations

import json
from typing import Any

from grader.checks.registry import all_checks
from grader.student.edition import Edition, Item


def skeleton(edition: Edition) -> str:
    """The notebook as a file: a place for names, for code, and one below the heading of each answer.

    It holds no other sentence: what stands in a notebook as it is given out must not look like an answer.
    """
    cells = [
        _markdown("names", f"# {edition.title}\n\nNames: "),
        _markdown("code-heading", "## Code"),
        _code("code"),
    ]
    for item in edition.items:
        heading = _heading(item)
        if heading:
            cells += [_markdown(f"{item.id}-heading", f"## {heading}"), _markdown(item.id, "")]
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def _heading(item: Item) -> str:
    """The heading of an answer, "" for what is no answer in words."""
    check = all_checks().get(item.check)
    side = None if check is None else check.public
    heading = None if side is None else side.heading
    return "" if heading is None else " ".join(heading(**item.public).split())


def _markdown(name: str, source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name[:64], "metadata": {}, "source": source}


def _code(name: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {},
        "outputs": [],
        "source": "",
    }
