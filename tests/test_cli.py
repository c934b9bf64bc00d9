"""What a person at the terminal meets."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
RUBRIC = """
schema: 1
assignment: a1
title: A small assignment
edition: 2026
scale: points
datasets: []
criteria:
  - {id: outputs, title: Outputs are saved., points: 2, check: outputs-saved}
"""
NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "a1.yaml").write_text(RUBRIC)
    hand_ins = tmp_path / "submissions" / "a1"
    hand_ins.mkdir(parents=True)
    code = {"cell_type": "code", "source": "print(1)", "metadata": {}, "outputs": [], "execution_count": None}
    (hand_ins / "one.ipynb").write_text(json.dumps(NOTEBOOK | {"cells": [code]}))
    return tmp_path


def call(*words: str | Path, cwd: Path = REPOSITORY, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-m", "grader", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "120", "NO_COLOR": "1", **environment},
        check=False,
        timeout=120,
    )


def test_help_shows_the_options_of_the_main_verb_and_the_other_verbs():
    ended = call("--help")
    assert ended.returncode == 0
    for word in (
        "--assignment",
        "--data",
        "--course",
        "--jobs",
        "--json",
        "doctor",
        "datasets",
        "clean",
        "calibrate",
    ):
        assert word in ended.stdout
    assert "PATH" in ended.stdout


def test_the_version_is_told():
    ended = call("--version")
    assert ended.returncode == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", ended.stdout)


def test_help_loads_nothing_heavy():
    program = (
        "import sys; sys.argv = ['grade', '--help']\n"
        "from grader.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'nbformat', 'nbclient', 'numpy', 'jinja2', 'tensorflow'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip().endswith("[]")


def test_all_graded_is_0_and_the_page_to_open_is_named(course):
    ended = call("submissions", cwd=course)
    assert ended.returncode == 0, ended.stderr
    assert "Open reports/a1/index.html" in ended.stdout
    assert (course / "reports" / "a1" / "index.html").is_file()
    assert "\x1b" not in ended.stdout + ended.stderr


def test_a_decision_is_told_as_one(course):
    assert call("submissions", cwd=course).returncode == 0
    decisions = course / "submissions" / "a1" / "decisions.csv"
    decisions.write_text("submission,criterion,points,comment,who\none,outputs,1.5,,TA 1\n")
    ended = call("submissions", cwd=course)
    assert "moved: one: 0 → 1.5 points (outputs: not met (0) → decided (1.5))" in ended.stdout


def test_options_may_stand_after_the_path(course):
    ended = call(
        course / "submissions" / "a1" / "one.ipynb", "--course", course, "--assignment", "a1", "--json"
    )
    assert ended.returncode == 0, ended.stderr
    [part] = json.loads(ended.stdout)
    assert part["assignment"] == "a1"
    assert part["grades"][0]["criteria"][0]["outcome"] == "not_met"


def test_something_not_gradable_is_1(course):
    (course / "submissions" / "a1" / "two.ipynb").write_text("<html>")
    ended = call("submissions", cwd=course)
    assert ended.returncode == 1
    assert "not graded: two" in ended.stdout


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (["nothing-here"], "give a Moodle zip, a folder of hand-ins, or a notebook"),
        (["submissions", "--data", "nothing-here"], "which is no folder"),
        (["submissions", "--course", "reports-not-here"], "no course root"),
        (["submissions", "--assignment", "a7"], "has no a7, only a1"),
        (["--nonsense"], "nonsense"),
        (["submissions", "--jobs", "0"], "--jobs"),
        (["calibrate", "a7"], "no rubric for assignment `a7`"),
        (["calibrate", "a1"], "nothing to calibrate"),
        (["calibrate", "a1", "--seeds", "1"], "--seeds"),
    ],
)
def test_bad_usage_is_2_with_one_sentence_and_no_traceback(course, words, mend):
    ended = call(*words, cwd=course)
    assert ended.returncode == 2
    assert mend in re.sub(r"\s+", " ", ended.stderr)
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_a_verb_wins_over_a_path_of_the_same_name_and_a_dot_escapes(course):
    (course / "doctor").mkdir()
    shutil.copy(course / "submissions" / "a1" / "one.ipynb", course / "doctor" / "one.ipynb")
    assert "bubblewrap" in call("doctor", cwd=course).stdout
    ended = call("./doctor", "--assignment", "a1", cwd=course)
    assert ended.returncode == 0, ended.stderr
    assert "1 graded" in ended.stdout


def test_without_bubblewrap_one_sentence_says_what_to_type(course, tmp_path):
    ended = call("submissions", cwd=course, PATH=str(tmp_path))
    assert ended.returncode == 2
    assert "sudo apt-get install bubblewrap" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_clean_says_what_it_freed(course):
    call("submissions", cwd=course)
    ended = call("clean", cwd=course)
    assert ended.returncode == 0
    assert ended.stdout.startswith("0 runs and 0 pieces of evidence freed")
