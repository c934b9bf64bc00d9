"""The entries of a zip as they claim to be: opened with a bound, named safely, judged before unpacking."""

from __future__ import annotations

import io
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path

from grader.intake.naming import shown
from grader.model import Record

MIB = 1024**2
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OverflowError,
    RuntimeError,  # NotImplementedError of an unknown method among them
    ValueError,
)
"""What zipfile raises over a damaged or forged zip."""

_SLACK_BYTES = 512 * 1024  # zipfile's search for the end of the zip, and one chunk of an entry
_DIRECTORY_BYTES_PER_ENTRY = 256  # what an entry may use, on average, in the zip's table of contents
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack without a bound on memory
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")
_COMPONENT_BYTES = 255


class ArchiveLimits(Record):
    """What one zip may hold. Sizes are counted as the bytes come out, whatever its headers say.

    `share_bytes` is what one share (one hand-in of a class's zip) may unpack to. A file may unpack to
    `ratio` times its packed size, but up to `free_bytes` any ratio is fine: progress bars pack well.
    """

    entries: int = 5_000
    file_bytes: int = 256 * MIB
    share_bytes: int = 512 * MIB
    total_bytes: int = 512 * MIB
    ratio: int = 250
    free_bytes: int = 32 * MIB
    depth: int = 20
    path_bytes: int = 1_000


class Refusal(Record):
    """Why an entry (or, with `entry` None, the whole zip) was not unpacked.

    `reason` is a phrase: "leads out of its folder" for an entry, "it is damaged" for a zip.
    """

    entry: str | None = None
    reason: str

    def __str__(self) -> str:
        """The phrase with the entry's name, fit to follow "because"."""
        return f"its entry “{shown(self.entry)}” {self.reason}" if self.entry is not None else self.reason


class _BoundedFile(io.FileIO):
    """A file that hands out at most `most` bytes in one read: zipfile reads a table of contents whole."""

    def __init__(self, path: Path, most: int) -> None:
        super().__init__(path, "rb")
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        """As `FileIO.read`; `BadZipFile` when more than `most` bytes would come."""
        asked = self._most + 1 if size is None or size < 0 else min(size, self._most + 1)
        data = super().read(asked) or b""
        if len(data) > self._most:
            raise zipfile.BadZipFile("its table of contents is too large")
        return data


class BoundedZip(zipfile.ZipFile):
    """A zip opened for reading, with a bound on its table of contents; closes its file with itself."""

    def __init__(self, path: Path, limits: ArchiveLimits) -> None:
        self._bounded = _BoundedFile(path, limits.entries * _DIRECTORY_BYTES_PER_ENTRY + _SLACK_BYTES)
        try:
            super().__init__(self._bounded)
        except BaseException:  # whatever it was, the file is ours to close
            self._bounded.close()
            raise

    def close(self) -> None:
        """Close the zip and its file; may be called again."""
        super().close()
        if hasattr(self, "_bounded"):
            self._bounded.close()


def open_zip(archive: Path, limits: ArchiveLimits) -> BoundedZip | Refusal:
    """The zip at `archive`; a `Refusal` when it is none, is damaged, or has too many entries."""
    try:
        opened = BoundedZip(archive, limits)
    except PermissionError:
        return Refusal(reason="its access rights do not let it be read")
    except (*DAMAGED, OSError, MemoryError):
        return Refusal(reason="it is damaged, or no zip at all")
    count = len(opened.infolist())
    if count > limits.entries:
        opened.close()
        return Refusal(reason=f"it has {count:,} entries, more than {limits.entries:,}")
    return opened


def entry_name(info: zipfile.ZipInfo) -> str:
    """An entry's name in Unicode's composed form, with `/` between folders and at a folder's end.

    Some programs write UTF-8 without saying so; what reads as UTF-8 is taken for it.
    """
    name = info.orig_filename
    if not info.flag_bits & 0x800 and not name.isascii():
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = info.orig_filename
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def entry_parts(name: str) -> tuple[str, ...]:
    """The folders and the file that an entry's name consists of, without empty ones and `.`."""
    return tuple(part for part in name.split("/") if part not in ("", "."))


def meeting_key(parts: tuple[str, ...]) -> str:
    """Equal for two paths that some file system takes for one: case and Unicode form are ignored."""
    folded = unicodedata.normalize("NFD", "/".join(parts)).casefold()
    return unicodedata.normalize("NFD", folded)


def entry_fault(info: zipfile.ZipInfo, name: str, limits: ArchiveLimits) -> str | None:
    """Why an entry is not unpacked, as its header tells; None when nothing speaks against it."""
    size_fault = oversize(info.file_size, info.compress_size, limits)
    return _name_fault(name, limits) or _kind_fault(info) or size_fault


def _name_fault(name: str, limits: ArchiveLimits) -> str | None:
    parts = entry_parts(name)
    if name.startswith("/") or _DRIVE.match(name):
        return "has an absolute path"
    if ".." in parts:
        return "leads out of the folder that it belongs in"
    if _CONTROL.search(name):
        return "has control characters in its name"
    if not parts:
        return "has no name"
    if len(parts) > limits.depth:
        return f"lies {len(parts)} folders deep, deeper than {limits.depth}"
    encoded = [len(part.encode("utf-8", "surrogatepass")) for part in parts]
    if max(encoded) > _COMPONENT_BYTES or sum(encoded) + len(parts) > limits.path_bytes:
        return "has too long a name"
    return None


def _kind_fault(info: zipfile.ZipInfo) -> str | None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a link, and links are not followed"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is neither a file nor a folder"
    if info.header_offset < 0:
        return "is damaged"
    if info.flag_bits & 0x41:
        return "is protected by a password"
    if info.compress_type not in _METHODS:
        return "is packed in a way that is not supported (only the usual “deflate” is)"
    return None


def oversize(unpacked_bytes: int, packed_bytes: int, limits: ArchiveLimits) -> str | None:
    """Why a file that unpacks from `packed_bytes` to `unpacked_bytes` is too much, None when it is not."""
    if unpacked_bytes > limits.file_bytes:
        return f"unpacks to more than {limits.file_bytes // MIB:,} MiB"
    if unpacked_bytes > max(limits.free_bytes, limits.ratio * packed_bytes):
        return f"unpacks to more than {limits.ratio} times its size, as zip bombs do"
    return None
