"""What is taken out of a text, and what is left."""

from __future__ import annotations

import pytest

from grader.evidence.around import Work
from grader.evidence.observed import ObservedTraining, UpdatePath
from grader.model import Participant
from grader.report.pseudonyms import NamesLeftOut, _Texts, _whole_names, _words_of

NAMES = ("Alwin Zwirner", "Li Na", "Kerstin van Quast")
TEXTS = _Texts((*_whole_names(NAMES), *_words_of(NAMES)))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("by Alwin Zwirner", "by [name]"),
        ("ZWIRNER, ALWIN and alwin zwirner", "[name] and [name]"),
        ("A1_Alwin_Zwirner.ipynb", "A1_[name].ipynb"),
        ("Zwirner (234567), group 7", "[name] ([number]), group 7"),
        ("li na wrote it", "[name] wrote it"),
        ("mail: someone@example.org", "mail: [name]"),
        ("/home/alwin/idl/a1.py", "/home/[name]/idl/a1.py"),
        ("Matr.-Nr.: 234567", "Matr.-Nr.: [number]"),
        ("accuracy after 60000 images", "accuracy after 60000 images"),
        ("alwinization", "alwinization"),
    ],
)
def test_names_and_numbers_beside_them_are_taken_out(text, left):
    assert TEXTS.text(text) == left


def test_a_word_that_means_something_is_left_where_it_is_not_the_whole_name():
    texts = _Texts((*_whole_names(("Max Best",)), *_words_of(("Max Best",))))
    assert texts.text("Max Best: the Best model is best") == "[name]: the Best model is best"


def test_pictures_ids_and_hashes_stay_as_they_are():
    held = {"image": "Zwirner", "sha256": "Alwin", "text": ["Alwin", {"id": "Alwin"}]}
    assert TEXTS.within(held) == {"image": "Zwirner", "sha256": "Alwin", "text": ["[name]", {"id": "Alwin"}]}


def test_numbers_of_moodle_stand_for_people_and_else_digits_that_only_the_secret_gives():
    names, others = NamesLeftOut(b"a"), NamesLeftOut(b"b")
    assert names.called("Alwin-Zwirner_101", Participant(id="101", name="Alwin Zwirner")) == "Participant_101"
    assert names.called("Group-4_55", Participant(id="55", is_group=True)) == "Group_55"
    mine = names.called("Alwin-Zwirner", Participant(name="Alwin Zwirner"))
    assert mine == names.called("Alwin-Zwirner", Participant(name="Alwin Zwirner"))
    assert mine != others.called("Alwin-Zwirner", Participant(name="Alwin Zwirner"))


def test_what_a_record_holds_keeps_its_kind_and_one_without_names_is_no_copy():
    training = ObservedTraining(
        id=1,
        runs=(1,),
        path=UpdatePath.OPTIMIZER,
        gradients=2,
        updates=2,
        place="Zwirner",
        work=(Work(1, 2, 0),),
    )
    shown = TEXTS.record(training)
    assert (shown.place, shown.path, shown.work) == ("[name]", UpdatePath.OPTIMIZER, (Work(1, 2, 0),))
    assert TEXTS.record(shown) is shown
