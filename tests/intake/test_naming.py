import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.intake.choice import assignments_named_in
from grader.intake.naming import is_rubbish, natural_order, person_name, shown, slug, unique_ids

FIT_FOR_RECORDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Participant_101", "Participant_101"),
        ("Jörg Müller_12", "Jorg-Muller_12"),
        ("Straße & Co (neu) [2]", "Strasse-Co-neu-2"),
        ("../../etc/passwd", "etc-passwd"),
        ("index.html", "index-html"),
        ("学生", ""),
        ("-_-", ""),
    ],
)
def test_a_slug_keeps_what_can_be_read(name: str, expected: str) -> None:
    assert slug(name) == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(), max_size=150), max_size=12))
def test_ids_are_always_valid_and_unique_whatever_the_names(labels: list[str]) -> None:
    ids = unique_ids(labels)
    assert len(ids) == len(labels)
    assert all(FIT_FOR_RECORDS.fullmatch(one) for one in ids)
    assert len({one.casefold() for one in ids}) == len(ids)
    assert ids == unique_ids(labels)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["anna", "Anna", "ANNA", "an na", "an-na", "", "ä", "a", "?"]), max_size=10))
def test_ids_stay_unique_where_slugs_meet(labels: list[str]) -> None:
    ids = unique_ids(labels)
    assert len({one.casefold() for one in ids}) == len(ids)


def test_names_that_meet_get_a_hash_that_does_not_depend_on_their_order() -> None:
    one, other = unique_ids(["Anna Meier", "Anna-Meier"])
    assert one.startswith("Anna-Meier-")
    assert unique_ids(["Anna-Meier", "Anna Meier"]) == [other, one]


def test_a_shown_name_has_no_control_or_direction_marks() -> None:
    assert shown("evil\u202egpj.\nipynb\x1b[31m") == "evilgpj. ipynb[31m"
    assert len(shown("x" * 500)) == 80


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=60))
def test_a_shown_name_can_always_be_stored_and_stands_on_one_line(name: str) -> None:
    assert len(shown(name).encode().decode().splitlines()) <= 1


def test_a_person_s_name_is_composed_and_has_spaces_for_underscores() -> None:
    assert person_name(unicodedata.normalize("NFD", "Jörg_Müller")) == "Jörg Müller"
    assert person_name("_") is None


@pytest.mark.parametrize("name", [".DS_Store", "__MACOSX", ".ipynb_checkpoints", "~$notes.docx", "Thumbs.db"])
def test_what_systems_leave_behind_is_rubbish(name: str) -> None:
    assert is_rubbish(name)


def test_participant_9_comes_before_participant_101() -> None:
    assert sorted(["P_101", "p_9", "P_10"], key=natural_order) == ["p_9", "P_10", "P_101"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Übung 1", {"a1"}),
        (unicodedata.normalize("NFD", "Übung 1"), {"a1"}),
        ("ue2", {"a2"}),
        ("DL_ex3", {"a3"}),
        ("Assigment 2", {"a2"}),
        ("assignement_4 (1)", {"a4"}),
        ("Let the Tensors Flow", set()),
        ("index3, value2", set()),
    ],
)
def test_assignments_are_named_in_many_ways(text, named):
    assert assignments_named_in(text) == named
