"""What a data set is to the rest of the program: files, named as Keras looks for them."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Protocol, Self

from pydantic import Field, model_validator

from grader.model import DatasetOrigin, DatasetUse, Record

if TYPE_CHECKING:
    from grader.datasets.formats import ImageArrays

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DatasetFiles(Record):
    """One data set as it lies on this machine, found whole and well-formed.

    `files` pairs the path below `KERAS_HOME` (`datasets/mnist.npz`) with the absolute path on this machine,
    in name order. `sha256` is over the bytes of all files in that order, `file_sha256` over each alone.
    """

    name: str
    origin: DatasetOrigin
    files: Annotated[tuple[tuple[str, Path], ...], Field(min_length=1)]
    sha256: Sha256
    file_sha256: tuple[Sha256, ...]

    @model_validator(mode="after")
    def _files_are_in_order_and_in_place(self) -> Self:
        names = [name for name, _ in self.files]
        if names != sorted(set(names)):
            raise ValueError(f"the files of {self.name} must be in name order, each once")
        for name, path in self.files:
            below = PurePosixPath(name)
            if below.is_absolute() or ".." in below.parts or not path.is_absolute():
                raise ValueError(f"{name!r} must lie below the Keras home and {path} must be absolute")
        if len(self.file_sha256) != len(self.files):
            raise ValueError(f"{self.name} needs one checksum per file")
        return self

    @property
    def use(self) -> DatasetUse:
        """What a run records about the data that it had."""
        return DatasetUse(name=self.name, origin=self.origin, sha256=self.sha256)


class KerasDataset(Protocol):
    """One data set that `keras.datasets.<name>.load_data()` serves; one file of this package each."""

    @property
    def name(self) -> str:
        """The module's name below `keras.datasets`."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The files it is read from, below `KERAS_HOME/datasets`, in name order."""

    def read(self, files: Mapping[str, Path]) -> "ImageArrays":
        """The arrays in the files (keys as in `paths`); nothing that they hold is run or made an object.

        Raises DatasetError, one sentence without the mend, when a file cannot be read or holds anything else
        than Keras's own file of that name would (names, shapes, dtypes, range of labels).
        """

    def write(self, datasets: Path, arrays: "ImageArrays") -> None:
        """Writes `arrays` below `datasets` in the set's own format, the same bytes on every machine."""

    def make_stand_in(self, datasets: Path) -> None:
        """Writes a generated set of the same form below `datasets`, the same bytes on every machine."""
