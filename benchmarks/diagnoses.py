"""How well diagnoses in words are read: `python benchmarks/diagnoses.py`, or `make answers`.

Reads the labelled diagnoses in `tests/fixes/diagnoses/`, holds each against its script's causes and against
what was measured of it, and prints, for both sets apart, how many decisions are right (with the lower end of
the 95 % interval after Wilson), how many of the clear diagnoses are decided, and every mistake.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from answers import lower_bound

from grader.fixes.diagnoses import Diagnosis, Said, diagnose
from grader.fixes.records import Passage, Symptoms
from grader.fixes.scripts import read_scripts

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / "tests" / "fixes" / "diagnoses"
SETS = ("measured", "tuning")


def main() -> None:
    """Print the figures and the mistakes of both sets."""
    scripts = read_scripts(REPOSITORY / "rubrics" / "a2" / "scripts.yaml")
    told: dict[str, Any] = yaml.safe_load((FOLDER / "symptoms.yaml").read_text("utf-8"))
    measured = {name: Symptoms.model_validate(symptoms) for name, symptoms in told.items()}
    print("| diagnoses | all | decided | right | at least | clear | of these decided |")
    print("|---|---|---|---|---|---|---|")
    mistakes: list[str] = []
    for name in SETS:
        entries: list[dict[str, str]] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
        judged = [(entry, _judged(entry, scripts[entry["script"]].causes, measured)) for entry in entries]
        decided = [(entry, found) for entry, found in judged if found.outcome is not Said.UNCLEAR]
        right = sum(found.outcome == entry["expect"] for entry, found in decided)
        clear = [found for entry, found in judged if entry["expect"] != Said.UNCLEAR]
        coverage = sum(found.outcome is not Said.UNCLEAR for found in clear) / len(clear)
        print(
            f"| {name}.yaml | {len(entries)} | {len(decided)} | {right / len(decided):.3f} "
            f"| {lower_bound(right, len(decided)):.3f} | {len(clear)} | {coverage:.2f} |"
        )
        mistakes += [
            f"MISTAKE ({name}, {entry['script']}): found {found.outcome}, expected {entry['expect']}: "
            f"{entry['text']}"
            for entry, found in decided
            if found.outcome != entry["expect"]
        ]
    print(*mistakes, sep="\n")


def _judged(entry: dict[str, str], causes: Any, measured: dict[str, Symptoms]) -> Diagnosis:
    return diagnose([Passage(text=entry["text"], cell=1)], causes, measured[entry["script"]])


if __name__ == "__main__":
    main()
