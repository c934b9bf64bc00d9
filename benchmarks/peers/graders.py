"""The other graders: each with an environment of its own, and a tiny assignment in its format."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Protocol

from nbformat import v4

TEST_SECONDS = 240.0
_EXACT, _CLOSE = "square(7) == 49", "bool(np.allclose(square(np.arange(5.0)), np.arange(5.0) ** 2))"
MOST_POINTS = 2.0


class Peer(Protocol):
    """One of the graders."""

    name: str
    package: str

    def grade(
        self, course: Path, hand_ins: dict[str, str], environment: dict[str, str]
    ) -> dict[str, float | str]:
        """Points by hand-in, or how it failed, after grading sources in a new folder `course`."""
        ...


def installed(peer: Peer, cache: Path) -> Path:
    """The `bin` folder of the peer's own environment below `cache`, made when it is not there."""
    home = cache / peer.package
    if not (home / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run(
            [home / "bin" / "pip", "install", "--quiet", peer.package, "ipykernel", "numpy"], check=True
        )
        (home / "done").touch()
    return home / "bin"


def version(peer: Peer, cache: Path) -> str:
    """The installed release of a peer."""
    code = f"from importlib import metadata; print(metadata.version({peer.package!r}))"
    return _run([installed(peer, cache) / "python", "-c", code], cache, {}).stdout.strip()


class Nbgrader:
    """nbgrader: `nbgrader autograde`, which runs hand-ins as the user who grades."""

    name = "nbgrader"
    package = "nbgrader"
    _SCORES = (
        "import json\nfrom nbgrader.api import Gradebook\n"
        "with Gradebook('sqlite:///gradebook.db') as book:\n"
        "    print(json.dumps({s.student.id: s.score for s in book.assignment_submissions('a')}))"
    )

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def grade(
        self, course: Path, hand_ins: dict[str, str], environment: dict[str, str]
    ) -> dict[str, float | str]:
        """As `Peer.grade` tells."""
        programs = installed(self, self._cache)
        (course / "nbgrader_config.py").write_text(
            "c = get_config()\nc.CourseDirectory.course_id = 'course'\n"
        )
        self._write(course / "source" / "a", "### BEGIN SOLUTION\nsquare = lambda x: x * x\n### END SOLUTION")
        _run([programs / "nbgrader", "generate_assignment", "a", "--create", "--force"], course, environment)
        for name, source in hand_ins.items():
            self._write(course / "submitted" / name / "a", source)
        ended = _run([programs / "nbgrader", "autograde", "a", "--create"], course, environment)
        if ended.returncode < 0:
            return dict.fromkeys(hand_ins, "grading did not come back")
        scores = _run([programs / "python", "-c", self._SCORES], course, environment)
        given = json.loads(scores.stdout or "{}")
        return {name: given.get(name, "no grade") for name in hand_ins}

    def _write(self, folder: Path, source: str) -> None:
        folder.mkdir(parents=True)
        cells = [
            v4.new_markdown_cell("# A"),
            v4.new_code_cell(source),
            v4.new_code_cell(f"expected = 49\nassert {_EXACT.split(' ')[0]} == expected"),
        ]
        cells.append(v4.new_code_cell(f"import numpy as np\nassert {_CLOSE}"))
        fields = {"schema_version": 3, "task": False}
        cells[1].metadata.nbgrader = {
            **fields,
            "grade": False,
            "grade_id": "square",
            "locked": False,
            "solution": True,
        }
        for number, cell in enumerate(cells[2:]):
            cell.metadata.nbgrader = {
                **fields,
                "grade": True,
                "grade_id": f"test{number}",
                "locked": True,
                "solution": False,
                "points": 1,
            }
        notebook = v4.new_notebook(
            cells=cells,
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        (folder / "a.ipynb").write_text(json.dumps(notebook))


class Otter:
    """otter-grader: `otter run`, which is what its containers run inside; the containers are not tried."""

    name = "otter"
    package = "otter-grader"

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def grade(
        self, course: Path, hand_ins: dict[str, str], environment: dict[str, str]
    ) -> dict[str, float | str]:
        """As `Peer.grade` tells."""
        programs = installed(self, self._cache)
        (course / "tests").mkdir()
        for number, case in enumerate((_EXACT, _CLOSE), start=1):
            code = f">>> import numpy as np\n>>> {case}\nTrue"
            cases = [{"code": code, "hidden": True, "locked": False}]
            suites = [{"cases": cases, "scored": True, "setup": "", "teardown": "", "type": "doctest"}]
            test = {"name": f"q{number}", "points": 1, "suites": suites}
            (course / "tests" / f"q{number}.py").write_text(f"OK_FORMAT = True\ntest = {test!r}\n")
        with zipfile.ZipFile(course / "autograder.zip", "w") as archive:
            archive.writestr("otter_config.json", json.dumps({"pdf": False}))
            for file in (course / "tests").iterdir():
                archive.write(file, f"tests/{file.name}")
        given: dict[str, float | str] = {}
        for name, source in hand_ins.items():
            folder = course / "submitted" / name
            folder.mkdir(parents=True)
            notebook = v4.new_notebook(
                cells=[v4.new_code_cell(source)],
                metadata={
                    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
                },
            )
            (folder / "a.ipynb").write_text(json.dumps(notebook))
            command = [
                programs / "otter",
                "run",
                folder / "a.ipynb",
                "-a",
                course / "autograder.zip",
                "-o",
                folder,
                "--no-logo",
            ]
            ended = _run(command, course, environment)
            results = folder / "results.json"
            if ended.returncode < 0:
                given[name] = "grading did not come back"
            elif not results.exists():
                given[name] = "no grade"
            else:
                tests = json.loads(results.read_text())["tests"]
                given[name] = float(sum(test.get("score") or 0 for test in tests))
        return given


def _run(
    command: list[str | Path], folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command with a home of its own; a negative return code when it had to be killed."""
    home = {
        "HOME": str(folder),
        "PATH": f"{Path(command[0]).parent}:{os.defpath}",
        "JUPYTER_PLATFORM_DIRS": "1",
    }
    words = [str(word) for word in command]
    try:
        return subprocess.run(
            words, cwd=folder, env=home | environment, capture_output=True, text=True, timeout=TEST_SECONDS
        )
    except subprocess.TimeoutExpired as late:
        return subprocess.CompletedProcess(words, -9, str(late.stdout or ""), "")
