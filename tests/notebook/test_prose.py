from __future__ import annotations

import pytest
from bounded import bounded
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.notebook.answering import find_answer, text_beside
from grader.notebook.prose import Origin, Prose, is_sentence, read_prose
from grader.notebook.records import Cell, CellKind, Notebook

QUESTION = (
    "Initializing variables to 0 will not work for multilayer perceptrons. You need to initialize values "
    "randomly instead (e.g. random_uniform between -0.1 and 0.1). Why do you think this is the case?"
)
WORDS = ("zero", "symmetr", "gradient", "init", "same", "0")
ANSWER = "With zeros all neurons get the same gradient, so symmetry is never broken."


def md(source: str) -> tuple[CellKind, str]:
    return CellKind.MARKDOWN, source


def code(source: str) -> tuple[CellKind, str]:
    return CellKind.CODE, source


def a_notebook(*cells: tuple[CellKind, str]) -> Notebook:
    return Notebook(
        cells=tuple(
            Cell(number=n, kind=kind, source=source) for n, (kind, source) in enumerate(cells, start=1)
        )
    )


def prose_of(*cells: tuple[CellKind, str]) -> Prose:
    return read_prose(a_notebook(*cells))


def texts(*cells: tuple[CellKind, str]) -> list[str]:
    return [passage.text for passage in prose_of(*cells).passages]


def answers(*cells: tuple[CellKind, str]) -> list[tuple[int, str]]:
    found = find_answer(prose_of(*cells), question_words=WORDS, question=QUESTION)
    return [(passage.cell, passage.text) for passage in found]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("**bold** and *italic* `code`", "bold and italic code"),
        ("> quoted **text**", "quoted text"),
        ("- one\n- two", "one\ntwo"),
        ("see [the docs](https://example.org/a) here", "see the docs here"),
        ("![figure](data:image/png;base64,AAAA) after", "after"),
        ('<a href="https://colab.research.google.com/x"><img src="y"/></a>words', "words"),
        ("a &lt; b &amp; c", "a < b & c"),
        ("a < b and c > d", "a < b and c > d"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a | b\n1 | 2"),
        ("```python\nds.shuffle(10)\n```", "ds.shuffle(10)"),
        ("x<br>y", "x\ny"),
        ("<script>alert(1)</script>seen<!-- hidden -->", "seen"),
        ("keep snake_case_names and 2*3*4", "keep snake_case_names and 2*3*4"),
        (r"a \* b", "a * b"),
        ("words ![image.png][image1]\n\n[image1]: <data:image/png;base64,AAAA>", "words"),
    ],
)
def test_markup_images_and_tags_are_left_out(source: str, text: str) -> None:
    assert texts(md(source)) == [text]


def test_megabytes_of_an_embedded_image_leave_the_text() -> None:
    source = "before\n\n![x](data:image/png;base64," + "A" * 3_000_000 + ")\n\n" + ANSWER
    assert texts(md(source)) == ["before", ANSWER]


def test_headings_make_the_path_of_what_follows() -> None:
    prose = prose_of(md("# Top\n## Part A\ntext"), md("#Part without space\nmore"), md("Title\n=====\nrest"))
    assert [(p.text, p.headings, p.is_heading) for p in prose.passages] == [
        ("Top", (), True),
        ("Part A", ("Top",), True),
        ("text", ("Top", "Part A"), False),
        ("Part without space", (), True),
        ("more", ("Part without space",), False),
        ("Title", (), True),
        ("rest", ("Title",), False),
    ]


def test_only_whole_sentences_of_comments_are_passages() -> None:
    source = (
        "# define weights\nx = 1\n# If all weights start at zero, then all units\n"
        "# learn the very same thing.\n"
        "# model.add(Dense(10, activation='relu'))\ny = 2  # a trailing remark that is left out of it all\n"
        '"""This docstring answers the question in a full sentence."""\n'
        "print('The accuracy goes up when we use more hidden units')\n"
    )
    passages = prose_of(code(source)).passages
    assert [(p.origin, p.text[:20]) for p in passages] == [
        (Origin.COMMENT, "If all weights start"),
        (Origin.COMMENT, "This docstring answe"),
        (Origin.STRING, "The accuracy goes up"),
    ]
    assert [p.is_comment for p in passages] == [True, True, False]


def test_a_markdown_magic_is_text() -> None:
    assert texts(code("%%markdown\n# Title\nwords")) == ["Title", "words"]


def test_pictures_are_noticed_and_badges_are_not() -> None:
    badge = '<a href="x"><img src="https://colab.research.google.com/assets/colab-badge.svg"></a>'
    prose = prose_of(md(badge), md("![scan](attachment:scan.png)"), md('<img src="a.png">'))
    assert prose.pictures == (2, 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("All neurons learn the same thing.", True),
        ("define the weights", False),
        ("model.add(Dense(10)) x = y + z w1 b1 w2 b2", False),
        ("全てのニューロンが同じ勾配を受け取る", True),
        ("", False),
    ],
)
def test_a_sentence_is_told_from_a_remark(text: str, expected: bool) -> None:
    assert is_sentence(text) is expected


