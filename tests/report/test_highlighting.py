import html
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.report.highlighting import highlight


def plain(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


def test_keywords_strings_comments_and_numbers_are_told_apart():
    markup = highlight("import os  # why\nx = 'a' + str(3)")
    assert '<span class="k">import</span>' in markup
    assert '<span class="c"># why</span>' in markup
    assert '<span class="s">&#39;a&#39;</span>' in markup
    assert '<span class="b">str</span>' in markup
    assert '<span class="n">3</span>' in markup


def test_code_cannot_become_markup():
    code = "x = '</code></pre><script>alert(1)</script>'  # <img src=x onerror=alert(1)>"
    assert "<script" not in highlight(code)
    assert "<img" not in highlight(code)
    assert plain(highlight(code)) == code


@given(st.text(st.sampled_from("ab \n\t'\"#(){}<>&!%\\0123=:@éß"), max_size=200))
def test_every_line_of_the_code_is_shown(code):
    shown = plain(highlight(code)).split("\n")
    assert [line for line in shown if line.strip()] == [line for line in code.split("\n") if line.strip()]


def test_magics_and_shell_lines_do_not_disturb_the_code_around_them():
    markup = highlight("%matplotlib inline\n!pip install 'x\nimport os")
    assert '<span class="m">%matplotlib inline\n!pip install &#39;x\n</span>' in markup
    assert '<span class="k">import</span>' in markup


def test_a_cell_in_another_language_is_left_plain():
    assert highlight("%%bash\nfor x in *; do echo $x; done") == "%%bash\nfor x in *; do echo $x; done"


def test_code_that_reads_otherwise_than_it_runs_is_exposed():
    assert "‹U+202E›" in highlight("ok = False  # \u202eeurT")


@pytest.mark.parametrize(
    "piece", [" \n", "\n", "(", "'''", "f'{", "\\\n", "0", '"', "a\n", "def ", " " * 1999 + "\n"]
)
def test_a_bomb_for_the_lexer_takes_little_time(piece):
    start = time.perf_counter()
    highlight(piece * (20_000 // len(piece)))
    assert time.perf_counter() - start < 3
