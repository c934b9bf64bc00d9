import html
import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from bounded import bounded

from grader.model import (
    CellRun,
    CellStatus,
    DatasetOrigin,
    DatasetUse,
    Isolation,
    Mend,
    Outcome,
    Override,
    Participant,
    Reason,
    Rejected,
    RunStatus,
    Scale,
    Source,
    Visibility,
    met,
    needs_review,
    not_checked,
)
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Output, OutputKind, Readings
from grader.report.pages import render_class, render_submission

TITLE = "Assignment 1"
SHA = "b" * 64


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page.split("</style>")[1]))


def test_the_score_and_what_is_open_stand_on_top(a_grade, a_criterion, an_evidence):
    open_one = a_criterion(
        needs_review(Reason(text="An answer.")), id="why", title="Why", points=Decimal("1.5")
    )
    page = text_of(
        render_submission(a_grade(a_criterion(), open_one), an_evidence(), None, rubric_title=TITLE)
    )
    assert "3 of 4.5 points so far" in page
    assert "Still open: 1.5 points in one criterion." in page
    assert page.index("Still open") < page.index("A deep model") < page.index("An answer.")


def test_a_reason_links_to_its_cell_and_says_where_the_fact_is_from(a_grade, a_criterion, an_evidence):
    reason = Reason(text="One hidden layer.", cell=1, source=Source.RERUN)
    page = render_submission(a_grade(a_criterion(met(reason))), an_evidence(), None, rubric_title=TITLE)
    assert '<a href="#cell-1">cell 1</a>' in page
    assert 'id="cell-1"' in page
    assert "in the outputs of our run" in page


def test_a_cell_leads_back_to_the_criteria_that_speak_of_it(a_grade, a_criterion, an_evidence):
    grade = a_grade(a_criterion(), a_criterion(met(Reason(text="x", cell=1)), id="second"))
    page = render_submission(grade, an_evidence(), None, rubric_title=TITLE)
    cell = page.split('id="cell-1"')[1]
    assert re.findall(r'<a href="#criterion-(\w+)" aria-label="Criterion (\d)">', cell) == [
        ("mlp", "1"),
        ("second", "2"),
    ]


def test_the_glance_names_every_criterion_with_its_outcome_and_leads_to_it(full):
    page = full.page()
    glance = page.split('<ol class="glance">')[1].split("</ol>")[0]
    assert re.findall(r'href="#criterion-([a-z]+)"', glance) == ["accuracy", "b", "c", "d", "e", "f"]
    for words in ("met", "partly met", "not met", "decided by a person", "a person decides", "could not be"):
        assert words in glance


def test_a_verdict_can_be_traced_to_files_rubric_run_and_people(full):
    words = text_of(full.page()).split("Where this comes from")[-1]
    for fingerprint in (
        full.grade.rubric_sha256,
        full.evidence.run.key,
        full.evidence.submission.notebook_sha256,
    ):
        assert fingerprint in words
    assert "Criterion 4: decided by A. Tutor on 2 January 2026, 03:04, 1 point" in words
    assert "accuracy-at-least" in words


def test_pictures_are_shown_once_and_have_ids_of_their_own(full):
    page = full.page()
    assert page.count("Accuracy: reported, run again, measured</title>") == 1
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_where_no_criterion_shows_the_accuracies_the_section_on_numbers_does(full):
    criteria = tuple(c.model_copy(update={"check": "another"}) for c in full.grade.criteria)
    full.grade = full.grade.model_copy(update={"criteria": criteria})
    page = full.page()
    assert "Accuracy: reported, run again, measured" in page.split('id="numbers"')[1]
    assert "asked for" not in page.split('id="numbers"')[1]


def test_a_reason_with_a_cell_that_is_not_shown_has_no_dead_link(a_grade, a_criterion, an_evidence):
    grade = a_grade(a_criterion(met(Reason(text="x", cell=99))))
    page = render_submission(grade, an_evidence(), None, rubric_title=TITLE)
    assert "cell 99" in page
    assert "#cell-99" not in page


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_told_in_words(a_grade, a_criterion, an_evidence, outcome):
    fraction = {Outcome.MET: 1, Outcome.PARTLY_MET: Decimal("0.5"), Outcome.NOT_MET: 0}.get(outcome)
    verdict = met(Reason(text="x")).model_copy(update={"outcome": outcome, "fraction": fraction})
    page = text_of(render_submission(a_grade(a_criterion(verdict)), an_evidence(), None, rubric_title=TITLE))
    words = {
        Outcome.MET: " met x",
        Outcome.PARTLY_MET: " partly met x",
        Outcome.NOT_MET: " not met x",
        Outcome.NEEDS_REVIEW: "a person will look at this",
        Outcome.NOT_CHECKED: "our fault, not yours",
    }
    assert words[outcome] in page


