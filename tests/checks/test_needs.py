"""What the TA is told of files and modules that a notebook needs and that were not handed in."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.checks.needs import flags_of_needs
from grader.evidence.record import Evidence
from grader.model import Attachment, Participant, Submission
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook

SHA = "0" * 64


def flags(source: str, *files: str) -> list[str]:
    notebook = Notebook(
        cells=(
            Cell(number=1, kind=CellKind.CODE, source="import numpy as np\nimport pandas as pd"),
            Cell(number=2, kind=CellKind.CODE, source=source),
        )
    )
    submission = Submission(
        id="one",
        assignment="a1",
        participant=Participant(id="1"),
        folder=Path("a1/one"),
        notebook="a1.ipynb",
        notebook_sha256=SHA,
        attachments=tuple(Attachment(name=name, size_bytes=1, sha256=SHA) for name in files),
    )
    evidence = Evidence(submission=submission, notebook=notebook, saved=read_outputs(notebook))
    return list(flags_of_needs(evidence))


def test_files_that_are_missing_are_named_with_their_cells():
    told = flags("x = np.load('x.npy')\nt = open('deu.txt')")
    assert told == ["Files that the notebook opens were not handed in: `x.npy` (cell 2), `deu.txt` (cell 2)."]


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ("np.load('x.npy')", "x.npy"),
        ("np.load('./data/x.npy')", "data/x.npy"),
        ("np.load('/content/x.npy')", "x.npy"),
        ("np.load('/content/drive/My Drive/IDL/x.npy')", "x.npy"),
        ("model.load_weights('ckpt/best')", "ckpt/best.index"),
        ("np.save('x.npy', a)\nnp.load('x.npy')", "other.txt"),
        ("from helper import run", "helper.py"),
        ("from pkg.helper import run", "pkg/helper.py"),
        ("import pickle, tensorflow, torch", "other.txt"),
    ],
)
def test_what_was_handed_in_or_made_here_or_is_a_library_is_not_missed(source, file):
    assert [flag for flag in flags(source, file) if "Drive" not in flag] == []


def test_a_file_that_lies_elsewhere_in_the_hand_in_is_named_with_its_place():
    [told] = flags("pd.read_csv('data/train.csv')", "train.csv")
    assert told == "Cell 2 opens `data/train.csv`, which was handed in as `train.csv`: it is not found there."


def test_a_path_of_another_machine_is_missed_though_the_file_was_handed_in():
    [told] = flags(r"pd.read_csv('C:\\Users\\me\\train.csv')", "train.csv")
    assert "handed in as `train.csv`" in told


def test_a_module_that_is_no_library_is_named():
    [told] = flags("from my_private_layers import Dense")
    assert told.startswith(
        "The notebook imports `my_private_layers` (cell 2), which is no library known here"
    )


def test_stand_ins_are_told_where_they_take_a_place():
    told = flags(
        "from datasets import MNISTDataset\nf = np.load('data/mnist.npz')\nd = '/content/drive/My Drive'"
    )
    assert told == [
        "`datasets.py` (cell 2) was not handed in: a stand-in for it takes its place.",
        "`mnist.npz` (cell 2) was not handed in: our own copy takes its place.",
        "It works in a Google Drive (cell 2): a folder with what was handed in takes its place.",
    ]


def test_the_courses_helper_that_was_handed_in_needs_no_stand_in():
    assert flags("from datasets import MNISTDataset", "datasets.py") == []


def test_downloads_are_told_because_there_is_no_network():
    [told] = flags("!wget https://example.org/deu-eng.zip")
    assert told.startswith("The notebook downloads files, and where it is run there is no network")


def test_many_files_are_counted():
    [told] = flags("\n".join(f"np.load('x{n}.npy')" for n in range(9)))
    assert told.endswith("and 3 more.")
