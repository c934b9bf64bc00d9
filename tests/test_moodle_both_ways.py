"""A made-up course of 60 people in 25 groups goes in and out, by the command line as a TA types it."""

from __future__ import annotations

import csv
import io
import re
import shutil

import pytest
from moodle.course import (
    DEADLINES,
    LATE,
    MISSING,
    RUBRIC,
    UNSAVED,
    NothingRuns,
    a_notebook,
    groups,
    result_of,
    worksheet,
    write_course,
)
from moodle.made_up import ENGLISH, GERMAN, a_row, as_moodle_reads, quoted
from typer.testing import CliRunner

from grader.cli import app


def typed(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code in (0, 1), result.output
    return " ".join(result.output.split())


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.setattr("grader.execution.local.LocalExecutor", NothingRuns)
    monkeypatch.chdir(tmp_path)
    write_course(tmp_path)
    return tmp_path


def table(content: bytes) -> dict[int, dict[str, str]]:
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";")
    return {int(row["ID"].removeprefix("Teilnehmer/in")): row for row in rows}


def test_grades_and_reports_reach_whom_they_belong_to_and_nothing_else_changes(course):
    typed("download.zip", "--assignment", "a1", "--worksheet", "grades.csv")
    assert "24 released for the first time" in typed("release", "a1", "--by", "J. D.")
    said = typed("export", "moodle", "a1", "--worksheet", "grades.csv", "--to", "out")
    assert (course / "grades.csv").read_bytes() == worksheet()
    before, after = table(worksheet()), table((course / "out" / "grades.csv").read_bytes())
    feedback = as_moodle_reads(course / "out" / "a1-feedback.zip")
    members = groups()
    for number, people in members.items():
        expected = {LATE: "8,00", UNSAVED: "2,00", MISSING: ""}.get(number, "10,00")
        for person in people:
            assert after[person]["Bewertung"] == expected
            if number == MISSING:
                assert str(person) not in feedback
                continue
            [(name, page)] = feedback[str(person)]
            assert name == "report.html"
            shown = page.decode()
            assert [other for other in members if result_of(other) in shown] == [number]
    taken = 60 - len(members[MISSING])
    assert f"Moodle will take {taken} of 60 grades" in said
    for person, row in before.items():
        for column, cell in row.items():
            if column not in ("Bewertung", "Feedback als Kommentar") or cell == "=kept":
                assert after[person][column] == cell


def test_every_byte_that_is_no_grade_or_feedback_is_unchanged(course):
    typed("download.zip", "--assignment", "a1", "--worksheet", "grades.csv")
    typed("release", "a1", "--by", "J. D.")
    typed("export", "moodle", "a1", "--worksheet", "grades.csv", "--to", "out", "--no-comments")
    lines = (course / "out" / "grades.csv").read_bytes().split(b"\r\n")
    for old, new in zip(worksheet().split(b"\r\n"), lines, strict=True):
        grades = (b";10,00;", b";8,00;", b";2,00;")
        assert new == old or any(new.replace(grade, b";;", 1) == old for grade in grades)


def raw_rows(content: bytes) -> list[list[bytes]]:
    """The cells of each row as they stand in the file, with quotes, delimiter and line end."""
    rows: list[list[bytes]] = [[]]
    for cell in re.findall(rb'(?:"(?:[^"]|"")*"|[^;"\r\n]*)(?:;|\r\n)', content):
        rows[-1].append(cell)
        if cell.endswith(b"\r\n"):
            rows.append([])
    assert b"".join(b"".join(row) for row in rows) == content
    return rows


def test_with_comments_too_only_cells_of_grades_and_comments_are_other_ones(course):
    typed("download.zip", "--assignment", "a1", "--worksheet", "grades.csv")
    typed("release", "a1", "--by", "J. D.")
    typed("export", "moodle", "a1", "--worksheet", "grades.csv", "--to", "out")
    before, after = raw_rows(worksheet()), raw_rows((course / "out" / "grades.csv").read_bytes())
    filled = {GERMAN.index("Bewertung"), GERMAN.index("Feedback als Kommentar")}
    differing = {
        place
        for old, new in zip(before, after, strict=True)
        for place, (one, other) in enumerate(zip(old, new, strict=True))
        if one != other
    }
    assert differing == filled


def test_a_released_grade_does_not_change_silently(course):
    typed("download.zip", "--assignment", "a1", "--worksheet", "grades.csv")
    typed("release", "a1", "--by", "J. D.")
    rubric = course / "rubrics" / "a1.yaml"
    rubric.write_text(RUBRIC.replace("points: 8", "points: 6"))
    typed("download.zip", "--assignment", "a1", "--worksheet", "grades.csv")
    said = typed("export", "moodle", "a1", "--worksheet", "grades.csv", "--to", "out")
    after = table((course / "out" / "grades.csv").read_bytes())
    assert after[groups()[1][0]]["Bewertung"] == "10,00"
    assert "its report shows another state than the one released" in said
    assert as_moodle_reads(course / "out" / "a1-feedback.zip").keys() <= {str(p) for p in groups()[UNSAVED]}
    assert "not lowered" in typed("release", "a1", "--by", "B. B.")


def test_an_extension_that_is_added_later_undoes_the_penalty(course):
    typed("download.zip", "--assignment", "a1", "--worksheet", "grades.csv")
    (course / "deadlines.yaml").write_text(DEADLINES.replace("Team-3_903", "Team-2_902"))
    said = typed("download.zip", "--assignment", "a1", "--worksheet", "grades.csv")
    assert "moved: Team-2_902: 8 → 10 points (by what lateness costs)" in said
    assert "moved: Team-3_903: 10 → 8 points" in said


def test_blind_hand_ins_go_by_their_numbers(course):
    shutil.rmtree(course / "rubrics")
    (course / "rubrics").mkdir()
    (course / "rubrics" / "a2.yaml").write_text(RUBRIC.replace("a1", "a2"))
    for number in (11, 12):
        folder = course / "submissions" / "a2" / f"Participant_{number}_assignsubmission_file"
        folder.mkdir(parents=True)
        (folder / "work.ipynb").write_text(a_notebook(number))
    rows = [a_row(number, f"Participant {number}") for number in (12, 11, 13)]
    lines = [",".join(map(quoted, row)) + "\n" for row in (ENGLISH, *rows)]
    (course / "submissions" / "a2" / "worksheet.csv").write_text("".join(lines))
    typed("submissions/")
    typed("release", "a2", "--by", "J. D.")
    typed("export", "moodle", "a2", "--worksheet", "submissions/a2/worksheet.csv", "--to", "out")
    assert as_moodle_reads(course / "out" / "a2-feedback.zip").keys() == {"11", "12"}
    sheet = (course / "out" / "worksheet.csv").read_text().splitlines()
    assert [",10.00,10.00," in line for line in sheet] == [False, True, True, False]