@pytest.mark.parametrize("status", RunStatus)
def test_every_end_of_a_run_has_a_page(a_grade, an_evidence, a_run, status):
    evidence = an_evidence(run=a_run(status=status), rerun=Readings())
    page = render_submission(a_grade(), evidence, None, rubric_title=TITLE)
    assert "How your notebook ran" in page
    assert "42 s" in page


def test_a_decision_shows_who_when_and_why(a_grade, a_criterion, an_evidence):
    decision = Override(
        submission="a",
        criterion="mlp",
        points=Decimal("0.5"),
        comment="Half of it is right.",
        who="The TA",
        when=datetime(2025, 6, 3, 14, 5, tzinfo=UTC),
    )
    grade = a_grade(a_criterion(not_checked(Reason(text="x")), override=decision))
    page = text_of(render_submission(grade, an_evidence(), None, rubric_title=TITLE))
    assert "decided by The TA on 3 June 2025, 14:05" in page
    assert "Half of it is right." in page
    assert "0.5 of 3 points" in page
    assert "Nothing is open" in page


def test_a_stand_in_is_named_in_a_plain_sentence(a_grade, an_evidence, a_run):
    use = DatasetUse(name="mnist", origin=DatasetOrigin.STAND_IN, sha256=SHA)
    evidence = an_evidence(run=a_run(datasets=(use,)), rerun=Readings())
    page = text_of(render_submission(a_grade(), evidence, None, rubric_title=TITLE))
    assert "MNIST: our run used stand-ins that we generated" in page


def test_the_run_is_told_with_mends_missing_modules_and_failed_cells(a_grade, an_evidence, a_run):
    run = a_run(
        status=RunStatus.CELL_FAILED,
        cells=(CellRun(cell=1, status=CellStatus.FAILED, error="NameError: x"),),
        mends=(Mend(name="lr", text="lr was read as learning_rate.", cell=1),),
        missing_modules=("torch",),
        remarks=("numpy.py lies beside the notebook and hides NumPy.",),
    )
    page = text_of(render_submission(a_grade(), an_evidence(run=run), None, rubric_title=TITLE))
    for sentence in ("NameError: x", "lr was read as learning_rate.", "lacks torch", "hides NumPy", "1234"):
        assert sentence in page


def test_a_run_without_isolation_says_so_on_every_page(a_grade, an_evidence, a_run):
    for isolation, told in ((Isolation.NONE, True), (Isolation.BUBBLEWRAP, False)):
        run = a_run(isolation=isolation)
        page = text_of(render_submission(a_grade(), an_evidence(run=run), None, rubric_title=TITLE))
        assert ("run without isolation" in page) is told
        class_page = text_of(render_class([a_grade()], [], {"Participant_101": run}, title=TITLE))
        assert ("run without isolation" in class_page) is told


def test_flags_are_for_the_ta_and_not_on_the_students_page(a_grade, an_evidence):
    grade = a_grade(flags=("Equal to the hand-in of Participant_102.",))
    assert "Participant_102" not in render_submission(grade, an_evidence(), None, rubric_title=TITLE)
    assert "Participant_102" in render_class([grade], [], {}, title=TITLE)


def test_pass_or_fail_tells_no_points(a_grade, a_criterion, an_evidence):
    grade = a_grade(a_criterion(visibility=Visibility.STAFF), scale=Scale.PASS_FAIL, pass_points=Decimal(2))
    page = text_of(render_submission(grade, an_evidence(), None, rubric_title=TITLE))
    assert "passed" in page
    assert "A deep model" in page
    assert "point" not in page.split("How your notebook ran")[0]


def test_a_page_is_the_same_each_time(a_grade, an_evidence, a_run):
    pages = {
        render_submission(a_grade(), an_evidence(run=a_run()), None, rubric_title=TITLE) for _ in range(2)
    }
    assert len(pages) == 1


