from __future__ import annotations

import pytest

from grader.execution.modules import missing_module, shadowed_modules


@pytest.mark.parametrize(
    ("error", "name", "is_third_party"),
    [
        ("ModuleNotFoundError: No module named 'cv2'", "cv2", True),
        ("ModuleNotFoundError: No module named 'tensorflow_datasets.core'", "tensorflow_datasets", True),
        ("ModuleNotFoundError: No module named 'my_layers'", "my_layers", False),
    ],
)
def test_a_missing_module_is_named_and_placed(error, name, is_third_party):
    missing = missing_module(error)
    assert missing is not None
    assert (missing.name, missing.is_third_party) == (name, is_third_party)


def test_other_errors_miss_no_module():
    assert missing_module("NameError: name 'cv2' is not defined") is None
    assert missing_module("ValueError: No module named 'cv2' in this text") is None


def test_files_that_hide_a_library_are_named():
    files = [
        "numpy.py",
        "tensorflow/__init__.py",
        "data/numpy.py",
        "helper.py",
        "sitecustomize.py",
        "numpy.txt",
    ]
    assert shadowed_modules(files) == ["numpy.py", "sitecustomize.py", "tensorflow/__init__.py"]


def test_only_files_beside_the_notebook_hide_a_library():
    files = ["work/numpy.py", "tensorflow.py", "work/deep/keras.py"]
    assert shadowed_modules(files, "work") == ["work/numpy.py"]
