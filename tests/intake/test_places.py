from __future__ import annotations

import pytest

from grader.intake.places import DECISIONS, is_whole, staff_file


@pytest.fixture
def tree(tmp_path):
    hand_in = tmp_path / "submissions" / "a1" / "Participant_7_assignsubmission_file"
    (hand_in / "a1").mkdir(parents=True)
    for folder in (hand_in, hand_in / "a1"):
        (folder / "work.ipynb").write_text("{}")
    (tmp_path / "download.zip").write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "whole"),
    [
        ("submissions", True),
        ("submissions/a1", True),
        ("download.zip", True),
        ("submissions/a1/Participant_7_assignsubmission_file", False),
        ("submissions/a1/Participant_7_assignsubmission_file/work.ipynb", False),
        ("submissions/a1/Participant_7_assignsubmission_file/a1", False),
    ],
)
def test_a_part_of_a_class_is_told_from_the_whole(tree, path, whole):
    assert is_whole(tree / path, "a1") is whole


def test_a_folder_high_above_that_happens_to_have_the_name_means_nothing(tmp_path):
    deep = tmp_path / "a1" / "home" / "ta" / "course" / "submissions"
    deep.mkdir(parents=True)
    assert is_whole(deep, "a1")


@pytest.mark.parametrize(
    "path",
    [
        "submissions",
        "submissions/a1",
        "submissions/a1/Participant_7_assignsubmission_file",
        "submissions/a1/Participant_7_assignsubmission_file/work.ipynb",
    ],
)
def test_the_tas_decisions_are_found_from_anywhere_in_the_assignment(tree, path):
    file = tree / "submissions" / "a1" / "decisions.csv"
    file.write_text("submission,criterion,points,comment,who\n")
    assert staff_file(tree / path, "a1", DECISIONS) == file


def test_beside_a_zip_too(tree):
    (tree / "decisions.csv").write_text("")
    assert staff_file(tree / "download.zip", "a1", DECISIONS) == tree / "decisions.csv"


def test_a_student_decides_nothing(tree):
    hand_in = tree / "submissions" / "a1" / "Participant_7_assignsubmission_file"
    for folder in (hand_in, hand_in / "a1"):
        (folder / "decisions.csv").write_text("submission,criterion,points,comment,who\n7,names,1,,me\n")
    for path in (
        hand_in,
        hand_in / "work.ipynb",
        hand_in / "a1",
        hand_in / "a1" / "work.ipynb",
        tree / "submissions",
    ):
        assert staff_file(path, "a1", DECISIONS) is None


def test_a_folder_inside_a_hand_in_is_not_the_assignment_s(tmp_path):
    """Also where Moodle named nothing: the hand-ins lie in folders of their own names."""
    hand_in = tmp_path / "submissions" / "a1" / "Alice"
    (hand_in / "a1").mkdir(parents=True)
    (hand_in / "a1" / "decisions.csv").write_text("")
    assert staff_file(hand_in, "a1", DECISIONS) is None
    ours = tmp_path / "submissions" / "a1" / "decisions.csv"
    ours.write_text("")
    assert staff_file(hand_in / "a1", "a1", DECISIONS) == ours
