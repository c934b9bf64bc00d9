"""The withheld split: training images that a notebook never sees, with other ones in their places.

Which ones is a secret of the course; students' own checks have a public split. Shapes, dtypes, file formats
and the test set stay as they are.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from pydantic import ValidationError

from grader.datasets.finding import dataset_named, read_images
from grader.datasets.homes import described, files_in, move_into_place, new_home
from grader.datasets.interface import DatasetFiles, Sha256
from grader.errors import DatasetError
from grader.model import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from grader.datasets.formats import ImageArrays

    Bytes: TypeAlias = NDArray[np.uint8]

WITHHELD, SHIFTED, NOISED, KNOWN = 5_000, 1_000, 1_000, 1_000
NOISE = 20  # grey levels up or down, of 255
SECRET_BYTES = 32
PUBLIC_SEED = b"grader: the public split of the data"  # known to everybody, so no grade may rest on it
SPLITS = "splits-v1"  # counts up whenever the same secret would give another split


class Split(Record):
    """A data set as one course's rooms get it, and what its models are asked and measured with.

    `inside` are the files for the room. `inputs` is a `.npy` file of uint8 (n, height, width[, 3]):
    withheld images, slightly altered copies of some, and images that the room has, in one shuffled order.
    `key` is a `.npz` file with what each of them is (see `read_key`); it never enters a room.
    """

    inside: DatasetFiles
    inputs: Path
    key: Path


class SplitKey(NamedTuple):
    """For each probe input its label, and whether it is withheld (0), shifted (1), noised (2) or known (3).

    Both uint8, (n,).
    """

    labels: Bytes
    kinds: Bytes


class _Made(Record):
    """The checksums of what was written for a split, to tell whether it is still whole."""

    inputs: Sha256
    key: Sha256


def course_secret(state: Path) -> bytes:
    """The secret of the course whose state lies in `state`, made when there is none: 32 random bytes.

    Raises DatasetError, with the mend, when the file cannot be read or written or is too short.
    """
    path = state / "split-secret"
    try:
        if not path.exists():
            state.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(prefix=".draft-", dir=state)  # readable by its owner only
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(SECRET_BYTES))
            try:
                os.link(draft, path)  # fails when another one was quicker: then theirs counts
            except FileExistsError:
                pass
            finally:
                Path(draft).unlink()
        secret = path.read_bytes()
    except OSError as refusal:
        raise DatasetError(
            f"The course's secret {path} cannot be read or made ({refusal.strerror}): make its folder "
            "writable and the file readable."
        ) from refusal
    if len(secret) < SECRET_BYTES:
        raise DatasetError(
            f"The course's secret {path} is damaged: put the old file back, or delete it, which makes a "
            "new split and runs every notebook again."
        )
    return secret


def split_dataset(files: DatasetFiles, secret: bytes, cache: Path) -> Split:
    """The split of a data set that `secret` chooses, kept below `cache` and made anew when not whole.

    The same files and secret give the same bytes. No withheld image occurs anywhere else in the set, byte
    for byte. Raises DatasetError when the files are damaged or `cache` cannot be written.
    """
    dataset = dataset_named(files.name)
    seed = hmac.new(secret, f"{SPLITS} {files.name} {files.sha256}".encode(), hashlib.sha256).hexdigest()
    home = cache / SPLITS / f"{files.name}-{hashlib.sha256(seed.encode()).hexdigest()[:24]}"
    inputs, key, made = home / "inputs.npy", home / "outside" / "key.npz", home / "outside" / "made.json"
    if not _is_whole(inputs, key, made):
        try:
            _make(files, int(seed, 16), home)
        except OSError as refusal:
            raise DatasetError(
                f"The split of {files.name} cannot be written to {home} ({refusal}); "
                "make room there (210 MB)."
            ) from refusal
    try:
        found = files_in(home, dataset)
        if found is None:
            raise DatasetError("its files are gone")
        inside = described(dataset, files.origin, found, cache=cache)
    except DatasetError:  # damaged since: made anew
        _make(files, int(seed, 16), home)
        found = files_in(home, dataset)
        if found is None:
            raise
        inside = described(dataset, files.origin, found, cache=cache)
    return Split(inside=inside, inputs=inputs, key=key)


def public_split(files: DatasetFiles, cache: Path) -> Split:
    """The split for a student's own check: the same on every machine, and of no use for guessing a course's.

    Raises as `split_dataset` does.
    """
    return split_dataset(files, PUBLIC_SEED, cache)


def read_inputs(inputs: Path) -> Bytes:
    """The images to ask about, uint8 (n, height, width[, 3]); DatasetError when they cannot be read."""
    import numpy as np

    try:
        images: Bytes = np.load(inputs, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as damage:
        raise DatasetError(
            f"{inputs} cannot be read ({damage}): delete it, it will be made again."
        ) from damage
    return images


def read_key(key: Path) -> SplitKey:
    """The key of a split's inputs; DatasetError when it cannot be read."""
    import numpy as np

    try:
        with np.load(key, allow_pickle=False) as arrays:
            return SplitKey(labels=arrays["labels"], kinds=arrays["kinds"])
    except (OSError, ValueError, KeyError) as damage:
        raise DatasetError(f"{key} cannot be read ({damage}): delete it, it will be made again.") from damage


