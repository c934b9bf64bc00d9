"""Brings a hand-in's files together, out of its folders and its zips, without opening any of them further."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.intake.archive import HAND_IN_LIMITS, extract
from grader.intake.entries import Refusal
from grader.intake.handin import HandIn
from grader.intake.moodle import owner_of_entry, plain_text
from grader.intake.naming import encodable, is_rubbish, is_zip_name, shown
from grader.intake.walking import FoundFile, free_name, listed, read_regular_file, walk

MOST_ZIPS = 5
_TEXT_BYTES = 1024**2


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """All files of a hand-in, by the names they have in it.

    `folder` holds these files under these names (and perhaps others); None when they lie in several
    places, or under other names. `fault` is a sentence when the hand-in cannot be used as it is.
    """

    files: tuple[FoundFile, ...] = ()
    folder: Path | None = None
    remarks: tuple[str, ...] = ()
    fault: str | None = None


def gather(hand_in: HandIn, workspace: Path) -> Gathered:
    """The files of `hand_in`; zips in it are unpacked below `workspace`, zips in those are not."""
    collection = _Collection(workspace)
    for number, part in enumerate(hand_in.parts):
        if part.path.is_dir():
            collection.add_folder(part.path, below=f"{number + 1}" if number else "")
        else:
            collection.add_file(part.path, part.name)
    return collection.unpacked()


def read_online_text(pages: tuple[Path, ...]) -> tuple[str | None, tuple[str, ...]]:
    """What was typed into Moodle's page, as plain text (None when nothing was), and remarks."""
    texts: list[str] = []
    remarks: list[str] = []
    for page in pages:
        try:
            data = read_regular_file(page, _TEXT_BYTES)
        except OSError as broken:
            remarks.append(f"The online text could not be read ({broken.strerror}).")
            continue
        if data is None:
            remarks.append(f"The online text is longer than {_TEXT_BYTES // 1024**2} MiB and was not read.")
            continue
        texts.append(plain_text(data.decode("utf-8-sig", "replace")))
    return "\n\n".join(text for text in texts if text) or None, tuple(remarks)


class _Collection:
    """The files of one hand-in as they come together; names are made free as needed."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._files: dict[str, FoundFile] = {}
        self._remarks: list[str] = []
        self._roots: set[Path | None] = set()

    def add_folder(self, folder: Path, below: str = "") -> None:
        """Add all files of a folder, under their own paths, or under those in the folder `below`."""
        walked = walk(folder)
        self._remarks += walked.remarks
        for file in walked.files:
            self._add(file, PurePosixPath(below, file.name).as_posix(), folder)

    def add_file(self, path: Path, name: str) -> None:
        """Add one file, to be called `name`."""
        self._add(FoundFile(name=name, path=path, size_bytes=path.lstat().st_size), name, path.parent)

    def unpacked(self) -> Gathered:
        """Everything, with the zips (`MOST_ZIPS` at most) replaced by what is in them."""
        zips = [file for name, file in self._files.items() if is_zip_name(name)]
        is_only_a_zip = len(self._files) == 1
        for zipped in zips[:MOST_ZIPS]:
            fault = self._unpack(zipped, is_all=is_only_a_zip)
            if fault is not None:
                return Gathered(fault=fault)
        if len(zips) > MOST_ZIPS:
            self._remarks.append(f"Only {MOST_ZIPS} of the {len(zips)} zips in this hand-in were unpacked.")
        owners = (owner_of_entry(name) for name in self._files)
        if len({owner.label for owner in owners if owner is not None}) > 1:
            return Gathered(
                fault="This looks like Moodle's download of a whole class inside one hand-in: "
                "put it directly into the assignment's folder."
            )
        folder = next(iter(self._roots)) if len(self._roots) == 1 else None
        files = tuple(self._files[name] for name in sorted(self._files))
        return Gathered(files=files, folder=folder, remarks=tuple(self._remarks))

    def _unpack(self, zipped: FoundFile, *, is_all: bool) -> str | None:
        """Put a zip's files in its place; a sentence when not all of them can be unpacked.

        They go into a folder named after the zip, unless the zip `is_all` that was handed in.
        """
        name = shown(zipped.name)
        extraction = extract(zipped.path, self._workspace, HAND_IN_LIMITS)
        refusals = (extraction,) if isinstance(extraction, Refusal) else extraction.refusals
        if isinstance(extraction, Refusal) or refusals:
            more = f" (and {len(refusals) - 1:,} more)" if len(refusals) > 1 else ""
            return (
                f"“{name}” was not unpacked because {refusals[0]}{more}: "
                "hand in the notebook itself, or a new zip of nothing but the notebook and its files."
            )
        del self._files[zipped.name]
        before = set(self._files)
        below = ""
        if is_all:
            self._roots.clear()
        else:
            below = zipped.name[: -len(".zip")]
            while any(file == below or file.startswith(f"{below}/") for file in self._files):
                below += "_"
        self.add_folder(extraction.folder, below)
        self._remarks.append(f"“{name}” was unpacked.")
        inner = [shown(file) for file in self._files if is_zip_name(file) and file not in before]
        if inner:
            self._remarks.append(f"Zips inside a zip are not unpacked: {listed(inner)}.")
        return None

    def _add(self, file: FoundFile, name: str, folder: Path) -> None:
        """Take a file in under `name`, or under the nearest name that is free and fit to be written."""
        if is_rubbish(PurePosixPath(name).name):
            return
        free = free_name(name, self._files)
        is_in_place = folder / free == file.path and encodable(str(folder)) == str(folder)
        self._roots.add(folder if is_in_place else None)
        self._files[free] = FoundFile(name=free, path=file.path, size_bytes=file.size_bytes)
