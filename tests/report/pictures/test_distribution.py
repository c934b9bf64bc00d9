import re

import pytest

from grader.report.pictures.distribution import draw_distribution


def test_columns_are_told_in_words():
    picture = draw_distribution([9.5, 10, 3], [3.5, 9], 10)
    assert picture.description == (
        "3 to 4 points: 2, 1 of them still open; 9 to 10 points: 3, 1 of them still open."
    )


def test_a_bonus_widens_the_axis():
    assert "11 to 12 points: 1" in draw_distribution([11.5], [], 10).description


@pytest.mark.parametrize("most", [1, 7, 10, 30, 100, 400])
def test_columns_are_neither_many_nor_one(most):
    picture = draw_distribution([0, most], [], most)
    assert len(re.findall(r'<rect class="final"', picture.body)) == 2


def test_without_scores_there_is_no_picture():
    assert draw_distribution([], [], 10) is None
