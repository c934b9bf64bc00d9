"""What a notebook needs and was not handed in with it, as its code tells before it is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from grader.evidence.record import Evidence
from grader.notebook.libraries import is_library
from grader.notebook.opened import Opened, Use, opened_files

_MOST = 6  # named in one sentence
_HELPER = "datasets"  # the course's, which the room has a look-alike of
_STAND_INS = frozenset({"mnist.npz"})  # data sets that the room puts where they are looked for
_DRIVE = re.compile(r"/?(?:content/)?g?drive/", re.IGNORECASE)
_OF_THE_MACHINE = ("/dev/", "/proc/", "/tmp/", "/usr/", "/etc/")


class Needs(NamedTuple):
    """What a notebook opens and imports that is not there as it needs it.

    `read` are the files that it opens and does not write itself; of these, `gone` are not there, `elsewhere`
    lie under another name. `modules` are no libraries known here, each with its cell.
    """

    read: list[Opened]
    gone: list[Opened]
    elsewhere: list[tuple[Opened, str]]
    downloaded: list[Opened]
    modules: dict[str, int]


def needs_of(evidence: Evidence) -> Needs:
    """What the code needs, held against what was handed in with it."""
    files = opened_files(evidence.code)
    made = {file.name for file in files if file.use is not Use.READ}
    read = [file for file in files if file.use is Use.READ and file.name not in made]
    there = [attachment.name for attachment in evidence.submission.attachments]
    missing = [file for file in read if _is_missing(file, there)]
    elsewhere = [(file, name) for file in missing if (name := _same_name(file, there)) is not None]
    return Needs(
        read=read,
        gone=[file for file in missing if all(file is not moved for moved, _ in elsewhere)],
        elsewhere=elsewhere,
        downloaded=[file for file in files if file.use is Use.DOWNLOADED],
        modules=_unknown_modules(evidence, there),
    )


def cell_that_lacks(needs: Needs) -> int | None:
    """The first cell that opens or imports what is not there, None when everything is."""
    cells = [*(file.cell for file in needs.gone), *needs.modules.values()]
    return min(cells, default=None)


def flags_of_needs(evidence: Evidence) -> Iterator[str]:
    """Sentences for the TA: what is missing, what is downloaded, and what stands in for what."""
    needs = needs_of(evidence)
    if needs.gone:
        yield f"Files that the notebook opens were not handed in: {files_in_words(needs.gone)}."
    for file, name in needs.elsewhere[:_MOST]:
        yield f"Cell {file.cell} opens `{file.path}`, which was handed in as `{name}`: it is not found there."
    if needs.downloaded:
        yield (
            "The notebook downloads files, and where it is run there is no network: "
            f"{files_in_words(needs.downloaded)}."
        )
    for module, cell in needs.modules.items():
        yield (
            f"The notebook imports `{module}` (cell {cell}), which is no library known here and was not "
            "handed in."
        )
    yield from _flags_of_stand_ins(evidence, needs.read)


def files_in_words(files: list[Opened]) -> str:
    """The files with their cells, the first few of many."""
    shown = ", ".join(f"`{file.path[:120]}` (cell {file.cell})" for file in files[:_MOST])
    return shown if len(files) <= _MOST else f"{shown} and {len(files) - _MOST} more"


def _is_missing(file: Opened, there: list[str]) -> bool:
    path = file.path.replace("\\", "/")
    if file.name in _STAND_INS or path.startswith(_OF_THE_MACHINE):
        return False
    if _DRIVE.match(path):  # every folder of the Drive has the hand-in's files in it
        return _same_name(file, there) is None
    path = path.removeprefix("/content/").removeprefix("./")
    return not any(name == path or name.endswith(f"/{path}") or name.startswith(f"{path}") for name in there)


def _same_name(file: Opened, there: list[str]) -> str | None:
    return next((name for name in there if PurePosixPath(name).name.lower() == file.name.lower()), None)


def _unknown_modules(evidence: Evidence, there: list[str]) -> dict[str, int]:
    own = {PurePosixPath(name).parts[0].removesuffix(".py") for name in there}
    own |= {PurePosixPath(name).stem for name in there if name.endswith(".py")}
    told = " ".join(evidence.run.remarks) if evidence.run is not None else ""
    first: dict[str, int] = {}
    for found in evidence.code.imports:
        first.setdefault(found.module, found.cell)
    return {
        module: cell
        for module, cell in first.items()
        if module not in own and module != _HELPER and f"`{module}`" not in told and not is_library(module)
    }


def _flags_of_stand_ins(evidence: Evidence, read: list[Opened]) -> Iterator[str]:
    names = {PurePosixPath(attachment.name).name for attachment in evidence.submission.attachments}
    helper = next((found.cell for found in evidence.code.imports if found.module == _HELPER), None)
    if helper is not None and f"{_HELPER}.py" not in names:
        yield f"`{_HELPER}.py` (cell {helper}) was not handed in: a stand-in for it takes its place."
    for file in read:
        if file.name in _STAND_INS and file.name not in names:
            yield f"`{file.name}` (cell {file.cell}) was not handed in: our own copy takes its place."
    drive = next((cell.number for cell in evidence.notebook.code_cells if "/drive/" in cell.source), None)
    if drive is not None:
        yield f"It works in a Google Drive (cell {drive}): a folder with what was handed in takes its place."
