"""The gradebook: history is kept, nothing is half-done, trouble is told and harms no file."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from grader.errors import StoreError
from grader.gradebook import Gradebook
from grader.gradebook.connection import change_counter
from grader.model import Grade, Outcome, Override

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
AGrade = Callable[..., Grade]
AnOverride = Callable[..., Override]


def test_a_grade_comes_back_as_it_went_in(book: Gradebook, a_grade: AGrade) -> None:
    grade = a_grade(flags=("Look at cell 3: “ümlaut”.",))
    book.record([grade], now=NOON, program="1.0", judged={"Participant_101": {"a": "e" * 64}})
    assert book.latest("a1") == {"Participant_101": grade}
    (state,) = book.history("a1", "Participant_101")
    assert (state.recorded_at, state.program, state.judged) == (NOON, "1.0", {"a": "e" * 64})
    assert state.grade == grade


def test_what_is_recorded_is_there_when_the_book_is_opened_again(book_file: Path, a_grade: AGrade) -> None:
    with Gradebook.open(book_file) as book:
        book.record([a_grade()], now=NOON)
    with Gradebook.open(book_file) as book:
        assert book.latest("a1") == {"Participant_101": a_grade()}


def test_a_grade_that_did_not_change_is_not_recorded_again(book: Gradebook, a_grade: AGrade) -> None:
    book.record([a_grade()], now=NOON)
    assert book.record([a_grade()], now=LATER) == []
    assert len(book.history("a1", "Participant_101")) == 1


def test_the_history_keeps_every_state_in_order_also_a_return_to_an_old_one(
    book: Gradebook, a_grade: AGrade
) -> None:
    for hours, outcome in enumerate((Outcome.MET, Outcome.NOT_MET, Outcome.MET)):
        book.record([a_grade(a=outcome)], now=NOON + timedelta(hours=hours))
    states = book.history("a1", "Participant_101")
    assert [state.grade.score for state in states] == [2, 0, 2]
    assert [state.recorded_at.hour for state in states] == [12, 13, 14]


def test_new_evidence_is_a_new_state_even_under_the_same_grade(book: Gradebook, a_grade: AGrade) -> None:
    book.record([a_grade()], now=NOON, judged={"Participant_101": {"a": "1"}})
    assert book.record([a_grade()], now=LATER, judged={"Participant_101": {"a": "2"}}) == []
    assert len(book.history("a1", "Participant_101")) == 2


def test_a_first_grade_is_no_move_and_a_moved_one_is_told(book: Gradebook, a_grade: AGrade) -> None:
    both = [a_grade(), a_grade("Participant_102")]
    assert book.record(both, now=NOON) == []
    moved = a_grade("Participant_102", a=Outcome.PARTLY_MET, b=Outcome.MET, rubric_sha256="f" * 64)
    (change,) = book.record([both[0], moved], now=LATER)
    assert (change.submission, change.old_score, change.new_score) == ("Participant_102", 2, 2)
    assert [(c.id, c.old_outcome, c.new_outcome, c.old_awarded, c.new_awarded) for c in change.criteria] == [
        ("a", Outcome.MET, Outcome.PARTLY_MET, 2, 1),
        ("b", Outcome.NEEDS_REVIEW, Outcome.MET, None, 1),
    ]


def test_other_words_are_recorded_but_are_no_move(book: Gradebook, a_grade: AGrade) -> None:
    book.record([a_grade()], now=NOON)
    assert book.record([a_grade(text="Other words.")], now=LATER) == []
    assert len(book.history("a1", "Participant_101")) == 2


def test_criteria_that_come_and_go_are_told(book: Gradebook, a_grade: AGrade) -> None:
    before = a_grade()
    after = before.model_copy(update={"criteria": before.criteria[1:]})
    book.record([before], now=NOON)
    (gone,) = book.record([after], now=LATER)
    (back,) = book.record([before], now=LATER)
    assert [(c.id, c.old_awarded, c.new) for c in gone.criteria] == [("a", 2, None)]
    assert [(c.id, c.old, c.new_awarded) for c in back.criteria] == [("a", None, 2)]


def test_assignments_do_not_mix(book: Gradebook, a_grade: AGrade) -> None:
    book.record([a_grade(), a_grade(assignment="a2", a=Outcome.NOT_MET)], now=NOON)
    assert book.latest("a1")["Participant_101"].score == 2
    assert book.latest("a2")["Participant_101"].score == 0
    assert book.latest("a3") == {}
    assert book.history("a1", "Participant_999") == ()


def test_a_decision_is_kept_once_and_repeated_words_are_not_a_new_one(
    book: Gradebook, an_override: AnOverride
) -> None:
    assert book.add_decisions("a1", [an_override()], now=NOON) == (an_override(),)
    assert book.add_decisions("a1", [an_override(when=LATER)], now=LATER) == ()
    assert book.decisions("a1") == (an_override(),)


def test_a_changed_decision_replaces_the_old_one_and_history_keeps_both(
    book: Gradebook, an_override: AnOverride
) -> None:
    book.add_decisions("a1", [an_override("0.5")], now=NOON)
    book.add_decisions("a1", [an_override("1", when=LATER)], now=LATER)
    assert [override.points for override in book.decisions("a1")] == [1]
    events = book.decision_history("a1", "Participant_101")
    assert [(event.override.points, event.is_withdrawn) for event in events] == [
        (Decimal("0.5"), False),
        (1, False),
    ]


def test_a_row_read_again_keeps_its_time_a_changed_row_is_newer_a_removed_row_is_withdrawn(
    book: Gradebook, an_override: AnOverride
) -> None:
    among = {"Participant_101"}
    book.replace_decisions("a1", [an_override(when=NOON)], among=among, now=NOON)
    again = book.replace_decisions("a1", [an_override(when=LATER)], among=among, now=LATER)
    assert (again.added, again.withdrawn) == ((), ())
    assert book.decisions("a1")[0].when == NOON
    changed = book.replace_decisions("a1", [an_override("1", when=LATER)], among=among, now=LATER)
    assert [override.points for override in changed.added] == [1]
    removed = book.replace_decisions("a1", [], among=among, now=LATER)
    assert [override.points for override in removed.withdrawn] == [1]
    assert book.decisions("a1") == ()
    assert book.replace_decisions("a1", [], among=among, now=LATER).withdrawn == ()
    events = book.decision_history("a1", "Participant_101")
    assert [event.is_withdrawn for event in events] == [False, False, True]


def test_a_row_that_comes_back_is_a_decision_again(book: Gradebook, an_override: AnOverride) -> None:
    for rows in ([an_override()], [], [an_override(when=LATER)]):
        book.replace_decisions("a1", rows, among={"Participant_101"}, now=LATER)
    assert [override.when for override in book.decisions("a1")] == [LATER]


def test_a_removed_row_withdraws_neither_other_submissions_nor_other_origins(
    book: Gradebook, an_override: AnOverride
) -> None:
    book.add_decisions("a1", [an_override("1")], now=NOON, origin="review")
    other = an_override(submission="Participant_102")
    book.replace_decisions("a1", [an_override(), other], among={"Participant_101"}, now=NOON)
    book.replace_decisions("a1", [], among={"Participant_101"}, now=LATER)
    assert book.decisions("a1") == (an_override("1"), other)


def test_a_decision_hangs_on_the_evidence_that_was_last_recorded(
    book: Gradebook, a_grade: AGrade, an_override: AnOverride
) -> None:
    book.record([a_grade()], now=NOON, judged={"Participant_101": {"b": "seen"}})
    (added,) = book.add_decisions("a1", [an_override()], now=NOON)
    assert added.judged == book.decisions("a1")[0].judged == "seen"
    book.record([a_grade(text="New.")], now=LATER, judged={"Participant_101": {"b": "new"}})
    book.replace_decisions("a1", [an_override("0.75")], among={"Participant_101"}, now=LATER)
    assert [override.judged for override in book.decisions("a1")] == ["seen", "new"]


def test_deciding_the_same_on_new_evidence_is_a_new_decision(
    book: Gradebook, an_override: AnOverride
) -> None:
    book.add_decisions("a1", [an_override(judged="1")], now=NOON)
    assert book.add_decisions("a1", [an_override(judged="2")], now=LATER)
    assert [override.judged for override in book.decisions("a1")] == ["2"]


def test_nothing_is_recorded_when_one_of_many_fails(book: Gradebook, a_grade: AGrade) -> None:
    def grades() -> object:
        yield a_grade()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        book.record(grades(), now=NOON)  # type: ignore[arg-type]
    assert book.latest("a1") == {}


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from sqlalchemy import event
from grader.gradebook import Gradebook
from grader.gradebook.connection import change_counter
from grader.model import Grade

grade = Grade.model_validate_json(sys.argv[2])
with Gradebook.open(Path(sys.argv[1])) as book:
    event.listen(book._engine, "commit", lambda connection: os.kill(os.getpid(), signal.SIGKILL))
    many = [grade.model_copy(update={"submission": f"s{i}", "flags": ("x" * 10_000,)}) for i in range(600)]
    book.record(many, now=datetime.now(UTC))
"""


