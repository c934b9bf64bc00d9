"""A person decides in a real browser: by keyboard, two at a time, with servers that die and hostile texts."""

from __future__ import annotations

import shutil
import signal
from itertools import pairwise

import pytest
from review.made_up import NothingRuns, a_graded_course

from grader.gradebook import Gradebook
from grader.pipeline import grade


def decisions(course):
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        return {d.submission: (d.points, d.comment, d.who) for d in gradebook.decisions("a1")}


def go_to_question(page):
    page.locator("a[href='/question/interface']").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#decide")


def decide(page, key):
    with page.expect_navigation():
        page.keyboard.press(key)


def test_a_hundred_open_answers_are_worked_through_by_keyboard_alone(tmp_path, serve, enter):
    course = a_graded_course(tmp_path / "course", 100)
    page = enter(serve(course))
    go_to_question(page)
    for number in range(100):
        decide(page, "fhn"[number % 3])
    assert "wait for a person" in page.locator("h1").inner_text()
    found = decisions(course)
    assert len(found) == 100
    assert sorted(str(points) for points, _, _ in found.values()).count("2") == 34
    assert {who for _, _, who in found.values()} == {"J. D."}


def test_similar_answers_stand_next_to_each_other(course, serve, enter):
    page = enter(serve(course))
    go_to_question(page)
    seen = []
    for _ in range(10):
        seen.append(page.locator(".passage .prose p").first.inner_text().split(",")[0][-12:])
        decide(page, "f")
    kinds = sum(one != other for one, other in pairwise(seen)) + 1
    assert kinds == len(set(seen)) == 3


def test_comments_are_used_again_and_undone_decisions_are_open_again(course, serve, enter):
    page = enter(serve(course))
    go_to_question(page)
    page.keyboard.press("c")
    page.keyboard.type("Say what came of it.")
    page.keyboard.press("Escape")
    decide(page, "h")
    page.keyboard.press("1")
    decide(page, "n")
    assert sorted(decisions(course).values()) == [
        (0, "Say what came of it.", "J. D."),
        (1, "Say what came of it.", "J. D."),
    ]
    decide(page, "k")
    assert "Decided: 0 points" in page.locator(".decision").inner_text()
    decide(page, "u")
    assert list(decisions(course).values()) == [(1, "Say what came of it.", "J. D.")]


def test_after_a_decision_comes_the_next_item_and_not_one_that_was_passed_over(course, serve, enter):
    page = enter(serve(course))
    go_to_question(page)
    decide(page, "j")
    decide(page, "j")
    third = page.locator(".whose").inner_text()
    decide(page, "f")
    assert "question, 4 of 10, 9 left" in page.locator("nav").first.inner_text()
    decide(page, "k")
    assert page.locator(".whose").inner_text() == third


def test_points_are_typed_and_nonsense_decides_nothing(course, serve, enter):
    page = enter(serve(course))
    go_to_question(page)
    page.keyboard.press("p")
    page.keyboard.type("3")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "no number from 0 to 2" in page.locator("[role=status]").inner_text()
    assert decisions(course) == {}
    page.locator("#points").fill("0,75")
    page.locator("#points").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert [str(points) for points, _, _ in decisions(course).values()] == ["0.75"]


def test_two_people_do_not_overwrite_each_other(course, serve, enter):
    server = serve(course)
    one, other = enter(server, "One"), enter(server, "Other")
    go_to_question(one)
    other.goto(one.url)
    decide(one, "f")
    decide(other, "n")
    assert "Somebody else decided meanwhile" in other.locator("[role=status]").inner_text()
    assert "2 points, by One" in other.locator(".decision").inner_text()
    assert [(str(p), who) for p, _, who in decisions(course).values()] == [("2", "One")]
    decide(other, "n")
    assert [(str(p), who) for p, _, who in decisions(course).values()] == [("0", "Other")]


def test_a_killed_server_loses_nothing_that_was_decided_or_typed(course, serve, enter):
    server = serve(course)
    page = enter(server)
    go_to_question(page)
    decide(page, "f")
    page.keyboard.press("c")
    page.keyboard.type("half a sent")
    server.end(signal.SIGKILL)
    page.keyboard.press("Escape")
    with page.expect_event("requestfailed"):
        page.keyboard.press("n")  # goes nowhere
    assert [str(points) for points, _, _ in decisions(course).values()] == ["2"]
    page.goto(serve(course).address)
    go_to_question(page)
    assert "9 left" in page.locator("nav").first.inner_text()
    assert page.locator("#comment").input_value() == "half a sent"
    decide(page, "f")
    decide(page, "k")
    assert page.evaluate("localStorage.length") == 0
    assert ("2", "half a sent") in [(str(points), said) for points, said, _ in decisions(course).values()]


def test_what_was_handed_in_does_nothing(course, serve, enter):
    page = enter(serve(course))
    go_to_question(page)
    dialogs = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message) or dialog.dismiss())
    for _ in range(10):
        page.keyboard.press("c")
        page.keyboard.type("<script>document.title='owned'</script>")
        page.keyboard.press("Escape")
        decide(page, "f")
        assert "owned" not in page.title()
    assert dialogs == []


def test_names_are_not_shown_unasked(course, serve, enter):
    page = enter(serve(course))
    assert "Robin" not in page.content()
    go_to_question(page)
    assert "Robin" not in page.content() + page.url


def test_names_are_shown_to_who_asks_until_they_do_not_want_them_any_more(course, serve, enter):
    page = enter(serve(course))
    page.get_by_role("button", name="Show names").focus()
    decide(page, "Enter")
    assert "Robin Example0" in page.locator("table").last.inner_text()
    go_to_question(page)
    assert "Robin Example" in page.locator(".whose").inner_text()
    assert "Robin" not in page.url
    page.keyboard.press("o")
    page.wait_for_selector("#questions")
    page.get_by_role("button", name="Show numbers only").focus()
    decide(page, "Enter")
    assert "Robin" not in page.content()


def test_a_hostile_name_does_nothing_where_names_are_shown(course, serve, enter):
    name = "<img src=x onerror=document.title=1>"
    folder = course.root / "submissions" / "a1" / f"{name}_999_assignsubmission_file"
    shutil.copytree(next((course.root / "submissions" / "a1").iterdir()), folder)
    list(grade(course.root / "submissions", course, NothingRuns()))
    page = enter(serve(course))
    page.get_by_role("button", name="Show names").focus()
    decide(page, "Enter")
    assert "<img src=x onerror=document.title=1>" in page.locator("table").last.inner_text()
    assert page.locator("table img").count() == 0
    assert page.title() == "Review of a1"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing(course, serve, enter, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    server = serve(course)
    page = enter(server, width=width, color_scheme=scheme)
    for path in ("", "question/interface", "student/Participant_101", "question/none"):
        page.goto(f"{server.root}/{path}")
        found = axe.run(page).response["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"][:3]]) for rule in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_ctrl_c_ends_it(course, serve):
    assert serve(course).end() == 0
