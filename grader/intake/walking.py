"""Walks through a hand-in's files without following links, and copies files into folders of their own."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.errors import UsageError
from grader.intake.naming import encodable, is_rubbish, shown

DEEPEST = 20
MOST_FILES = 5_000
_CHUNK_BYTES = 1 << 20
_MOST_TOLD = 5
_UNWRITABLE_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """A regular file of a hand-in: `name` is its path below the hand-in's folder, `path` where it lies."""

    name: str
    path: Path
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Walk:
    """The regular files below a folder, in the order of their names, and sentences on what was left out."""

    files: tuple[FoundFile, ...]
    remarks: tuple[str, ...] = ()


def walk(folder: Path) -> Walk:
    """The files below `folder`: at most `MOST_FILES`, at most `DEEPEST` folders deep.

    Hidden files and what systems leave behind are passed over in silence; links, pipes, sockets and
    devices are never opened and are named in a remark.
    """
    found: list[FoundFile] = []
    remarks: list[str] = []
    special: list[str] = []
    for path, kind in _entries(folder, remarks):
        name = path.relative_to(folder).as_posix()
        if kind is None:
            special.append(shown(name))
        elif len(found) == MOST_FILES:
            remarks.append(f"Only the first {MOST_FILES:,} files of this hand-in were looked at.")
            break
        else:
            found.append(FoundFile(name=name, path=path, size_bytes=kind.st_size))
    if special:
        remarks.append(
            f"Links, pipes and devices are never opened, so these were left out: {listed(special)}."
        )
    return Walk(files=tuple(found), remarks=tuple(remarks))


def listed(names: Sequence[str]) -> str:
    """Names for a sentence, each in quotation marks: the first few, and how many more there are."""
    return joined([f"“{name}”" for name in names])


def joined(phrases: Sequence[str]) -> str:
    """Phrases (at least one) for a sentence: the first few, and how many more there are."""
    told = list(phrases[:_MOST_TOLD])
    if len(phrases) > _MOST_TOLD:
        told.append(f"{len(phrases) - _MOST_TOLD:,} more")
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"


def is_folder(path: Path) -> bool:
    """Whether something is a folder, or a link to one; no when that cannot be found out."""
    try:
        return path.is_dir()
    except OSError:
        return False


def read_regular_file(path: Path, limit: int) -> bytes | None:
    """The bytes of a regular file of at most `limit` bytes, None when it is longer.

    `OSError` when it cannot be read, or is not a regular file (any more).
    """
    with os.fdopen(_open_regular(path), "rb") as file:
        data = file.read(limit + 1)
    return data if len(data) <= limit else None


def hash_regular_file(path: Path) -> str:
    """The SHA-256 of a regular file, in hexadecimal; `OSError` as for `read_regular_file`."""
    with os.fdopen(_open_regular(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stage(files: Mapping[str, tuple[FoundFile, str]], workspace: Path) -> Path | None:
    """Copy files into a folder of their own below `workspace`; None when their names do not allow it.

    `files` maps the path that each is to have there to the file and its SHA-256. The folder is named
    after what is in it, appears all at once, and is used again. `UsageError` when it cannot be made.
    """
    contents = hashlib.sha256()
    for name in sorted(files):
        contents.update(f"{name}\0{files[name][1]}\0".encode())
    home = workspace / "staged" / contents.hexdigest()
    if home.is_dir():
        return home
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".", dir=home.parent))
        try:
            for name, (file, _) in files.items():
                _copy(file.path, temporary / name)
            temporary.rename(home)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as broken:
        if broken.errno in _UNWRITABLE_NAME:
            return None
        if not home.is_dir():
            raise UsageError(
                f"Files could not be copied to {workspace} ({broken.strerror or broken}): "
                "make room there or mend its access rights, then try again."
            ) from broken
    return home


def free_name(name: str, taken: Mapping[str, object]) -> str:
    """`name`, made encodable, with a number before its ending when it is already among `taken`."""
    path = PurePosixPath(encodable(name))
    candidate, number = path, 1
    while candidate.as_posix() in taken:
        number += 1
        candidate = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return candidate.as_posix()


def _entries(
    folder: Path, remarks: list[str], depth: int = 1
) -> Iterator[tuple[Path, os.stat_result | None]]:
    """Everything below `folder` that is no folder, sorted; None in place of what is no regular file."""
    try:
        with os.scandir(folder) as scan:
            entries = sorted((entry.name, entry.stat(follow_symlinks=False)) for entry in scan)
    except OSError as broken:
        remarks.append(f"The folder “{shown(folder.name)}” could not be read ({broken.strerror}).")
        return
    for entry_name, status in entries:
        if is_rubbish(entry_name):
            continue
        path = folder / entry_name
        if not stat.S_ISDIR(status.st_mode):
            yield path, status if stat.S_ISREG(status.st_mode) else None
        elif depth == DEEPEST:
            remarks.append(f"The folder “{shown(entry_name)}” lies too deep and was not looked into.")
        else:
            yield from _entries(path, remarks, depth + 1)


def _open_regular(path: Path) -> int:
    """A descriptor for reading; `OSError` for a link or anything else that is no regular file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "not a regular file", str(path))
    return descriptor


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(_open_regular(source), "rb") as readable, target.open("xb") as writable:
        shutil.copyfileobj(readable, writable, _CHUNK_BYTES)
