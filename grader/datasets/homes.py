"""Keras homes on disk: where a set lies in a folder, its checksums, and moving one into place."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from grader.datasets.interface import DatasetFiles, KerasDataset
from grader.errors import DatasetError
from grader.model import DatasetOrigin, Record

CHECKED_FILES = "checked-files-v1.json"
MEND = "put a good copy there, or delete what is there and fetch it with `grade datasets pull`"


class _Checked(Record):
    """Files that were found to be well-formed, and how they looked then: (path, bytes, mtime in ns)."""

    stamps: tuple[tuple[str, int, int], ...]
    sha256: str
    file_sha256: tuple[str, ...]


_CHECKED: TypeAdapter[dict[str, _Checked]] = TypeAdapter(dict[str, _Checked])


def files_in(folder: Path, dataset: KerasDataset) -> Mapping[str, Path] | None:
    """The files of `dataset` in a Keras home, a folder that contains `keras/`, or a `datasets` folder.

    None when there is none of them; DatasetError, with the mend, when there are some of them only.
    """
    for datasets in (folder / "datasets", folder / "keras" / "datasets", folder):
        files = {path: (datasets / path).absolute() for path in dataset.paths}
        missing = [path for path in files.values() if not path.is_file()]
        if not missing:
            return files
        if len(missing) < len(files):
            raise DatasetError(f"{missing[0]} is missing beside the other files of {dataset.name}; {MEND}.")
    return None


def described(
    dataset: KerasDataset, origin: DatasetOrigin, files: Mapping[str, Path], *, cache: Path | None = None
) -> DatasetFiles:
    """The record of files that are checked now, or were checked before and have not changed since.

    Raises DatasetError with the mend when a file is damaged. Remembers in `cache`, where one is given.
    """
    stamps = tuple(_stamp(files[path]) for path in dataset.paths)
    key = f"{dataset.name} {stamps[0][0]}"
    known = _remembered(cache)
    checked = known.get(key)
    if checked is None or checked.stamps != stamps:
        try:
            dataset.read(files)
            checked = _checksums(stamps)
        except DatasetError as damage:
            raise DatasetError(f"{str(damage).rstrip('.')}; {MEND}.") from damage
        except OSError as refusal:
            raise DatasetError(f"{dataset.name} cannot be read ({refusal}); {MEND}.") from refusal
        _remember(cache, {**known, key: checked})
    return DatasetFiles(
        name=dataset.name,
        origin=origin,
        files=tuple((f"datasets/{path}", files[path]) for path in dataset.paths),
        sha256=checked.sha256,
        file_sha256=checked.file_sha256,
    )


def _stamp(path: Path) -> tuple[str, int, int]:
    """What tells cheaply that a file is still the same."""
    status = path.stat()
    return str(path), status.st_size, status.st_mtime_ns


def _checksums(stamps: tuple[tuple[str, int, int], ...]) -> _Checked:
    """SHA-256 of each file, and of all of them one after the other."""
    together, alone = hashlib.sha256(), []
    for path, _, _ in stamps:
        one = hashlib.sha256()
        with Path(path).open("rb") as file:
            while piece := file.read(1 << 20):
                one.update(piece)
                together.update(piece)
        alone.append(one.hexdigest())
    return _Checked(stamps=stamps, sha256=together.hexdigest(), file_sha256=tuple(alone))


def _remembered(cache: Path | None) -> dict[str, _Checked]:
    """What was checked before; nothing when that cannot be read."""
    if cache is None:
        return {}
    try:
        return _CHECKED.validate_json((cache / CHECKED_FILES).read_bytes())
    except (OSError, ValidationError):
        return {}


def _remember(cache: Path | None, known: dict[str, _Checked]) -> None:
    """Writes what was checked, whole or not at all; a cache that cannot be written only costs time."""
    if cache is None:
        return
    with suppress(OSError), new_home(cache) as draft:
        (draft / CHECKED_FILES).write_bytes(_CHECKED.dump_json(known))
        (draft / CHECKED_FILES).replace(cache / CHECKED_FILES)


@contextmanager
def new_home(beside: Path) -> Iterator[Path]:
    """An empty folder below `beside` (made if need be) to fill and then move from; gone afterwards."""
    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=beside, ignore_cleanup_errors=True) as draft:
        yield Path(draft)


def move_into_place(dataset: KerasDataset, draft: Path, home: Path) -> Mapping[str, Path]:
    """Moves the finished files from one Keras home to another on the same disk, each in one step."""
    files = {}
    for path in dataset.paths:
        files[path] = (home / "datasets" / path).absolute()
        files[path].parent.mkdir(parents=True, exist_ok=True)
        (draft / "datasets" / path).chmod(0o644)
        (draft / "datasets" / path).replace(files[path])
    return files
