"""All that a grade rests on, in a zip; without keys where it is for the person."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import UTC, datetime

import pytest
from review.made_up import NothingRuns, a_graded_course

from grader.cleaning import clean
from grader.dossier import CONTENTS, write_dossier
from grader.errors import UsageError
from grader.gradebook import Gradebook
from grader.pipeline import grade
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
    assert {"grades.json", "decisions.json", "releases.json", "evidence/1.json"} <= files.keys()
    assert {"report/index.html", "handed-in/work.ipynb"} <= files.keys()
    assert {name.split("/")[-1] for name in files if name.startswith("runs/")} >= {"run.json"}
    assert {name.split("/")[-1] for name in files if name.startswith("rubric/")} >= {"a1.yaml"}
    assert not any(b"Example1_101" in content for content in files.values())
    assert json.loads(files["grades.json"])[-1]["grade"]["submission"] == OURS


def test_the_contents_vouch_for_every_file(course, tmp_path):
    files = frozen(course, tmp_path)
    told = json.loads(files.pop(CONTENTS))
    assert told["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def test_the_person_gets_no_answer_keys(course, tmp_path):
    assert not any(name.startswith("rubric") for name in frozen(course, tmp_path, has_rubric=False))


def test_the_rubric_is_the_one_by_which_the_grade_was_given(course, tmp_path):
    path = course.rubrics / "a1.yaml"
    before = path.read_bytes()
    path.write_text(path.read_text().replace("points: 2", "points: 3"))
    files = frozen(course, tmp_path)
    assert [content for name, content in files.items() if name.endswith("/a1.yaml")] == [before]
    assert json.loads(files[CONTENTS])["rubrics_not_kept"] == []


def test_what_a_released_grade_rests_on_outlives_another_run(course, tmp_path):
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        told = gradebook.latest("a1")[OURS]
        gradebook.release([told], who="J. D.", now=NOW)
    work = next(course.root.glob("submissions/a1/*Example0_100*/work.ipynb"))
    work.write_text(work.read_text().replace("print(0)", "print(0 + 0)"))
    list(grade(course.root / "submissions", course, NothingRuns()))
    clean(course)
    files = frozen(course, tmp_path)
    runs = {name.split("/")[1] for name in files if name.startswith("runs/")}
    assert told.run_key[:12] in runs
    assert len(runs) == len([name for name in files if name.startswith("evidence/")]) == 2


def test_who_is_not_there_is_named_with_a_mend(course, tmp_path):
    with pytest.raises(UsageError, match=f"did you mean '{OURS}'"):
        write_dossier(course, "a1", "Robin-Example0", tmp_path, has_rubric=True, now=NOW)
