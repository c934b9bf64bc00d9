"""The whole of `grade check`: a notebook and a student edition in, what was found out."""

from __future__ import annotations

from pathlib import Path

from grader.student.choosing import choose_edition, find_editions
from grader.student.findings import Looked
from grader.student.looking import look
from grader.student.own_work import read_own


def check_notebook(
    notebook: Path,
    *,
    assignment: str | None = None,
    edition: Path | None = None,
    course: Path | None = None,
    execute: bool = False,
    data: Path | None = None,
) -> Looked:
    """Look at `notebook` by the student edition of its assignment; run it only where `execute` asks for it.

    `edition`, `course` and `data` name a file or folder that lies elsewhere than expected. Raises
    `GraderError` when there is no notebook, no edition, or no way to run it here.
    """
    evidence = read_own(notebook)
    editions = find_editions(notebook, edition=edition, course=course)
    chosen = choose_edition(editions, evidence, assignment=assignment)
    if execute:
        from grader.student.running import run_own  # needs what `pip install 'grader[run]'` installs

        evidence = run_own(evidence, chosen, data=data)
    return look(evidence, chosen)
