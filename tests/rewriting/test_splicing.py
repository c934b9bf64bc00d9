from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.rewriting.splicing import Splice, end_of, inserted, line_after, replaced, spliced, start_of


def names(source: str) -> list[ast.Name]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]


def test_nodes_are_replaced_and_the_rest_is_kept():
    source = "a = 1  # a comment\n\nprint( b,\tc )\n"
    changed = spliced(source, [replaced(node, node.id.upper()) for node in names(source)])
    assert changed == "A = 1  # a comment\n\nPRINT( B,\tC )\n"


def test_columns_count_bytes():
    source = "größe = 'ä€😀' + länge"
    assert spliced(source, [replaced(node, "x") for node in names(source)]) == "x = 'ä€😀' + x"


def test_insertions_at_one_place_keep_their_order():
    [node] = names("x")
    splices = [inserted(start_of(node), "("), inserted(start_of(node), "["), inserted(end_of(node), "])")]
    assert spliced("x", splices) == "([x])"


@pytest.mark.parametrize("end", ["", "\n", "\n\ny = 2"])
def test_a_line_comes_below_a_statement_with_its_indent(end):
    source = f"for i in x:\n    a = (i,\n         2)  # why{end}"
    [loop, *_] = ast.parse(source).body
    assert isinstance(loop, ast.For)
    changed = spliced(source, [line_after(loop.body[0], "break")])
    assert changed == f"for i in x:\n    a = (i,\n         2)  # why\n    break{end}"


def test_changes_that_overlap_are_an_error():
    with pytest.raises(ValueError, match="line 1"):
        spliced("abc", [Splice((1, 0), (1, 2), "x"), Splice((1, 1), (1, 3), "y")])


@given(st.text(st.characters(blacklist_characters="\r", blacklist_categories=["Cs"])))
def test_without_changes_nothing_changes(source):
    assert spliced(source, []) == source
