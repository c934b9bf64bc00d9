"""Notebooks as students have them before they hand in, and what each must be told (`notebooks/told.yaml`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from student.conftest import REPOSITORY, finding, told

from grader.checks.previews import Sight
from grader.errors import UsageError
from grader.evidence.record import Evidence
from grader.student.choosing import choose_edition
from grader.student.looking import look
from grader.student.own_work import read_own

HERE = Path(__file__).parent / "notebooks"
NOTEBOOKS: dict[str, Any] = yaml.safe_load((HERE / "told.yaml").read_text("utf-8"))


@pytest.fixture
def evidence_of(write):
    def read(name: str) -> Evidence:
        return read_own(write((HERE / f"{name}.txt").read_text("utf-8"), NOTEBOOKS[name]["file"]))

    return read


def test_every_notebook_has_what_it_must_be_told():
    assert {file.stem for file in HERE.glob("*.txt")} == set(NOTEBOOKS)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_is_taken_for_its_assignment_or_that_is_asked(name, evidence_of, editions):
    if NOTEBOOKS[name]["for"] == "asked":
        with pytest.raises(UsageError, match=r"may be one of a3 .* a4 .*: say it, as in --assignment"):
            choose_edition(editions, evidence_of(name), assignment=None)
    else:
        chosen = choose_edition(editions, evidence_of(name), assignment=None)
        assert chosen.assignment == NOTEBOOKS[name]["for"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_is_told_what_is_so(name, evidence_of, editions):
    label = NOTEBOOKS[name]
    looked = look(evidence_of(name), editions[label.get("as", label["for"])])
    assert [one.id for one in looked.failures] == label["fails"]
    for one, (sight, words) in label["tells"].items():
        assert finding(looked, one).sight is Sight(sight), (one, told(looked, one))
        assert words in told(looked, one)
    assert {one.id for one in looked.findings}.isdisjoint(label.get("silent", ()))


def test_a_script_that_was_given_out_is_not_diagnosed(look_at):
    """What is wrong with it is the task, in whatever notebook it is pasted."""
    script = (REPOSITORY / "rubrics/a2/scripts/fail5.py").read_text("utf-8")
    text = f"# %% [markdown]\nAlex Example\n# %%\n{script}\n"
    for assignment in ("a1", "a2", "a3", "a4"):
        assert look_at(text, assignment).likely_faults == ()
