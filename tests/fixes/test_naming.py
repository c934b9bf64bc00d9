"""Scripts are known by name, number and place, whatever a TA calls them."""

from __future__ import annotations

import pytest

from grader.fixes.naming import Names
from grader.fixes.records import BrokenScript


def names_of(*names: str) -> Names:
    return Names([BrokenScript(name=name, source="") for name in names])


FIVE = names_of("fail1", "fail2", "fail3", "fail4", "fail5")


def subjects(names: Names, text: str) -> set[str]:
    return {script for one in names.in_text(text) if one.is_subject for script in one.scripts}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("## Script 1", "1"),
        ("**Script #3:**", "3"),
        ("fail1.py", "1"),
        ("fail_2 and fail3", "23"),
        ("Scripts 1, 2 and 3", "123"),
        ("fail1/2/3", "123"),
        ("Skript 1-3", "123"),
        ("im dritten Skript", "3"),
        ("2. Skript", "2"),
        ("first and second script", "12"),
        ("the first two scripts", "12"),
        ("the final two scripts", "45"),
        ("das letzte Skript", "5"),
        ("script one", "1"),
        ("dead units (1, 2, 3)", "123"),
        ("all five scripts", "12345"),
        ("def train_fail3():", "3"),
        ("Unlike script 1, script 2 has no NaN", "2"),
        ("the same as in script 1", ""),
        ("It fails 2 times.", ""),
        ("60000 files", ""),
        ("a learning rate of 0.1 in all layers", ""),
        ("fail10", ""),
        ("training script", ""),
    ],
)
def test_a_text_names_scripts(text, numbers):
    assert subjects(FIVE, text) == {f"fail{number}" for number in numbers}


def test_what_a_script_is_compared_with_is_told_apart():
    [one] = FIVE.in_text("the same problem as in script 4")
    assert one.is_same
    assert one.scripts == {"fail4"}
    [one] = FIVE.in_text("in contrast to script 4")
    assert one.is_other


def test_scripts_without_numbers_are_counted_in_their_order():
    names = names_of("mnist_deep", "mnist_wide")
    assert subjects(names, "Script 2") == {"mnist_wide"}
    assert subjects(names, "In mnist_deep.py we") == {"mnist_deep"}


def test_a_script_called_by_a_plain_word_is_not_named_by_each_use_of_the_word():
    names = names_of("noise", "softmax")
    assert subjects(names, "The noise is strong, the softmax comes twice.") == set()
    assert subjects(names, "noise.py") == {"noise"}
    assert subjects(names, "the script softmax") == {"softmax"}


@pytest.mark.parametrize(("file", "number"), [("fail1_fixed.py", "1"), ("mended-3.py", "3"), ("a/2.py", "2")])
def test_a_file_name_names_a_script(file, number):
    assert FIVE.in_file_name(file.rsplit("/", 1)[-1]) == {f"fail{number}"}


def test_no_scripts_have_no_names():
    assert names_of().in_text("script 1, fail2 and all scripts") == []
