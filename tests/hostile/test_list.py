"""docs/security.md names every attempt, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

from hostile.attacks import FOLDER, MEASURED, TIMED, read_attacks
from hostile.oddities import ODDITIES

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "security.md").read_text("utf-8")
ROWS = [line for line in PAGE.split("\n") if re.match(r"\| \d+ \|", line)]
NAMED = {span for row in ROWS for span in re.findall(r"`([^`]+)`", row.rsplit("|", 2)[1])}
LABELS = {attack.name for folder in (FOLDER, MEASURED, TIMED) for attack in read_attacks(folder)} | set(
    ODDITIES
)


def test_every_attempt_stands_in_the_list():
    assert {label for label in LABELS if f"`{label}`" not in PAGE} == set()


def test_what_the_list_names_is_there():
    tests = {name for file in (REPOSITORY / "tests").rglob("test_*.py") for name in _tests_in(file)}
    missing = {name for name in NAMED - LABELS - tests if not (REPOSITORY / name).exists()}
    assert missing == set()


def _tests_in(file: Path) -> list[str]:
    return re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
