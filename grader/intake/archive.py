"""Our own bounded zip extractor: nothing in a zip is believed, nothing is written outside its folder."""

from __future__ import annotations

import errno
import hashlib
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from grader.errors import UsageError
from grader.intake.entries import (
    DAMAGED,
    MIB,
    ArchiveLimits,
    BoundedZip,
    Refusal,
    entry_fault,
    entry_name,
    entry_parts,
    meeting_key,
    open_zip,
    oversize,
)
from grader.intake.naming import is_rubbish, shown
from grader.model import Record

MANIFEST = "manifest.json"
FILES = "files"
_FORMAT = 1  # of the manifest and of what is unpacked; another one is unpacked anew
_CHUNK_BYTES = 1 << 18
_UNWRITABLE_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)

HAND_IN_LIMITS = ArchiveLimits()
"""For a zip that one student handed in."""

CLASS_LIMITS = ArchiveLimits(
    entries=200_000, file_bytes=512 * MIB, share_bytes=1024 * MIB, total_bytes=64 * 1024 * MIB, depth=30
)
"""For the zip of a whole class, as Moodle makes it."""

Share = Callable[[str], str | None]
"""Names the hand-in that an entry belongs to, None for an entry that belongs to nobody."""


class Extraction(Record):
    """A zip that was unpacked below `folder`, without the entries in `refusals`."""

    folder: Path
    refusals: tuple[Refusal, ...] = ()


class _Manifest(Record):
    """What is written beside unpacked files, so that they are used again only if they would be the same."""

    format: int
    limits: ArchiveLimits
    refusals: tuple[Refusal, ...] = ()
    refused: Refusal | None = None


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def entry_names(archive: Path, limits: ArchiveLimits) -> tuple[str, ...] | Refusal:
    """The names of a zip's entries, as they would be unpacked, without unpacking anything."""
    opened = open_zip(archive, limits)
    if isinstance(opened, Refusal):
        return opened
    with opened:
        return tuple(entry_name(info) for info in opened.infolist())


def extract(
    archive: Path, workspace: Path, limits: ArchiveLimits, *, share: Share = lambda entry: None
) -> Extraction | Refusal:
    """Unpack `archive` into `workspace/<sha256>/files`, or take what an earlier call left there.

    Links, devices, encrypted entries, paths that lead outside, names that meet, and whatever is over the
    limits are not unpacked but listed; a zip that cannot be read at all, or is too much as a whole, is a
    `Refusal`. Once a share has used up its bytes, the rest of it is left. Files appear all at once.
    `UsageError` when the disk does not play along.
    """
    try:
        if archive.stat().st_size > limits.total_bytes:
            return Refusal(reason=f"it is larger than {limits.total_bytes // MIB:,} MiB")
        home = workspace / sha256_of(archive)
    except OSError as broken:
        return Refusal(reason=f"it cannot be read ({broken.strerror})")
    try:
        stored = _stored(home, limits)
        if stored is not None:
            return stored
        workspace.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{home.name[:16]}-", dir=workspace))
        try:
            manifest = _unpack(archive, temporary / FILES, limits, share)
            (temporary / MANIFEST).write_text(manifest.model_dump_json(), encoding="utf-8")
            _put_in_place(temporary, home, limits)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as broken:
        raise UsageError(
            f"{shown(archive.name)} could not be unpacked into {workspace} ({broken.strerror or broken}): "
            "make room there or mend its access rights, then try again."
        ) from broken
    return manifest.refused or Extraction(folder=home / FILES, refusals=manifest.refusals)