@pytest.mark.parametrize(
    "cells",
    [
        (md(QUESTION),),
        (md("**" + QUESTION + "**\n\n**Answer:**"),),
        (md("Q1: Why do you think this is the case?"), code("x = 1")),
        (md("## Why do you think this is the case?"), md("## Results")),
        (md("> Why do you think that is the case ?\n\nTODO"),),
        (md(QUESTION.replace(". ", ".\n")),),
        (md("Your answer here"),),
        (code("w = 0"),),
        (),
    ],
    ids=["pasted", "marked", "part", "heading", "placeholder", "wrapped", "alone", "code", "nothing"],
)
def test_a_pasted_question_is_no_answer(cells: tuple[tuple[CellKind, str], ...]) -> None:
    assert answers(*cells) == []


@pytest.mark.parametrize(
    ("cells", "cell"),
    [
        ((md(QUESTION + "\n\n" + ANSWER),), 1),
        ((md("Why do you think this is the case? " + ANSWER),), 1),
        ((md(QUESTION), md("Ans-) " + ANSWER)), 2),
        ((md("## Why do you think this is the case?"), code("x = 1"), md(ANSWER)), 3),
        ((md("# Assignment"), code("x = 1"), md("The last cell. " + ANSWER)), 3),
        (
            (code("# With zeros all neurons get the same gradient,\n# so symmetry is never broken.\nx = 1"),),
            1,
        ),
        ((code(f'answer = """{ANSWER}"""'),), 1),
        ((md("## Zero initialization\nIt simply breaks down."),), 1),
        ((md(QUESTION), md("Symmetry.")), 2),
        ((md("### Why not zero?\nBecause then all gradients are equal for each of them."),), 1),
        ((md("Multiplying with zero gives zero and nothing is learned."),), 1),
        ((md("Why is zero a bad initialization?"), md("They never differ.")), 2),
    ],
)
def test_an_answer_is_found_wherever_it_stands(cells: tuple[tuple[CellKind, str], ...], cell: int) -> None:
    found = answers(*cells)
    assert [number for number, _ in found] == [cell]
    assert "Why do you think" not in found[0][1]
    assert not found[0][1].startswith("Ans")


def test_an_example_in_parentheses_does_not_hide_the_question() -> None:
    shorter = "You need to initialize values randomly instead. Why do you think this is the case?"
    pasted = "You need to initialize values randomly instead (e.g. `random_uniform` in [-1, 1]). " + shorter
    assert find_answer(prose_of(md(pasted)), question_words=WORDS, question=shorter) == ()
    assert text_beside(prose_of(md(pasted)), shorter) == ()


def test_other_endings_of_long_words_are_found() -> None:
    prose = prose_of(md("Symmetric initialization is bad for all of them."))
    found = find_answer(prose, question_words=("initialise", "symmetry"), question="Why is that so?")
    assert len(found) == 1


def test_the_next_question_ends_an_answer() -> None:
    found = answers(
        md("Why do you think this is the case?"),
        md("What is missing in the interface?"),
        md("Layers that can be put together."),
    )
    assert found == []


def test_what_stands_beside_a_pasted_question_is_told() -> None:
    prose = prose_of(md("# Results\n" + QUESTION), code("# the weights\nw = 1"))
    assert text_beside(prose, QUESTION) == ()
    prose = prose_of(md("# Results\n" + QUESTION), md("Short."))
    assert [passage.text for passage in text_beside(prose, QUESTION)] == ["Short."]


@pytest.mark.parametrize(
    "piece",
    [
        "![",
        "[",
        "<",
        "<a ",
        "*",
        "_",
        "**a",
        "`",
        "> ",
        "#",
        "|",
        "a. ",
        "<!--",
        "&amp;",
        "- ",
        "\n\na",
        "[a](",
        '"',
        "#\n",
    ],
)
def test_hostile_megabytes_of_text_are_read_in_bounded_time(piece: str) -> None:
    text = piece * (10_000_000 // len(piece))
    with bounded():
        prose = prose_of(md(text), code(text))
        find_answer(prose, question_words=WORDS, question=QUESTION)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(CellKind)), st.text(alphabet="ab#*_`<>[]()!|-\"'\n \\?.0", max_size=60)
        )
    )
)
def test_no_text_crashes_the_reader(cells: list[tuple[CellKind, str]]) -> None:
    prose = prose_of(*cells)
    assert Prose.model_validate_json(prose.model_dump_json()) == prose
    found = find_answer(prose, question_words=WORDS, question=QUESTION)
    assert all(passage.text for passage in found)
