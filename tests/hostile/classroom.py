"""A course on disk with hostile and honest hand-ins in it, and what came of grading them."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from nbformat import v4

from grader.course import Course
from grader.evidence.record import Evidence
from grader.model import Grade, Run
from grader.pipeline import Graded
from hostile.attacks import Attack

RUBRICS = Path(__file__).resolve().parents[2] / "rubrics"
NAMES = "Names: Alex Example, Sam Sample"
TIGHT = "{wall_seconds: 12, reserve_seconds: 6, memory_mib: 700, disk_mib: 64, output_mib: 2, processes: 100}"
AMPLE = "{wall_seconds: 240, reserve_seconds: 30}"

NOTHING_DONE = "x = 1"
"""The code of a hand-in that does nothing: no attack may earn more than it does."""

HONEST_SECONDS = 1.5
_HONEST = """
import os, random, time
rows = [[random.random() for _ in range(40)] for _ in range(40)]
with open("/tmp/mine.txt", "w") as file:
    file.write("WITNESS")
time.sleep(SECONDS)
print("temporary files:", sorted(os.listdir("/tmp")), os.listdir("/dev/shm"))
print("processes:", sum(map(str.isdigit, os.listdir("/proc"))), "mine:", open("/tmp/mine.txt").read())
print(f"validation accuracy: {sum(map(sum, rows)) / 1600:.6f}")
"""


def a_course(root: Path, limits: str, cache: Path | None = None, assignment: str = "a1") -> Course:
    """A course with the rubric of an assignment under other limits; `cache` holds ready data sets.

    They are linked, not copied: a class would take a gigabyte, and nothing writes into a file that is ready.
    """
    shutil.copytree(RUBRICS, root / "rubrics")
    file = root / "rubrics" / f"{assignment}.yaml"
    rubric, count = re.subn(
        r"^limits:.*?(?=^\n)", f"limits: {limits}\n", file.read_text("utf-8"), flags=re.M | re.S
    )
    assert count == 1
    file.write_text(rubric, "utf-8")
    if cache is not None:
        (root / ".grader").mkdir()
        shutil.copytree(cache / "cache", root / ".grader" / "cache", copy_function=os.link)
        shutil.copy(cache / "split-secret", root / ".grader" / "split-secret")
    return Course(root=root)


def a_notebook(
    cells: Sequence[str], saved: Sequence[str] = (), text: str = "", names: str = NAMES
) -> dict[str, Any]:
    """A notebook with names on top and a text, code cells, and saved outputs for the first of them."""
    built = [
        v4.new_markdown_cell(f"# Assignment 1\n\n{names}"),
        *([v4.new_markdown_cell(text)] if text else []),
    ]
    for place, source in enumerate(cells):
        outputs = [v4.new_output("stream", text=saved[place])] if place < len(saved) else []
        built.append(v4.new_code_cell(source, outputs=outputs))
    return dict(v4.new_notebook(cells=built))


def an_honest_notebook(number: int, witness: str) -> dict[str, Any]:
    """An honest hand-in of one person that tells of anything foreign that it meets, for `HONEST_SECONDS`."""
    name = "".join("abcdefghij"[int(digit)] for digit in str(number)).capitalize()
    code = _HONEST.replace("SECONDS", str(HONEST_SECONDS)).replace("WITNESS", witness)
    saved = ["validation accuracy: 0.5\n"]
    return a_notebook([f"# {number}{code}"], saved, names=f"Names: {name} Witness")


def notebook_of(attack: Attack) -> dict[str, Any]:
    """The notebook of an attack, with all its tricks."""
    repeated = [piece * times for piece, times in attack.code_repeated.items()]
    text = "\n\n".join([attack.text, *(piece * times for piece, times in attack.text_repeated.items())])
    notebook = a_notebook([*attack.cells, *repeated], attack.saved, text.strip())
    notebook["metadata"] = dict(attack.metadata)
    for cell in notebook["cells"]:
        cell["metadata"] = dict(attack.cell_metadata)
        cell["id"] = attack.cell_id or cell["id"]
    return notebook


def hand_in(
    course: Course,
    number: int,
    notebook: Mapping[str, Any],
    name: str = "hand-in.ipynb",
    assignment: str = "a1",
) -> Path:
    """Put a notebook into the folder of Participant `number`; the folder."""
    folder = course.root / "submissions" / assignment / f"Participant_{number}_assignsubmission_file"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(notebook), "utf-8")
    return folder


def hand_in_attack(course: Course, number: int, attack: Attack, assignment: str = "a1") -> None:
    """Put an attack with its files into the folder of Participant `number`."""
    folder = hand_in(course, number, notebook_of(attack), attack.notebook, assignment)
    for name, content in attack.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


class Outcomes:
    """What came of grading a course, by the number of the participant."""

    def __init__(self, course: Course, graded: Graded) -> None:
        self.course = course
        self.graded = graded
        self.grades: dict[int, Grade] = {_number(g.submission): g for g in graded.grades}
        self.rejected: dict[int, str] = {_number(r.id): r.reason for r in graded.rejected}
        evidence = (
            Evidence.model_validate_json(f.read_bytes()) for f in (course.state / "evidence").glob("*.json")
        )
        self.evidence: dict[int, Evidence] = {_number(e.submission.id): e for e in evidence}

    def run(self, number: int) -> Run:
        """The run of a hand-in."""
        run = self.evidence[number].run
        assert run is not None
        return run

    def page(self, number: int) -> str:
        """The report of a hand-in as it lies on disk."""
        return (self.course.reports / "a1" / f"Participant_{number}" / "index.html").read_text("utf-8")

    def printed(self, number: int) -> str:
        """Everything that the hand-in's code cells put out in our run, as text."""
        file = self.course.state / "runs" / self.run(number).key / "executed.ipynb"
        cells = json.loads(file.read_bytes())["cells"]
        return "".join(_texts(output) for cell in cells for output in cell["outputs"])

    def points(self, number: int) -> dict[str, Decimal]:
        """What a hand-in was awarded without a person, by criterion."""
        return {c.id: c.awarded or Decimal(0) for c in self.grades[number].criteria}

    def comparable(self, number: int) -> dict[str, Any]:
        """Grade and evidence of a hand-in, without times, resource samples and where it lies."""
        grade = json.loads(self.grades[number].model_dump_json())
        return {"grade": grade, "evidence": _timeless(json.loads(self.evidence[number].model_dump_json()))}


_VARIES = {
    *("wall_seconds", "seconds", "tracing_seconds", "cpu_seconds"),
    *("peak_rss_bytes", "folder", "limits_in_force"),
}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(inner) for key, inner in value.items() if key not in _VARIES}
    return [_timeless(inner) for inner in value] if isinstance(value, list) else value


def _number(identity: str) -> int:
    return int(re.findall(r"\d+", identity)[-1])


def _texts(output: Mapping[str, Any]) -> str:
    parts: Iterator[Any] = iter(
        (output.get("text", ""), *output.get("data", {}).values(), output.get("evalue", ""))
    )
    return "".join("".join(part) if isinstance(part, list) else str(part) for part in parts)
