from decimal import Decimal

from grader.model import Mend, Reason, met, needs_review, not_met, partly_met
from grader.report.examples import ExampleTaker
from grader.report.shared_mistakes import shared_mistakes, without_particulars

NOTHING = ExampleTaker({})


def test_a_reason_that_two_share_is_counted_and_nobody_is_named(a_grade, a_criterion):
    grades = [
        a_grade(a_criterion(not_met(Reason(text="No hidden layer."))), submission=name) for name in ("a", "b")
    ]
    (mistake,) = shared_mistakes(grades, {}, NOTHING)
    assert (mistake.count, mistake.where, mistake.sentence) == (2, "A deep model", "No hidden layer.")


def test_numbers_and_the_authors_words_are_left_out_where_they_differ(a_grade, a_criterion):
    verdicts = [partly_met(Decimal("0.5"), Reason(text=f"Accuracy 0.{n}: “my words {n}”.")) for n in (1, 2)]
    grades = [a_grade(a_criterion(verdict), submission=str(n)) for n, verdict in enumerate(verdicts)]
    (mistake,) = shared_mistakes(grades, {}, NOTHING)
    assert mistake.sentence == "Accuracy …: …."


def test_what_all_of_them_say_is_told_as_they_say_it_but_without_names(
    a_grade, a_criterion, an_evidence, a_notebook, markdown
):
    grades = [
        a_grade(
            a_criterion(not_met(Reason(text="“As Kerstin Quast said”: 3 layers.", cell=1))), submission=name
        )
        for name in ("a", "b")
    ]
    evidence = an_evidence(a_notebook(markdown("Names: Kerstin Quast, Alwin Zwirner")))
    (mistake,) = shared_mistakes(grades, {}, ExampleTaker({"a": evidence, "b": evidence}))
    assert mistake.sentence == "“As [name] said”: 3 layers."
    assert "Kerstin" not in str(mistake)


def test_what_is_open_met_or_a_bonus_is_no_mistake(a_grade, a_criterion):
    reason = Reason(text="No.")
    criteria = [
        a_criterion(met(reason)),
        a_criterion(needs_review(reason)),
        a_criterion(not_met(reason), is_bonus=True),
    ]
    assert shared_mistakes([a_grade(*criteria, submission=name) for name in "ab"], {}, NOTHING) == []


def test_mends_of_runs_count_once_for_each_hand_in(a_grade, a_run):
    mend = Mend(name="lr", text="`lr` was read.")
    runs = {name: a_run(mends=(mend, mend)) for name in "abc"}
    found = shared_mistakes([a_grade(submission=name) for name in "abc"], runs, NOTHING)
    assert [(mistake.sentence, mistake.count) for mistake in found] == [("`lr` was read.", 3)]


def test_what_only_one_has_is_not_told(a_grade, a_criterion):
    assert shared_mistakes([a_grade(a_criterion(not_met(Reason(text="No."))))], {}, NOTHING) == []


def test_names_of_variables_keep_their_digits():
    assert without_particulars("w_1 has 3 rows, `x` none") == "w_1 has … rows, … none"
