"""A real browser and axe: pages that everybody can read, by eye, by keyboard and by ear, and on paper."""

from __future__ import annotations

from itertools import pairwise

import pytest


@pytest.fixture(params=["hand-in", "class"])
def which(request, full, tmp_path):
    """The two kinds of pages, as addresses of files."""
    file = tmp_path / "index.html"
    file.write_text(full.page() if request.param == "hand-in" else full.class_page(), encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def opened(browser):
    """`opened(address, width=…, color_scheme=…)`: a page in the browser, closed after the test."""
    pages = []

    def open_page(address, width=1440, **options):
        page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        pages.append(page)
        page.goto(address)
        return page

    yield open_page
    for page in pages:
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing(opened, which, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened(which, width, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = axe.run(page).response["violations"]
    assert [(rule["id"], [node["html"] for node in rule["nodes"][:3]]) for rule in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_everything_that_can_be_used_is_reached_by_keyboard_and_shows_it(opened, which):
    page = opened(which)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    wanted = page.evaluate(
        "[...document.querySelectorAll('a[href], summary, button, input, select')]"
        ".filter(e => e.checkVisibility()).length"
    )
    reached = 1
    while page.evaluate("document.activeElement.matches('a[href], summary, button, input, select')"):
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        page.keyboard.press("Tab")
        while page.evaluate("document.activeElement.matches('[tabindex]')"):
            page.keyboard.press("Tab")
        reached += page.evaluate("document.activeElement !== document.body")
    assert reached == wanted


def test_headings_go_down_one_level_at_a_time(opened, which):
    page = opened(which)
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(e => +e.tagName[1])")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.evaluate("document.querySelectorAll('header, nav, main, footer').length") == 4


def test_every_link_within_the_page_leads_somewhere(opened, which):
    page = opened(which)
    dead = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
        ".filter(id => !document.getElementById(id))"
    )
    assert dead == []


def test_all_is_there_without_script(opened, which):
    with_script, without = (opened(which, java_script_enabled=is_on) for is_on in (True, False))
    rows = [page.locator("table tbody tr").all_inner_texts() for page in (with_script, without)]
    assert rows[0] == rows[1] != []
    assert without.locator(".tools").count() == 0


def test_on_paper_what_is_folded_is_open_and_links_are_ink(opened, which):
    page = opened(which)
    page.emulate_media(media="print")
    assert not page.locator(".contents").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    folded = page.locator(".facts dl, .group ul")
    assert folded.count() > 0
    assert all(one.is_visible() for one in folded.all())


def test_the_table_of_hand_ins_sorts_and_says_so(opened, full, tmp_path):
    file = tmp_path / "index.html"
    file.write_text(full.class_page(12), encoding="utf-8")
    page = opened(file.as_uri())
    time = page.locator("#hand-ins-table th", has_text="Time")
    time.get_by_role("button").click()
    assert time.get_attribute("aria-sort") == "ascending"
    time.get_by_role("button").click()
    assert time.get_attribute("aria-sort") == "descending"
    first = page.locator("#hand-ins-table tbody th").all_inner_texts()
    assert first[:2] == ["Participant_11", "Participant_10"]
    page.locator("#hand-ins-table th", has_text="Hand-in").get_by_role("button").click()
    assert page.locator("#hand-ins-table tbody th").all_inner_texts()[2:4] == [
        "Participant_2",
        "Participant_3",
    ]
    assert page.locator("[aria-sort]").count() == 1


def test_the_table_of_hand_ins_filters_by_words_and_by_state(opened, full, tmp_path):
    file = tmp_path / "index.html"
    file.write_text(full.class_page(12), encoding="utf-8")
    page = opened(file.as_uri())
    visible = page.locator("#hand-ins-table tbody tr:visible")
    page.get_by_label("Show").select_option("open")
    assert visible.count() == 6
    page.get_by_label("Find").fill("participant_10")
    assert visible.count() == 1
    assert page.locator("output").inner_text() == "1 of 12 hand-ins"
    page.get_by_label("Find").fill("<script>")
    assert visible.count() == 0
