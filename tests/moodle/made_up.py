"""A made-up course as Moodle writes it down: the rows of its worksheet in two languages."""

from __future__ import annotations

ENGLISH = [
    *("Identifier", "Full name", "Email address", "Status", "Group", "Grade", "Maximum Grade"),
    *("Grade can be changed", "Last modified (submission)", "Last modified (grade)", "Feedback comments"),
]
GERMAN = [
    *("ID", "Vollständiger Name", "E-Mail-Adresse", "Status", "Gruppe", "Bewertung", "Bestwertung"),
    *("Bewertung kann geändert werden", "Zuletzt geändert (Abgabe)", "Zuletzt geändert (Bewertung)"),
    "Feedback als Kommentar",
]


def quoted(text: str) -> str:
    """A cell as PHP's `fputcsv` writes it: in quotes as soon as there is a blank."""
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ' ",;\n\t') else text


def a_row(number: int, name: str = "", *, german: bool = False, **cells: str) -> list[str]:
    """One person's row; cells by English column with `_` for blanks."""
    blank = {
        "identifier": f"Teilnehmer/in{number}" if german else f"Participant {number}",
        "full_name": name or f"Robin Example {number}",
        "email_address": f"person{number}@example.org",
        "status": "Submitted for grading - ",
        "maximum_grade": "10,00" if german else "10.00",
        "grade_can_be_changed": "Ja" if german else "Yes",
        "last_modified_(submission)": "Tuesday, 10 November 2026, 6:03 PM",
        "last_modified_(grade)": "-",
    }
    given = {title.lower().replace(" ", "_"): "" for title in ENGLISH} | blank | cells
    return [given[title.lower().replace(" ", "_")] for title in ENGLISH]