def _is_whole(inputs: Path, key: Path, made: Path) -> bool:
    try:
        known = _Made.model_validate_json(made.read_bytes())
        return (known.inputs, known.key) == (_sha256(inputs), _sha256(key))
    except (OSError, ValidationError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _make(files: DatasetFiles, seed: int, home: Path) -> None:
    """Write the files for the room, the inputs and their key into `home`; `made.json` comes last."""
    import numpy as np

    dataset = dataset_named(files.name)
    generator = np.random.default_rng(seed)
    arrays = read_images(files)
    withheld, inside = _withhold(arrays, generator)
    images, key = _inputs(arrays, withheld, inside, generator)
    with new_home(home) as draft:
        for path in dataset.paths:
            (draft / "datasets" / path).parent.mkdir(parents=True, exist_ok=True)
        dataset.write(draft / "datasets", inside)
        np.save(draft / "inputs.npy", images, allow_pickle=False)
        outside = home / "outside"
        outside.mkdir(exist_ok=True)
        outside.chmod(0o700)
        np.savez(draft / "key.npz", labels=key.labels, kinds=key.kinds)
        made = _Made(inputs=_sha256(draft / "inputs.npy"), key=_sha256(draft / "key.npz"))
        (draft / "made.json").write_text(made.model_dump_json(), "utf-8")
        move_into_place(dataset, draft, home)
        (draft / "inputs.npy").replace(home / "inputs.npy")
        (draft / "key.npz").replace(outside / "key.npz")
        (draft / "made.json").replace(outside / "made.json")


def _withhold(arrays: ImageArrays, generator: np.random.Generator) -> tuple[NDArray[np.int64], ImageArrays]:
    """The indices of the withheld training images, and the set with others in their places."""
    import numpy as np

    count = len(arrays.y_train)
    everything = np.concatenate([arrays.x_train, arrays.x_test]).reshape(count + len(arrays.x_test), -1)
    rows = np.ascontiguousarray(everything).view(np.dtype((np.void, everything.shape[1]))).ravel()
    _, place, times = np.unique(rows, return_inverse=True, return_counts=True)
    is_only_one = times[place.ravel()[:count]] == 1
    withheld = generator.choice(np.flatnonzero(is_only_one), WITHHELD, replace=False)
    others = np.setdiff1d(np.arange(count), withheld)
    instead = generator.choice(others, WITHHELD, replace=False)
    x_train, y_train = arrays.x_train.copy(), arrays.y_train.copy()
    x_train[withheld], y_train[withheld] = arrays.x_train[instead], arrays.y_train[instead]
    return withheld, arrays._replace(x_train=x_train, y_train=y_train)


def _inputs(
    arrays: ImageArrays, withheld: NDArray[np.int64], inside: ImageArrays, generator: np.random.Generator
) -> tuple[Bytes, SplitKey]:
    """The images to ask about in a shuffled order, and what each of them is."""
    import numpy as np

    shifted, noised = withheld[:SHIFTED], withheld[-NOISED:]
    known = generator.choice(np.setdiff1d(np.arange(len(arrays.y_train)), withheld), KNOWN, replace=False)
    noise = generator.integers(-NOISE, NOISE + 1, (NOISED, *arrays.x_train.shape[1:]))
    images = [
        arrays.x_train[withheld],
        np.stack([_shifted(image, generator) for image in arrays.x_train[shifted]]),
        np.clip(arrays.x_train[noised] + noise, 0, 255).astype(np.uint8),
        inside.x_train[known],
    ]
    labels = arrays.y_train[np.concatenate([withheld, shifted, noised, known])]
    kinds = np.repeat(np.arange(4, dtype=np.uint8), [WITHHELD, SHIFTED, NOISED, KNOWN])
    order = generator.permutation(len(labels))
    return np.concatenate(images)[order], SplitKey(labels[order], kinds[order])


def _shifted(image: Bytes, generator: np.random.Generator) -> Bytes:
    """The image moved by one pixel up, down, left or right; what moves in is black."""
    import numpy as np

    axis, step = int(generator.integers(2)), int(generator.choice([-1, 1]))
    moved = np.roll(image, step, axis=axis)
    moved[(slice(None),) * axis + (0 if step == 1 else -1,)] = 0
    return moved
