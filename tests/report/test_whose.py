from grader.model import Participant
from grader.report.whose import display_name, own_name


def test_under_blind_marking_nobody_is_called_by_name():
    blind = Participant(id="7", name="A. Name", is_blind=True)
    assert display_name(blind, "x") == "Participant 7"
    assert own_name(blind) == ""


def test_a_name_comes_first_then_the_number_then_the_hand_in():
    assert display_name(Participant(name="A. Name"), "x") == "A. Name"
    assert display_name(Participant(id="7", is_group=True), "x") == "Group 7"
    assert display_name(Participant(), "homework") == "homework"
