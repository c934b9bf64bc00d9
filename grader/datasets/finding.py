"""Where a data set comes from: real files that were named, real files of the course, or a stand-in."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from grader.datasets.cifar import Cifar10, Cifar100
from grader.datasets.fashion_mnist import FashionMnist
from grader.datasets.homes import described, files_in, move_into_place, new_home
from grader.datasets.interface import DatasetFiles, KerasDataset
from grader.datasets.mnist import Mnist
from grader.errors import DatasetError
from grader.model import DatasetOrigin

if TYPE_CHECKING:
    from grader.datasets.formats import ImageArrays

STAND_INS = "stand-ins-v1"  # counts up whenever a stand-in is drawn differently

_DATASETS: dict[str, KerasDataset] = {
    dataset.name: dataset for dataset in (Mnist(), FashionMnist(), Cifar10(), Cifar100())
}


def dataset_names() -> tuple[str, ...]:
    """The names that `find_dataset` knows, as they stand below `keras.datasets`."""
    return tuple(_DATASETS)


def dataset_named(name: str) -> KerasDataset:
    """The data set of that name; DatasetError with the nearest right name when there is none."""
    if name in _DATASETS:
        return _DATASETS[name]
    near = difflib.get_close_matches(name, _DATASETS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(_DATASETS)}."
    raise DatasetError(f"There is no data set {name!r} here; {hint}")


def read_images(files: DatasetFiles) -> "ImageArrays":
    """The arrays of a set that was found, whatever format it lies in."""
    return dataset_named(files.name).read(
        {name.removeprefix("datasets/"): path for name, path in files.files}
    )


def find_dataset(name: str, *, data: Path | None, course_data: Path | None, cache: Path) -> DatasetFiles:
    """The files of one data set: from `data`, else from `course_data`, else the stand-in, made into `cache`.

    `data` (what `--data` or GRADER_DATA names) may be a Keras home, a folder that contains `keras/`, or the
    `datasets` folder itself; so may `course_data`. A folder without the set is passed over, and so is a
    `course_data` that does not exist. No other folder is looked at, Keras's own in the home folder least of
    all. Raises DatasetError, with the mend, when the name is unknown, `data` does not exist, a real file is
    damaged or one of several is missing, or the stand-in cannot be written.
    """
    dataset = dataset_named(name)
    if data is not None and not data.is_dir():
        raise DatasetError(f"There is no folder {data}; name the one with the data in --data or GRADER_DATA.")
    for folder in (data, course_data):
        files = files_in(folder, dataset) if folder is not None else None
        if files is not None:
            return described(dataset, DatasetOrigin.REAL, files, cache=cache)
    return _stand_in(dataset, cache)


def _stand_in(dataset: KerasDataset, cache: Path) -> DatasetFiles:
    """The stand-in from the cache, made when it is not there or not whole."""
    home = cache / STAND_INS
    try:
        files = files_in(home, dataset)
        if files is not None:
            return described(dataset, DatasetOrigin.STAND_IN, files, cache=cache)
    except DatasetError:
        pass  # a damaged cache is made anew
    try:
        with new_home(home) as draft:
            for path in dataset.paths:
                (draft / "datasets" / path).parent.mkdir(parents=True, exist_ok=True)
            dataset.make_stand_in(draft / "datasets")
            files = move_into_place(dataset, draft, home)
    except OSError as refusal:
        raise DatasetError(
            f"The stand-in for {dataset.name} cannot be written to {home} ({refusal}); "
            "make room there (200 MB) or name real data with --data."
        ) from refusal
    return described(dataset, DatasetOrigin.STAND_IN, files, cache=cache)