def _stored(home: Path, limits: ArchiveLimits) -> Extraction | Refusal | None:
    """What an earlier call with the same limits left in `home`, None when there is nothing to use."""
    try:
        manifest = _Manifest.model_validate_json((home / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None
    if manifest.format != _FORMAT or manifest.limits != limits:
        return None
    if manifest.refused is not None:
        return manifest.refused
    return Extraction(folder=home / FILES, refusals=manifest.refusals) if (home / FILES).is_dir() else None


def _put_in_place(temporary: Path, home: Path, limits: ArchiveLimits) -> None:
    """Rename `temporary` to `home`; what lies there is replaced unless somebody else was quicker."""
    if home.exists() and _stored(home, limits) is None:
        outdated = temporary.with_name(temporary.name + "-old")
        home.rename(outdated)
        shutil.rmtree(outdated, ignore_errors=True)
    try:
        temporary.rename(home)
    except OSError:
        if _stored(home, limits) is None:
            raise


def _unpack(archive: Path, target: Path, limits: ArchiveLimits, share: Share) -> _Manifest:
    """Unpack below the new folder `target` what may be unpacked, and say what was not."""
    opened = open_zip(archive, limits)
    if isinstance(opened, Refusal):
        return _Manifest(format=_FORMAT, limits=limits, refused=opened)
    with opened:
        target.mkdir()
        extractor = _Extractor(opened, archive.stat().st_size, target, limits, share)
        refused = extractor.run()
    if refused is not None:
        shutil.rmtree(target)
    return _Manifest(format=_FORMAT, limits=limits, refused=refused, refusals=tuple(extractor.refusals))


class _Extractor:
    """One unpacking: counts what came out and remembers which names are taken."""

    def __init__(
        self, opened: BoundedZip, packed_bytes: int, target: Path, limits: ArchiveLimits, share: Share
    ) -> None:
        self.refusals: list[Refusal] = []
        self._zip = opened
        self._packed_bytes = packed_bytes
        self._target = target
        self._limits = limits
        self._share = share
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._packed: Counter[str | None] = Counter()
        self._spent: Counter[str | None] = Counter()
        self._used_up: set[str | None] = set()

    def run(self) -> Refusal | None:
        """Unpack every entry that may be; a `Refusal` when the zip as a whole turns out too much."""
        for info in self._zip.infolist():
            name = entry_name(info)
            owner = self._share(name)
            if owner in self._used_up:
                continue
            fault = self._place(info, name, owner)
            if fault is not None:
                self.refusals.append(Refusal(entry=name, reason=fault))
            if self._spent.total() > self._limits.total_bytes:
                return Refusal(reason=f"it unpacks to more than {self._limits.total_bytes // MIB:,} MiB")
        return None

    def _place(self, info: zipfile.ZipInfo, name: str, owner: str | None) -> str | None:
        """Write one entry, unless it is rubbish; why it was not written, None when all is well."""
        fault = entry_fault(info, name, self._limits)
        if fault is not None:
            return fault
        parts = entry_parts(name)
        if any(is_rubbish(part) for part in parts):
            return None
        is_folder = name.endswith("/")
        fault = self._meeting(parts, is_folder)
        if fault is not None:
            return fault
        path = self._target.joinpath(*parts)
        try:
            (path if is_folder else path.parent).mkdir(parents=True, exist_ok=True)
            return None if is_folder else self._write(info, path, owner)
        except OSError as broken:
            if broken.errno in _UNWRITABLE_NAME:
                return "has a name that cannot be written here"
            raise

    def _meeting(self, parts: tuple[str, ...], is_folder: bool) -> str | None:
        """Take a name; why it is taken already, None when it was free."""
        above = {meeting_key(parts[:depth]) for depth in range(1, len(parts))}
        key = meeting_key(parts)
        is_taken = key in self._files or (key in self._folders and not is_folder)
        if is_taken or not above.isdisjoint(self._files):
            return "has the same name as another entry (small and capital letters aside)"
        self._folders |= above
        (self._folders if is_folder else self._files).add(key)
        return None

    def _write(self, info: zipfile.ZipInfo, path: Path, owner: str | None) -> str | None:
        """Write one file, counting its bytes; why it was not written (and is gone), None when all is well."""
        fault = None
        written = 0
        self._packed[owner] += info.compress_size
        try:
            with self._zip.open(info) as source, path.open("xb") as sink:
                while fault is None and (chunk := source.read(_CHUNK_BYTES)):
                    written += len(chunk)
                    self._spent[owner] += len(chunk)
                    fault = oversize(written, min(info.compress_size, self._packed_bytes), self._limits)
                    fault = fault or self._share_fault(owner)
                    sink.write(chunk if fault is None else b"")
            if fault is None and written != info.file_size:
                fault = "is not as long as the zip says"
        except DAMAGED:
            fault = "is damaged: what comes out is not what the zip says"
        if fault is not None:
            path.unlink(missing_ok=True)
        return fault

    def _share_fault(self, owner: str | None) -> str | None:
        """Why a share may not have more bytes than it has now, None while it may."""
        packed_bytes = min(self._packed[owner], self._packed_bytes)
        if self._spent[owner] > self._limits.share_bytes:
            self._used_up.add(owner)
            return f"brings its hand-in to more than {self._limits.share_bytes // MIB:,} MiB"
        if self._spent[owner] > max(self._limits.free_bytes, self._limits.ratio * packed_bytes):
            self._used_up.add(owner)
            return f"brings its hand-in to more than {self._limits.ratio} times its size, as zip bombs do"
        return None
