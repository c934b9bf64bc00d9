from __future__ import annotations

import pytest
from bounded import bounded
from hypothesis import given
from hypothesis import strategies as st

from grader.notebook.names import NamesFound, find_names
from grader.notebook.records import Cell, CellKind, Notebook

BADGE = '<a href="https://colab.research.google.com/x"><img src="y/colab-badge.svg" alt="Open In Colab"/></a>'


def found_in(*cells: str) -> NamesFound:
    """The names in a notebook; a cell that begins with `%code` is code, any other is Markdown."""
    return find_names(
        Notebook(
            cells=tuple(
                Cell(
                    number=number,
                    kind=CellKind.CODE if cell.startswith("%code") else CellKind.MARKDOWN,
                    source=cell.removeprefix("%code\n"),
                )
                for number, cell in enumerate(cells, start=1)
            )
        )
    )


@pytest.mark.parametrize(
    "text",
    [
        "Ada Beispiel, Bo Muster",
        "Ada Beispiel and Bo Muster",
        "Ada Beispiel<br>Bo Muster",
        "- Ada Beispiel\n- Bo Muster",
        "1. Ada Beispiel (123456)\n2. Bo Muster (234567)",
        "Ada Beispiel 123456, Bo Muster 234567",
        "# Assignment 1 - Ada Beispiel & Bo Muster",
        "# Assignment 1 by Ada Beispiel and Bo Muster",
        "# Deep Learning\n## Ada Beispiel | Bo Muster",
        "Group members: Ada Beispiel - 123456, Bo Muster - 234567",
        "**Team 5:** Ada Beispiel, Bo Muster",
        "Gruppe 3: Ada Beispiel, Bo Muster",
        "Authors:\n\n* Ada Beispiel\n* Bo Muster",
        "| Name | Matrikelnummer |\n|---|---|\n| Ada Beispiel | 123456 |\n| Bo Muster | 234567 |",
        "Submitted by Ada Beispiel, Bo Muster",
        "Assignment 1 -- Ada Beispiel, Bo Muster (group of two)",
        "# A1, Ada Beispiel and Bo Muster (PyTorch)",
        "Abgabe 1 von Ada Beispiel und Bo Muster",
        "Assignment 1 : MLP. Authors : **Ada Beispiel**, **Bo Muster**",
        "Team *Gradient Descendants* (Ada Beispiel, Bo Muster)",
        "Assignment 1 (Ada Beispiel, Bo Muster)",
        "Ada Beispiel & Bo Muster – Übung 3",
        "Hi! We are Ada Beispiel and Bo Muster and this is our first notebook",
        "Team members (2): Ada Beispiel, Bo Muster",
        "Name: Ada Beispiel, Matrikelnr.: 123456\nName: Bo Muster, Matrikelnr.: 234567",
        "%code\n# Ada Beispiel\n# Bo Muster\nimport numpy",
        '%code\n"""\nNames: Ada Beispiel, Bo Muster\n"""\nimport numpy',
    ],
)
def test_names_at_the_top_are_found(text: str) -> None:
    found = found_in(BADGE, text, "%code\nx = 1")
    assert found.top == ("Ada Beispiel", "Bo Muster")
    assert found.top_cell == 2


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Name: ada beispiel", ("ada beispiel",)),
        ("Names: Ada, Bo", ("Ada", "Bo")),
        ("Name: Ada B. von Beispiel-Muster", ("Ada B. von Beispiel-Muster",)),
        ("Ada de la Muster", ("Ada de la Muster",)),
        ("Name: Ädä Ünßer", ("Ädä Ünßer",)),
    ],
)
def test_unusual_names_are_found(text: str, names: tuple[str, ...]) -> None:
    assert found_in(text).top == names


@pytest.mark.parametrize(
    "text",
    [
        "# Deep Learning",
        "# Let The Tensors Flow",
        "# Assignment 1: Let the Tensors Flow",
        "# Assignment 1",
        "Google Colab",
        "# Building A Deep Model",
        "# Hidden Layers",
        "# Max Pooling",
        "# Gradient Descent",
        "Name:",
        "Name: your name here",
        "Group 7",
        "Team: The Tensors",
        "Group: 12",
        "# Vanishing Signals",
        "Lehrstuhl KI",
        "Experiments with Adam (SGD, RMS)",
        "By changing the size we see more",
        "# Load Dataset & Libraries",
        "MNIST CNN",
        "von Neumann architecture",
        "Shuffle, Repeat, Batch",
        BADGE,
        "",
    ],
)
def test_titles_are_no_names(text: str) -> None:
    found = found_in(text)
    assert (found.top, found.elsewhere) == ((), ())


def test_words_that_occur_in_sentences_are_no_names() -> None:
    found = found_in("# Purple Elephants", "%code\nx = 1", "We saw purple elephants and more.")
    assert found.top == ()


def test_names_at_the_end_are_told_apart() -> None:
    found = found_in("# Assignment 1", *["%code\nx = 1"] * 5, "Ada Beispiel, Bo Muster")
    assert found.top == ()
    assert found.elsewhere == ((7, "Ada Beispiel"), (7, "Bo Muster"))


def test_names_below_imports_still_stand_at_the_top() -> None:
    assert found_in("%code\nimport numpy", "Name: Ada Beispiel").top == ("Ada Beispiel",)


def test_the_text_of_the_top_is_kept() -> None:
    assert "Ada" in found_in("Hello from Ada and friends").top_text


@pytest.mark.parametrize(
    "piece", ["Ada Beispiel, ", "Name: ", "by ", "(", "A. ", "1234567 ", "\n# A B", " - ", "a@"]
)
def test_hostile_megabytes_are_searched_in_bounded_time(piece: str) -> None:
    text = piece * (10_000_000 // len(piece))
    with bounded():
        found_in(text, "%code\n" + text)


@given(st.text(alphabet="AaBb .,:-&|()#\n1234567@Nameby", max_size=80))
def test_no_text_crashes_the_search(text: str) -> None:
    found = found_in(text, "%code\n" + text)
    assert all(name.strip() for name in found.top)


def test_a_single_name_before_the_assignment_is_found_and_a_topic_is_not():
    assert found_in("Nora Beispiel, Assignment 3").top == ("Nora Beispiel",)
    assert found_in("Deep Neural Networks, Assignment 3").top == ()
    assert found_in("We did this as in class, assignment 3").top == ()
