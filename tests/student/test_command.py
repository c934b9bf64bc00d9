"""`grade check`, `grade student-edition` and `grade template` as they are typed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from student.conftest import REPOSITORY
from typer.testing import CliRunner

from grader.cli import app
from grader.errors import GraderError, RubricError, UsageError
from grader.student.edition import edition_in_yaml

SAMPLES = REPOSITORY / "submissions" / "a1"
GOOD = SAMPLES / "Participant_102_assignsubmission_file" / "IDL_Assignment_1.ipynb"
WITHOUT_OUTPUTS = SAMPLES / "Participant_104_assignsubmission_file" / "a1_final.ipynb"


def grade(*arguments: str) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, GraderError):
        raise result.exception
    return result


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder far from any course, with one notebook in it; the current one."""
    shutil.copy(GOOD, tmp_path / "my.ipynb")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_missing_is_0_and_something_required_missing_is_1():
    assert grade("check", str(GOOD)).exit_code == 0
    missing = grade("check", str(WITHOUT_OUTPUTS))
    assert missing.exit_code == 1
    assert "1 required thing is missing or failing:\n  - The notebook was saved with" in missing.output


def test_json_holds_what_was_found_and_where():
    told = json.loads(grade("check", str(WITHOUT_OUTPUTS), "--json").output)
    assert told["ok"] is False
    assert told["assignment"] == "a1"
    found = {one["id"]: one for one in told["asked_for"]}
    assert found["outputs-saved"]["sight"] == "missing"
    assert found["hidden-layer"]["reasons"][0]["cell"] == 4


def test_without_an_edition_a_sentence_says_where_to_put_one(elsewhere):
    with pytest.raises(
        UsageError, match=r"There is no student edition \(\*\.student\.yaml\) beside my\.ipynb"
    ):
        grade("check", "my.ipynb")


def test_the_edition_beside_the_notebook_is_found_and_says_the_same(elsewhere):
    grade("student-edition", "a1", "--course", str(REPOSITORY))
    assert (elsewhere / "a1.student.yaml").is_file()
    beside = grade("check", "my.ipynb", "--json").output
    course = grade("check", "my.ipynb", "--course", str(REPOSITORY), "--json").output
    assert beside == course


@pytest.mark.parametrize("name", ["a1.student (1).yaml", "a1.student.yaml.txt", "A1.Student.yml"])
def test_an_edition_is_found_by_the_name_that_a_browser_gives_it(elsewhere, editions, name):
    (elsewhere / name).write_text(edition_in_yaml(editions["a1"]), "utf-8")
    assert grade("check", "my.ipynb").exit_code == 0


def test_two_editions_of_one_assignment_must_not_differ(elsewhere, editions):
    text = edition_in_yaml(editions["a1"])
    for name in ("a1.student.yaml", "a1.student (1).yaml"):
        (elsewhere / name).write_text(text, "utf-8")
    assert grade("check", "my.ipynb").exit_code == 0
    (elsewhere / name).write_text(text.replace("edition: 2026", "edition: 2025"), "utf-8")
    with pytest.raises(UsageError, match="are different student editions of a1: keep the one"):
        grade("check", "my.ipynb")


def test_what_is_no_edition_is_told_before_it_is_read(elsewhere):
    for name in (".", "gone.yaml"):
        with pytest.raises(UsageError, match=r"--edition names .*, which is no file"):
            grade("check", "my.ipynb", "--edition", name)
    with pytest.raises(RubricError, match="this is no student edition: take the one that your course gives"):
        grade("check", "my.ipynb", "--edition", "my.ipynb")


def test_of_several_editions_the_one_that_fits_is_taken(elsewhere):
    for assignment in ("a1", "a2"):
        grade("student-edition", assignment, "--course", str(REPOSITORY))
    shutil.copy(REPOSITORY / "reference_solutions" / "a2" / "solution.ipynb", "second.ipynb")
    for notebook, assignment in (("my.ipynb", "a1"), ("second.ipynb", "a2")):
        assert json.loads(grade("check", notebook, "--json").output)["assignment"] == assignment
    told = json.loads(grade("check", "my.ipynb", "--json", "--assignment", "a2").output)
    assert told["assignment"] == "a2"
    with pytest.raises(UsageError, match="no student edition of a9, only of a1, a2"):
        grade("check", "my.ipynb", "--assignment", "a9")


def test_a_template_is_not_written_over_a_notebook(elsewhere):
    with pytest.raises(UsageError, match=r"There is already a file my\.ipynb"):
        grade("template", "a1", "--to", "my.ipynb", "--course", str(REPOSITORY))
    assert grade("template", "a2", "--course", str(REPOSITORY)).exit_code == 0
    assert json.loads((elsewhere / "a2.ipynb").read_text("utf-8"))["nbformat"] == 4


def test_a_page_that_cannot_be_written_is_told(elsewhere):
    with pytest.raises(UsageError, match="cannot be written"):
        grade("check", "my.ipynb", "--course", str(REPOSITORY), "--html", "no/such/folder.html")


@pytest.mark.parametrize("columns", ["40", "80", "120"])
def test_lines_fit_the_terminal(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    output = grade("check", str(WITHOUT_OUTPUTS)).output
    assert max(len(line.rstrip()) for line in output.split("\n")) <= int(columns)


def test_what_a_notebook_says_is_no_markup_on_the_page(elsewhere, notebook_of):
    text = "# %% [markdown]\nAlex <script>alert(1)</script>\n# %%\nprint(nothing_of('<img src=x>'))\n"
    Path("my.ipynb").write_text(json.dumps(notebook_of(text)), "utf-8")
    grade("check", "my.ipynb", "--course", str(REPOSITORY), "--assignment", "a1", "--html", "page.html")
    page = Path("page.html").read_text("utf-8")
    assert "<script" not in page
    assert "<img" not in page


def test_a_look_imports_nothing_heavy(elsewhere, editions):
    """How long it takes is told by `benchmarks/student_check.py`; with all editions there, to choose from."""
    for assignment, edition in editions.items():
        (elsewhere / f"{assignment}.student.yaml").write_text(edition_in_yaml(edition), "utf-8")
    code = (
        "import sys; sys.argv = ['grade', 'check', 'my.ipynb']\n"
        "heavy = 'numpy', 'tensorflow', 'keras', 'matplotlib', 'sqlalchemy', 'nbclient'\n"
        "sys.modules.update(dict.fromkeys(heavy))\n"
        "from grader.cli import main; main()"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "Let the Tensors Flow (a1)" in ended.stdout
