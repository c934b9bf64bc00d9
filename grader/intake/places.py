"""What a path means to a TA: the whole assignment or a part of it, and where the TA's own files lie."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

from grader.intake.moodle import is_inside_hand_in

SUBMISSIONS = "submissions"  # the course's folder of hand-ins
_LEVELS = 3  # how far below an assignment's folder a hand-in's files may be named


def is_whole(path: Path, assignment: str) -> bool:
    """Whether `path` stands for all hand-ins of `assignment`, rather than for one or some of them.

    A zip does, and a folder does, unless it lies inside the assignment's folder or is a Moodle hand-in.
    """
    here = path.resolve()
    if here.is_file():
        return here.suffix.casefold() == ".zip"
    return assignment not in here.parts[-_LEVELS - 1 : -1] and not is_inside_hand_in(here)


DECISIONS = "decisions.csv"
WORKSHEET = "worksheet.csv"


def staff_file(path: Path, assignment: str, name: str) -> Path | None:
    """The TA's own file `name` for the hand-ins at `path`, None when there is none.

    It lies in the assignment's folder (`a1/`: of `path` and a few folders above it the outermost one below
    `submissions/`, or else the one just below `path`), or beside a zip. A file of that name further inside is
    a student's and is never taken.
    """
    here = path.resolve()
    near = list(takewhile(lambda folder: folder.name != SUBMISSIONS, (here, *here.parents[:_LEVELS])))
    above = [folder for folder in near if folder.name == assignment]
    folders = [above[-1] if above else here / assignment]
    if here.is_file() and here.suffix.casefold() == ".zip":
        folders.append(here.parent)
    for folder in folders:
        file = folder / name
        if file.is_file() and not file.is_symlink() and not is_inside_hand_in(folder):
            return file
    return None
