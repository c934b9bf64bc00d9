from hypothesis import given
from hypothesis import strategies as st

from grader.report.allowance import size_of
from grader.report.visible import cut, escaped_within, short_name, show_hidden


def test_a_direction_change_in_a_name_is_written_out():
    assert show_hidden("Anna \u202egnp.exe") == "Anna ‹U+202E›gnp.exe"


def test_zero_width_and_control_characters_are_written_out():
    assert show_hidden("a\u200bb\ufeffc\x1b[2J\x00") == "a‹U+200B›b‹U+FEFF›c‹U+001B›[2J‹U+0000›"


def test_a_joiner_stays_between_letters_that_need_it_and_nowhere_else():
    assert show_hidden("می\u200cخواهم") == "می\u200cخواهم"
    assert show_hidden("pass\u200cword") == "pass‹U+200C›word"


def test_accents_umlauts_tabs_and_line_feeds_stay():
    assert show_hidden("Zoë Müller\tnaïve\r\n東京 e\u0301") == "Zoë Müller\tnaïve\r\n東京 e\u0301"


def test_stacked_marks_are_thinned_to_three():
    assert show_hidden("e" + "\u0301" * 500) == "e" + "\u0301" * 3


def test_a_name_cannot_fill_the_page():
    assert short_name("A.\n\n  Name") == "A. Name"
    assert short_name("n" * 3_000) == "n" * 119 + "…"


@given(st.text(st.characters(codec=None)))
def test_whatever_comes_in_can_be_written_as_utf8(text):
    show_hidden(text).encode()


def test_a_long_text_keeps_its_last_lines():
    text = "".join(f"step {number}\n" for number in range(1_000)) + "Test accuracy: 0.95"
    shown = cut(text, 400)
    assert shown.head.startswith("step 0\n")
    assert shown.tail.endswith("Test accuracy: 0.95")
    assert len(shown.head) + len(shown.tail) <= 400


@given(st.text(max_size=300), st.integers(0, 200), st.booleans())
def test_what_is_shown_and_what_is_left_out_add_up(text, limit, keep_end):
    shown = cut(text, limit, keep_end=keep_end)
    assert len(shown.head) + shown.left_out + len(shown.tail) == len(text)
    assert text.startswith(shown.head)
    assert text.endswith(shown.tail)


@given(st.text(st.sampled_from("a<&\n\u202e\0é"), max_size=3_000), st.integers(0, 2_000))
def test_a_text_never_takes_more_than_its_limit(text, limit):
    shown = escaped_within(text, limit)
    assert size_of(shown.head) + size_of(shown.tail) <= limit
    assert "<" not in shown.head + shown.tail
