from datetime import datetime

from grader.report.texts import coded, date, folded


def test_a_long_reason_is_folded_without_losing_a_word():
    text = "word " * 500 + "end"
    lead, rest = folded(text)
    assert len(lead) <= 420
    assert f"{lead} {rest}".split() == text.split()
    assert folded("short") == ("short", "")


def test_what_stands_between_backticks_is_set_as_code_and_stays_text():
    assert (
        coded("use `tf.nn.relu` & not `<b>`")
        == "use <code>tf.nn.relu</code> &amp; not <code>&lt;b&gt;</code>"
    )
    assert coded("an odd ` alone") == "an odd ` alone"


def test_a_moment_is_written_as_people_do():
    assert date(datetime(2025, 6, 3, 14, 5)) == "3 June 2025, 14:05"
