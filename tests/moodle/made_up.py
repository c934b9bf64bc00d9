"""A made-up course as Moodle has it: rows of its worksheet in two languages, feedback as it reads it."""

from __future__ import annotations

import zipfile
from pathlib import Path

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


def as_moodle_reads(feedback: Path) -> dict[str, list[tuple[str, bytes]]]:
    """Participant's number → files of a feedback zip: split at `_`, a path's second part says whose it is."""
    found: dict[str, list[tuple[str, bytes]]] = {}
    with zipfile.ZipFile(feedback) as archive:
        for name in archive.namelist():
            folder, file = name.split("/")
            parts = folder.split("_", 4)
            assert parts[2:] == ["assignfeedback", "file"], name
            assert not file.startswith((".", "~")), name
            found.setdefault(parts[1], []).append((file, archive.read(name)))
    return found
