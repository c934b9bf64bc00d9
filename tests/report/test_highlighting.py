import html
import re

import pytest
from bounded import bounded
from hypothesis import given
from hypothesis import strategies as st

from grader.report.highlighting import highlight


def plain(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


def test_keywords_strings_comments_and_numbers_are_told_apart():
    markup = highlight("import os  # why\nx = 'a' + str(3) + 1e-3")
    assert "<i class=k>import</i>" in markup
    assert "<i class=c># why</i>" in markup
    assert "<i class=s>'a'</i>" in markup
    assert "<i class=b>str</i>" in markup
    assert "<i class=n>3</i>" in markup
    assert "<i class=n>1e-3</i>" in markup


def test_an_attribute_is_no_builtin_and_a_product_no_decorator():
    assert highlight("x.max(y.sum)") == "x.max(y.sum)"
    assert highlight("a\n@ b") == "a\n@ b"
    assert highlight("@tf.function\nf") == "<i class=b>@tf.function</i>\nf"


def test_code_cannot_become_markup():
    code = "x = '</code></pre><script>alert(1)</script>'  # <img src=x onerror=alert(1)>"
    assert "<script" not in highlight(code)
    assert "<img" not in highlight(code)
    assert plain(highlight(code)) == code


@given(st.text(st.sampled_from("ab \n\t'\"#(){}<>&!%\\0123=:@.éßrf"), max_size=200))
def test_all_of_the_code_is_shown_and_no_element_goes_over_a_line(code):
    markup = highlight(code)
    assert plain(markup) == code
    for line in markup.split("\n"):
        assert line.count("<i ") == line.count("</i>")


def test_a_string_over_several_lines_is_a_string_on_each():
    assert highlight("'''a\nb'''") == "<i class=s>'''a</i>\n<i class=s>b'''</i>"


def test_magics_and_shell_lines_do_not_disturb_the_code_around_them():
    markup = highlight("%matplotlib inline\n!pip install 'x\nimport os")
    assert "<i class=m>!pip install 'x</i>" in markup
    assert "<i class=k>import</i>" in markup


def test_a_cell_in_another_language_is_left_plain():
    assert highlight("%%bash\nfor x in *; do echo $x; done") == "%%bash\nfor x in *; do echo $x; done"


def test_code_that_reads_otherwise_than_it_runs_is_exposed():
    assert "‹U+202E›" in highlight("ok = False  # \u202eeurT")


@pytest.mark.parametrize(
    "piece",
    [" \n", "\n", "(", "'''", "''", "f'{", "\\\n", "\\", "0", '"', "a\n", "def ", "e+", " " * 1999 + "\n"],
)
def test_a_bomb_is_highlighted_in_bounded_time(piece):
    with bounded():
        highlight(piece * (200_000 // len(piece)))
