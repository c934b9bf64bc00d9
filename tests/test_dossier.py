"""All that a grade rests on, in a zip; without keys where it is for the person."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import UTC, datetime

import pytest
from review.made_up import a_graded_course

from grader.dossier import CONTENTS, write_dossier
from grader.errors import UsageError
from grader.releasing import release

NOW = datetime(2026, 11, 25, tzinfo=UTC)
OURS = "Robin-Example0_100"


@pytest.fixture
def course(tmp_path):
    return a_graded_course(tmp_path / "course", 2)


def frozen(course, to, *, has_rubric=True):
    made = write_dossier(course, "a1", OURS, to, has_rubric=has_rubric, now=NOW)
    with zipfile.ZipFile(made.path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_everything_of_this_hand_in_is_there_and_nothing_of_another(course, tmp_path):
    release(course, "a1", who="J. D.", now=NOW)
    files = frozen(course, tmp_path / "out")
    assert {"grades.json", "decisions.json", "releases.json", "evidence.json"} <= files.keys()
    assert {"report/index.html", "run/run.json", "handed-in/work.ipynb", "rubric/a1.yaml"} <= files.keys()
    assert not any(b"Example1_101" in content for content in files.values())
    assert json.loads(files["grades.json"])[-1]["grade"]["submission"] == OURS


def test_the_contents_vouch_for_every_file(course, tmp_path):
    files = frozen(course, tmp_path)
    told = json.loads(files.pop(CONTENTS))
    assert told["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def test_the_person_gets_no_answer_keys(course, tmp_path):
    assert not any(name.startswith("rubric") for name in frozen(course, tmp_path, has_rubric=False))


def test_who_is_not_there_is_named_with_a_mend(course, tmp_path):
    with pytest.raises(UsageError, match=f"did you mean '{OURS}'"):
        write_dossier(course, "a1", "Robin-Example0", tmp_path, has_rubric=True, now=NOW)