def test_a_kill_in_the_middle_of_recording_leaves_what_was_there_before(
    book_file: Path, a_grade: AGrade
) -> None:
    with Gradebook.open(book_file) as book:
        book.record([a_grade()], now=NOON)
    command = [sys.executable, "-c", KILLED, str(book_file), a_grade().model_dump_json()]
    killed = subprocess.run(command, check=False, timeout=60, env={**os.environ})
    assert killed.returncode == -signal.SIGKILL
    assert book_file.with_name("gradebook.sqlite-journal").exists(), (
        "the kill came too early to show anything"
    )
    with Gradebook.open(book_file) as book:
        assert book.latest("a1") == {"Participant_101": a_grade()}
        book.record([a_grade("Participant_102")], now=LATER)
        assert len(book.latest("a1")) == 2


def test_history_cannot_be_changed_even_by_hand(book_file: Path, book: Gradebook, a_grade: AGrade) -> None:
    book.record([a_grade()], now=NOON)
    with closing(sqlite3.connect(book_file)) as raw:
        for statement in ("DELETE FROM grade_states", "UPDATE submissions SET submission = 'x'"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                raw.execute(statement)


def test_foreign_keys_hold_and_there_is_no_write_ahead_log(book_file: Path, book: Gradebook) -> None:
    with book._writing() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "delete"
    orphan = "INSERT INTO decision_events VALUES (1, 99, 'a', 'now', 'review', 0, '{}')"
    with pytest.raises(IntegrityError), book._writing() as connection:
        connection.exec_driver_sql(orphan)


def test_a_second_writer_waits_and_is_then_told(book_file: Path, book: Gradebook, a_grade: AGrade) -> None:
    with Gradebook.open(book_file, busy_seconds=0.05) as impatient, book._writing():
        with pytest.raises(StoreError, match="another program is writing"):
            impatient.record([a_grade()], now=NOON)
        assert impatient.latest("a1") == {}


def test_a_hundred_grades_are_recorded_in_one_transaction(
    book: Gradebook, book_file: Path, a_grade: AGrade
) -> None:
    before = int.from_bytes(change_counter(book_file))
    book.record([a_grade(f"Participant_{i}") for i in range(100)], now=NOON)
    assert int.from_bytes(change_counter(book_file)) == before + 1
    assert len(book.latest("a1")) == 100


@pytest.mark.parametrize(
    "damage", ["not a database at all, but long enough to look at" * 50, "head", "middle", "cut"]
)
def test_a_damaged_file_is_told_with_the_mend_and_left_as_it_is(
    book_file: Path, a_grade: AGrade, damage: str
) -> None:
    with Gradebook.open(book_file) as book:
        book.record([a_grade(f"s{i}", text="x" * 3000) for i in range(50)], now=NOON)
    content = bytearray(book_file.read_bytes())
    if damage == "head":
        content[100:130] = b"\xff" * 30
    elif damage == "middle":
        content[len(content) // 2 : len(content) // 2 + 8192] = b"\xff" * 8192
    elif damage == "cut":
        del content[len(content) // 2 :]
    else:
        content = bytearray(damage.encode())
    book_file.write_bytes(content)
    with pytest.raises(StoreError, match=r"gradebook is damaged .* move it aside"), Gradebook.open(book_file):
        pass
    assert book_file.read_bytes() == content


def test_a_file_of_a_newer_program_is_left_alone(book_file: Path, a_grade: AGrade) -> None:
    with Gradebook.open(book_file) as book:
        book.record([a_grade()], now=NOON)
    with closing(sqlite3.connect(book_file)) as raw:
        raw.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match=r"newer grader .*update the program"), Gradebook.open(book_file):
        pass


def test_a_database_of_another_program_is_left_alone(book_file: Path) -> None:
    book_file.parent.mkdir()
    with closing(sqlite3.connect(book_file)) as raw:
        raw.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(StoreError, match="another program"), Gradebook.open(book_file):
        pass


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"), Gradebook.open(tmp_path):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="folder cannot be made"), Gradebook.open(tmp_path / "file" / "book"):
        pass


def test_a_record_that_no_longer_fits_is_told_with_the_mend(book_file: Path, book: Gradebook) -> None:
    with closing(sqlite3.connect(book_file)) as raw:
        raw.execute("INSERT INTO submissions VALUES (1, 'a1', 's1')")
        raw.execute("INSERT INTO grade_states VALUES (1, 1, '2026-05-01', '0', '{}', '{\"old\": 1}')")
        raw.commit()
    with pytest.raises(StoreError, match="does not fit this version"):
        book.latest("a1")


def test_an_empty_file_left_by_a_kill_becomes_a_gradebook(book_file: Path, a_grade: AGrade) -> None:
    book_file.parent.mkdir()
    book_file.touch()
    with Gradebook.open(book_file) as book:
        book.record([a_grade()], now=NOON)
        assert len(book.latest("a1")) == 1
