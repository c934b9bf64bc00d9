import math
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import Markup

from grader.report.pictures.svg import Picture, element, joined, linear, tick_label, ticks


def test_text_and_attributes_of_an_element_are_escaped():
    drawn = element("text", "<script>", class_='a" onload="x', text_anchor="end", x=1.0, y=0.3333)
    assert drawn == (
        '<text class="a&#34; onload=&#34;x" text-anchor="end" x="1" y="0.33">&lt;script&gt;</text>'
    )
    assert element("rect", width=2, rx=None) == '<rect width="2"/>'


def test_a_picture_says_what_it_shows_to_those_who_do_not_see_it():
    picture = Picture(title="Loss & more", description="It falls.", height=10, body=Markup("<g/>"))
    root = ElementTree.fromstring(picture.svg("loss"))
    named = [child.text for child in root if child.get("id") in root.attrib["aria-labelledby"].split()]
    assert root.attrib["role"] == "img"
    assert named == ["Loss & more", "It falls."]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.8, 1, [0.8, 0.85, 0.9, 0.95, 1]),
        (3, 700, [200, 400, 600]),
        (5, 5, [5]),
        (0, float("inf"), [0]),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert ticks(low, high, 5) == expected


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
@example(917_677.999_999_999_9, 1e-5)
def test_ticks_lie_within_and_are_a_few(low, span):
    found = ticks(low, low + span, 4)
    assert 1 <= len(found) <= 11 or span < 1e-9 * abs(low)
    slack = 1e-6 * span + 4 * math.ulp(max(abs(low), abs(low + span)))
    assert all(low - slack <= tick <= low + span + slack for tick in found)


@pytest.mark.parametrize(
    ("value", "label"), [(0.25, "0.25"), (1.0, "1"), (20_000.0, "20k"), (1e-5, "1e-05"), (2e6, "2e6")]
)
def test_labels_of_ticks_are_short(value, label):
    assert tick_label(value) == label


def test_a_scale_without_a_span_does_not_divide_by_zero():
    assert linear(0, 10, 100, 200)(5) == 150
    assert linear(3, 3, 100, 200)(3) == 100


def test_elements_stand_one_after_the_other():
    assert joined([element("a", "1"), element("b", "2")]) == "<a>1</a><b>2</b>"
