"""`grade check` on macOS, Windows and Colab, as far as that can be tried here (see `other_systems.py`)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from student.conftest import REPOSITORY
from student.other_systems import MACOS, WINDOWS, grade_and_run_on, grade_on

SAMPLE = REPOSITORY / "submissions/a1/Participant_102_assignsubmission_file/IDL_Assignment_1.ipynb"
MISSING = REPOSITORY / "submissions/a1/Participant_104_assignsubmission_file/a1_final.ipynb"
SYSTEMS = pytest.mark.parametrize("system", [MACOS, WINDOWS], ids=lambda system: system.platform)
OWN = """
# %% [markdown]
Let the Tensors Flow
Alex Example
# %%
import os, sys
import numpy as np
images = np.load(os.environ['KERAS_HOME'] + '/datasets/mnist.npz')['x_train']
print(sys.platform, sorted(os.listdir()), len(images))
# %%
%cd /content/drive/MyDrive/mine
from google.colab import drive
drive.mount('/content/drive')
print(open('notes.txt').read(), input('who?'), end='.')
# %%
from ownmodule import DOUBLE
raise ValueError(DOUBLE(21))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder far from the course, with the student edition of assignment 1."""
    place = tmp_path_factory.mktemp("elsewhere")
    made = grade_on(WINDOWS, "student-edition", "a1", "--course", str(REPOSITORY), cwd=place)
    assert made.returncode == 0, made.stderr
    return place


@SYSTEMS
def test_a_notebook_is_read_to_the_end(system, folder):
    told = grade_on(
        system, "check", str(SAMPLE), "--edition", "a1.student.yaml", "--html", "page.html", cwd=folder
    )
    assert told.returncode == 0, told.stderr
    assert "Nothing that is required is missing" in told.stdout.decode("utf-8")
    assert "An answer stands in" in (folder / "page.html").read_text("utf-8")
    as_json = grade_on(system, "check", str(MISSING), "--edition", "a1.student.yaml", "--json", cwd=folder)
    assert as_json.returncode == 1
    assert json.loads(as_json.stdout)["ok"] is False


@pytest.fixture(scope="module")
def caches(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A cache for each system; they share what is made of the data, and no run."""
    place = tmp_path_factory.mktemp("caches")
    (place / "data").mkdir()
    names = (MACOS.platform, WINDOWS.platform, "colab")
    for name in names:
        state = place / name / "grader" / ".grader"
        state.mkdir(parents=True)
        (state / "cache").symlink_to(place / "data")
    return {name: place / name for name in names}


@SYSTEMS
def test_a_notebook_is_run_there(system, folder, notebook_of, caches):
    cache = caches[system.platform]
    notebook = folder / "own.ipynb"
    notebook.write_text(json.dumps(notebook_of(OWN)), "utf-8")
    (folder / "notes.txt").write_text("mine", "utf-8")
    (folder / "ownmodule.py").write_text("def DOUBLE(x): return 2 * x", "utf-8")
    asked = ("check", "own.ipynb", "--edition", "a1.student.yaml", "--run", "--json")
    told = grade_and_run_on(system, *asked, cwd=folder, cache=cache)
    assert told.returncode == 1, told.stderr
    said = json.loads(told.stdout)
    assert said["was_run"] is True
    [runs] = [one for one in said["about_notebook"] if one["id"] == "runs"]
    assert [reason["text"] for reason in runs["reasons"]] == ["Cell 4 failed: ValueError: 42"]
    first, second, _ = outputs_of_the_run(cache)
    assert first.startswith(f"{system.platform} ['drive', 'notes.txt', 'ownmodule.py', 'sample_data'] 60000")
    assert second.endswith("Mounted at /content/drive\nwho?\nmine .")


def test_a_notebook_is_run_from_within_another_as_in_colab(
    folder, notebook_of, caches, monkeypatch, tmp_path
):
    """As root, with no bubblewrap in the path, and with variables of the session that calls."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "grade").symlink_to(Path(sys.executable).with_name("grade"))
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")  # for "!", where SHELL names none
    for name, value in {
        "PATH": str(tmp_path / "bin"),
        "PYTHONPATH": "/env/python",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "XDG_CACHE_HOME": str(caches["colab"]),
    }.items():
        monkeypatch.setenv(name, value)
    own = "# %% [markdown]\nLet the Tensors Flow\nAlex Example\n# %%\nimport sys\nprint('in', sys.platform)\n"
    (folder / "Assignment 1.ipynb").write_text(json.dumps(notebook_of(own)), "utf-8")
    calling = nbformat.v4.new_code_cell(
        '!grade check "Assignment 1.ipynb" --edition a1.student.yaml --run; echo exit $?'
    )
    notebook = nbformat.v4.new_notebook(cells=[calling])
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    said = " ".join(output.text for output in notebook.cells[0].outputs)
    assert "run without a sandbox, as a program of yours" in " ".join(said.split())
    assert "All 1 code cells ran to their end" in said
    assert "exit 1" in said
    assert outputs_of_the_run(caches["colab"]) == ["in linux\n"]


def outputs_of_the_run(cache: Path) -> list[str]:
    [executed] = cache.glob("grader/.grader/runs/*/executed.ipynb")
    cells: Any = nbformat.read(executed, as_version=4).cells
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in cells]


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii"])
def test_a_console_that_knows_few_letters_is_written_to(encoding, folder):
    edition = ("--edition", "a2.student.yaml")
    made = grade_on(
        WINDOWS, "student-edition", "a2", "--course", str(REPOSITORY), cwd=folder, encoding=encoding
    )
    assert made.returncode == 0, made.stderr
    notebook = REPOSITORY / "submissions/a2/Participant_202_assignsubmission_file/Übung 2.ipynb"
    told = grade_on(WINDOWS, "check", str(notebook), *edition, cwd=folder, encoding=encoding)
    assert told.returncode == 1, told.stderr
    assert "what shuffle -> repeat -> batch does" in told.stdout.decode(encoding)
    as_json = grade_on(WINDOWS, "check", str(notebook), *edition, "--json", cwd=folder, encoding=encoding)
    assert json.loads(as_json.stdout)["notebook"] == notebook.name
    nothing = grade_on(WINDOWS, "check", "Übung „3“ → 4.ipynb", *edition, cwd=folder, encoding=encoding)
    assert nothing.returncode == 2
    assert b"does not exist" in nothing.stderr
