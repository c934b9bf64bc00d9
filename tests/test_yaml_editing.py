from __future__ import annotations

import pytest

from grader.strict_yaml import read_yaml
from grader.yaml_editing import edited_yaml

TEXT = """# On top: ä, 0.80
criteria:
  - id: accuracy   # 0.80
    with:
      thresholds:
        # why
        mnist: {full: 0.80, partly: 0.5}   # kept
        other:
          full: '0.80'
          partly: 0.50
      band: 0.02
"""
LINES = ("criteria", 0, "with", "thresholds")


def test_a_value_is_changed_and_all_else_stays():
    new = edited_yaml(TEXT, {(*LINES, "mnist", "full"): "0.85"}, {}, "mark ")
    assert new == TEXT.replace("mnist: {full: 0.80", "mnist: {full: 0.85")


def test_quotes_and_blocks_are_no_obstacle():
    values = {
        (*LINES, "other", "full"): "0.85",
        (*LINES, "other", "partly"): "0.4",
        (*LINES[:3], "band"): "0.03",
    }
    new = edited_yaml(TEXT, values, {}, "mark ")
    expected = TEXT.replace("full: '0.80'", "full: 0.85").replace("partly: 0.50", "partly: 0.4")
    assert new == expected.replace("band: 0.02", "band: 0.03")


def test_letters_of_any_width_before_a_value_move_nothing():
    text = "title: ä € 😀\ncriteria: [{points: 0.5}]  # 😀\n"
    new = edited_yaml(text, {("criteria", 0, "points"): "1.5"}, {}, "mark ")
    assert new == text.replace("0.5", "1.5")


def test_whatever_a_rubric_is_read_from_can_be_edited(tmp_path):
    text = "title: a\nwith: {full:\t0.8}\n"  # PyYAML's own parser refuses tabs there
    (tmp_path / "a1.yaml").write_text(text)
    assert read_yaml(tmp_path / "a1.yaml").value == {"title": "a", "with": {"full": 0.8}}
    assert edited_yaml(text, {("with", "full"): "0.9"}, {}, "mark ") == text.replace("0.8", "0.9")


def test_equal_numbers_are_left_as_they_are_written():
    assert edited_yaml(TEXT, {(*LINES, "mnist", "partly"): "0.50"}, {}, "mark ") == TEXT


def test_a_note_comes_above_and_the_next_one_takes_its_place():
    once = edited_yaml(TEXT, {}, {(*LINES, "mnist"): "one"}, "mark ")
    assert once == TEXT.replace("        mnist:", "        # mark one\n        mnist:")
    twice = edited_yaml(once, {}, {(*LINES, "mnist"): "two", (*LINES[:3], "band"): "three"}, "mark ")
    assert twice == TEXT.replace("        mnist:", "        # mark two\n        mnist:").replace(
        "      band:", "      # mark three\n      band:"
    )


def test_notes_on_one_line_stand_below_each_other():
    text = "a: {b: 1, c: 2}\n"
    once = edited_yaml(text, {}, {("a", "b"): "b", ("a", "c"): "c"}, "mark ")
    assert once == f"# mark b\n# mark c\n{text}"
    assert edited_yaml(once, {}, {("a", "b"): "b", ("a", "c"): "c"}, "mark ") == once


@pytest.mark.parametrize("before", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_are_kept(before):
    text = before + TEXT.replace("\n", "\r\n")
    new = edited_yaml(text, {(*LINES, "mnist", "full"): "0.9"}, {(*LINES, "mnist"): "one"}, "mark ")
    expected = text.replace("mnist: {full: 0.80", "mnist: {full: 0.9")
    assert new == expected.replace("        mnist:", "        # mark one\r\n        mnist:")


@pytest.mark.parametrize("place", [("nothing",), ("criteria", 1), ("criteria", 0, "id", "more")])
def test_a_place_that_is_not_there_is_an_error(place):
    with pytest.raises(KeyError):
        edited_yaml(TEXT, {place: "1"}, {}, "mark ")
