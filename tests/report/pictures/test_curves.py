import math
import re
import xml.etree.ElementTree as ElementTree

from hypothesis import given
from hypothesis import strategies as st

from grader.report.pictures.curves import Curve, draw_curves


def draw(*curves, is_share=True):
    return draw_curves(curves, title="T", across="steps", is_share=is_share)


def a_curve(*points, name="loss", style="saved"):
    return Curve(name=name, points=points, style=style)


def test_a_curve_is_told_in_words_and_its_last_value_is_named():
    picture = draw(a_curve((0, 0.1), (10, 0.9)))
    assert picture.description == "loss: from 0.1 to 0.9 over 2 points."
    assert ">0.900</text>" in picture.body


def test_where_steps_begin_anew_so_does_the_line():
    picture = draw(a_curve((0, 0.1), (1, 0.5), (0, 0.2), (1, 0.6)))
    assert picture.body.count('<path class="curve saved"') == 2


def test_what_is_not_finite_is_left_out():
    picture = draw(a_curve((0, 1.0), (1, math.nan), (2, math.inf), (3, 0.5)), is_share=False)
    assert "nan" not in picture.body
    assert "over 2 points" in picture.description
    assert draw(a_curve((0, math.nan), (1, math.nan))) is None


def test_a_single_point_is_no_curve():
    assert draw(a_curve((0, 0.5))) is None


def test_few_points_are_marked_for_what_lies_between_is_not_known():
    assert draw(a_curve((0, 0.1), (9, 0.9))).body.count('class="dot saved"') == 2
    assert 'class="dot' not in draw(a_curve(*((n, n / 100) for n in range(60)))).body


def test_a_long_log_is_a_short_path_with_its_last_point():
    picture = draw(a_curve(*((n, n / 100_000) for n in range(100_000))))
    (path,) = re.findall(r' d="([^"]*)"', picture.body)
    assert len(path) < 1_500
    assert "to 1 over" in picture.description


def test_a_loss_begins_at_zero_and_its_axis_ends_above_it():
    labels = [
        float(label)
        for label in re.findall(
            r'text-anchor="end">([\d.]+)<', draw(a_curve((0, 2.3), (1, 0.8)), is_share=False).body
        )
    ]
    assert 0 in labels
    assert max(labels) >= 2.3


def test_an_unnamed_curve_is_drawn_and_not_in_the_legend():
    picture = draw(a_curve((0, 0.1), (1, 0.2), name=""), a_curve((0, 0.1), (1, 0.9), name="best"))
    assert picture.body.count("<path") == 2
    assert picture.description == "best: from 0.1 to 0.9 over 2 points."


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=30), st.booleans())
def test_whatever_a_notebook_prints_the_picture_is_well_formed(points, is_share):
    picture = draw(a_curve(*points), is_share=is_share)
    if picture is not None:
        drawn = picture.svg("x")
        ElementTree.fromstring(drawn)
        assert "nan" not in drawn
        assert "inf" not in drawn


def test_a_constant_curve_has_an_axis():
    assert draw(a_curve((0, 0.0), (0, 0.0), (1, 0.0)), is_share=False) is not None
