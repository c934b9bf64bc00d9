from bounded import bounded
from hypothesis import given
from hypothesis import strategies as st

from grader.report.diffing import differing_lines


def told(saved, ours):
    return [(line.whose, line.text) for line in differing_lines(saved, ours)]


def test_a_line_with_other_numbers_stands_above_ours():
    assert told("epoch 1\nloss 0.5\nend", "epoch 1\nloss 0.7\nend") == [
        ("saved", "loss 0.5"),
        ("ours", "loss 0.7"),
    ]


def test_a_line_that_only_one_side_has_moves_no_other():
    assert told("loss 0.5", "a warning\nloss 0.5") == [("ours", "a warning")]


def test_of_many_lines_the_first_and_the_last_are_shown():
    saved, ours = ("\n".join(f"step {n}: {offset + n}" for n in range(50)) for offset in (100, 200))
    lines = told(saved, ours)
    assert lines[0] == ("saved", "step 0: 100")
    assert ("gap", "… 43 more lines differ …") in lines
    assert lines[-1] == ("ours", "step 49: 249")


def test_a_long_line_is_shown_where_it_differs():
    same = "x" * 300
    ((_, saved), (_, ours)) = told(f"{same} 0.5", f"{same} 0.7")
    assert saved.endswith("0.5")
    assert ours.endswith("0.7")
    assert len(saved) < 130


def test_hidden_characters_are_shown():
    assert told("a\u202eb", "c") == [("saved", "a‹U+202E›b"), ("ours", "c")]


@given(st.lists(st.sampled_from(["a", "b 1", "b 2", ""])), st.lists(st.sampled_from(["a", "b 1", "c"])))
def test_equal_texts_and_only_those_show_nothing(saved, ours):
    is_equal = [line for line in saved if line] == [line for line in ours if line]
    assert (told("\n".join(saved), "\n".join(ours)) == []) == is_equal


def test_a_bomb_for_the_matching_is_gone_through_in_bounded_time():
    saved, ours = ("\n".join(piece * 5_000) for piece in ("abcab", "bacba"))
    with bounded():
        differing_lines(saved, ours)