def test_no_address_outside_the_page_is_loaded(a_grade, an_evidence, a_notebook, markdown, code):
    notebook = a_notebook(markdown("![x](https://evil.example/x.png) [ok](https://example.org)"), code("x"))
    page = render_submission(a_grade(), an_evidence(notebook), None, rubric_title=TITLE)
    assert not re.search(r"\b(?:src|srcset|action|data|poster|background)\s*=\s*[\"']?(?!data:)", page)
    assert not re.search(r"url\(|@import|<link (?!rel=\"icon\" href=\"data:,\")", page)
    assert "default-src 'none'" in html.unescape(page)


def test_a_megabyte_of_output_per_cell_makes_a_small_page(a_grade, an_evidence, a_notebook, code, printed):
    notebook = a_notebook(*[code("train()\n" * 20, printed("loss 0.1\n" * 110_000)) for _ in range(40)])
    page = render_submission(a_grade(), an_evidence(notebook), notebook, rubric_title=TITLE)
    assert len(page.encode()) < 300_000
    assert "characters left out" in page


def test_whatever_is_handed_in_a_page_stays_small(
    a_grade, a_criterion, a_run, an_evidence, a_notebook, code, markdown, printed
):
    table = Output(
        kind=OutputKind.DISPLAY, html="<table><tr><td>1</td></tr></table>" * 200, text="<&>" * 9_000
    )
    log = "".join(f"step {n}: loss {n / 7:.4f} acc {n / 9_999:.4f} \u202e\n" for n in range(3_000))
    cells = [code("a=1;" * 6_000, printed(log), table), markdown("*a* <b>&</b> " * 2_000)] * 200
    notebook = a_notebook(*cells)
    executed = a_notebook(*[code("x", printed(log.replace("loss", "cost")), table), markdown("x")] * 200)
    reasons = [Reason(text="<&> " * 9_000, cell=n, source=Source.SOURCE) for n in range(1, 9)]
    grade = a_grade(*[a_criterion(needs_review(*reasons), id=f"c{n}") for n in range(20)])
    readings = read_outputs(a_notebook(*[code("x", printed(log[:9_000]))] * 10))
    evidence = an_evidence(notebook, a_run(), saved=readings, rerun=readings)
    assert len(render_submission(grade, evidence, executed, rubric_title=TITLE).encode()) < 300_000


def test_the_class_page_links_to_every_hand_in_and_tells_what_waits(a_grade, a_criterion, a_run):
    waiting = a_criterion(needs_review(Reason(text="An answer was found.")), id="why/not", title="Why not")
    grades = [a_grade(waiting), a_grade(submission="Participant_9")]
    page = render_class(grades, [], {"Participant_9": a_run()}, title=TITLE)
    assert 'href="Participant_101/index.html"' in page
    assert 'href="Participant_101/index.html#criterion-why-not"' in page
    assert page.index("Participant_9/index.html") < page.rindex("Participant_101/index.html")
    words = text_of(page)
    for sentence in ("An answer was found.", "not run", "completed", "MNIST: real"):
        assert sentence in words


def test_the_class_page_tells_what_was_rejected_and_why(a_grade):
    rejected = Rejected(
        id="Participant_8",
        assignment="a1",
        participant=Participant(id="8", name="<b>Eve</b>\u202e"),
        reason="The zip holds <script>alert(1)</script> and nothing else.",
    )
    page = render_class([a_grade()], [rejected], {}, title=TITLE)
    assert "&lt;script&gt;" in page
    assert page.count("<script") == 1  # ours
    assert "&lt;b&gt;Eve&lt;/b&gt;‹U+202E›" in page


def test_long_answers_do_not_fill_the_class_page(a_grade, a_criterion):
    open_one = a_criterion(needs_review(Reason(text="An answer. " * 2_000)))
    grades = [a_grade(open_one, submission=f"Participant_{n}") for n in range(100)]
    assert len(render_class(grades, [], {}, title=TITLE)) < 150_000


def test_an_empty_class_has_a_page():
    assert "No hand-in could be graded" in render_class([], [], {}, title=TITLE)


def test_a_class_of_200_is_shown_in_bounded_time(full):
    with bounded():
        page = full.class_page(200)
    assert page.count("<tr data-groups") == 200
