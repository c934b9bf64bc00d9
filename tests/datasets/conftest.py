import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.datasets import DatasetFiles, find_dataset
from grader.datasets.finding import read_images
from grader.datasets.formats import ImageArrays

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def stand_in_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cache for all tests: both stand-ins are made once. Tests that damage files use their own."""
    cache = tmp_path_factory.mktemp("stand-ins")
    yield cache
    shutil.rmtree(cache)


@pytest.fixture(autouse=True)
def _nothing_large_is_left(tmp_path: Path) -> Iterator[None]:
    """Data sets are 55 MB each, and pytest keeps folders until all tests have passed."""
    yield
    shutil.rmtree(tmp_path)


@pytest.fixture(scope="session", params=["mnist", "fashion_mnist"])
def stand_in(request: pytest.FixtureRequest, stand_in_cache: Path) -> DatasetFiles:
    return find_dataset(request.param, data=None, course_data=None, cache=stand_in_cache)


@pytest.fixture(scope="session")
def stand_in_images(stand_in: DatasetFiles) -> ImageArrays:
    return read_images(stand_in)


@pytest.fixture(scope="session")
def real_data_for_tests() -> Path:
    """The folder with real data sets, only for tests that need them; they skip elsewhere."""
    named = os.environ.get("GRADER_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real data here: name a folder with it in GRADER_DATA")
    return folder
