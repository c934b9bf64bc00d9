"""`grade check` on macOS and Windows, as far as that can be tried on Linux.

Its process is made to look like theirs: the platform's name, and without the modules and functions that only
Linux or Unix has. What the libraries themselves do there is theirs, so they are imported before.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from student.conftest import REPOSITORY

SAMPLE = REPOSITORY / "submissions/a1/Participant_102_assignsubmission_file/IDL_Assignment_1.ipynb"
MISSING = REPOSITORY / "submissions/a1/Participant_104_assignsubmission_file/a1_final.ipynb"
OF_RUNNING = (
    "tensorflow",
    "keras",
    "nbclient",
    "nbformat",
    "jupyter_client",
    "zmq",
    "psutil",
    "sqlalchemy",
    "nh3",
)


class System(NamedTuple):
    """What is not there on a system, and how Python calls it."""

    platform: str
    modules: tuple[str, ...]
    functions: tuple[str, ...]


MACOS = System(
    "darwin",
    OF_RUNNING,
    (
        *("os.sched_getaffinity", "os.sched_setaffinity", "os.pidfd_open", "os.memfd_create", "os.O_PATH"),
        *("os.eventfd", "os.splice", "os.copy_file_range", "select.epoll", "signal.pidfd_send_signal"),
        *("signal.sigtimedwait", "socket.SO_PASSCRED", "time.CLOCK_BOOTTIME"),
    ),
)
WINDOWS = System(
    "win32",
    (*OF_RUNNING, "fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "readline", "curses", "posix"),
    (
        *MACOS.functions,
        *(
            "os.fork",
            "os.forkpty",
            "os.getuid",
            "os.geteuid",
            "os.getgid",
            "os.setsid",
            "os.killpg",
            "os.wait",
        ),
        *("os.statvfs", "os.chown", "os.mkfifo", "os.uname", "os.getloadavg", "os.sysconf", "os.getpgid"),
        *("os.O_NOFOLLOW", "os.O_DIRECTORY", "os.O_CLOEXEC", "os.O_NONBLOCK", "os.fchmod", "os.fstatvfs"),
        *("signal.SIGKILL", "signal.SIGALRM", "signal.SIGHUP", "signal.SIGUSR1", "signal.setitimer"),
        *("signal.pthread_sigmask", "socket.AF_UNIX", "select.poll", "time.tzset"),
    ),
)
SYSTEMS = pytest.mark.parametrize("system", [MACOS, WINDOWS], ids=lambda system: system.platform)
AS_ON = """
import importlib, os, sys
import asyncio, concurrent.futures, ctypes, multiprocessing, subprocess, tempfile, zoneinfo
import jinja2, numpy, PIL.Image, pydantic.fields, rapidfuzz.fuzz, rapidfuzz.process, yaml
import rich.console, rich.padding, rich.table, typer.core, typer.rich_utils

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {modules!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
for name in {modules!r}:
    sys.modules.pop(name, None)
for place in {functions!r}:
    module, _, name = place.partition(".")
    if hasattr(sys.modules.get(module) or importlib.import_module(module), name):
        delattr(sys.modules[module], name)
sys.platform = {platform!r}
from grader.cli import main
sys.argv = ["grade", *sys.argv[1:]]
main()
"""


def grade_on(
    system: System, *arguments: str, cwd: Path, encoding: str = "utf-8"
) -> subprocess.CompletedProcess[bytes]:
    """Run `grade` in a process of its own that has what `system` has, with a console in `encoding`."""
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    program = AS_ON.format(**system._asdict())
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True, cwd=cwd, check=False, env=environment,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder far from the course, with the student edition of assignment 1."""
    place = tmp_path_factory.mktemp("elsewhere")
    made = grade_on(WINDOWS, "student-edition", "a1", "--course", str(REPOSITORY), cwd=place)
    assert made.returncode == 0, made.stderr
    return place


@SYSTEMS
def test_a_notebook_is_read_to_the_end(system, folder):
    told = grade_on(
        system, "check", str(SAMPLE), "--edition", "a1.student.yaml", "--html", "page.html", cwd=folder
    )
    assert told.returncode == 0, told.stderr
    assert "Nothing that is required is missing" in told.stdout.decode("utf-8")
    assert "An answer stands in" in (folder / "page.html").read_text("utf-8")
    as_json = grade_on(system, "check", str(MISSING), "--edition", "a1.student.yaml", "--json", cwd=folder)
    assert as_json.returncode == 1
    assert json.loads(as_json.stdout)["ok"] is False


@SYSTEMS
def test_it_says_where_notebooks_can_be_run(system, folder):
    told = grade_on(system, "check", str(SAMPLE), "--edition", "a1.student.yaml", "--run", cwd=folder)
    assert told.returncode == 2
    assert b"Notebooks are run on Linux only, WSL on Windows included" in told.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii"])
def test_a_console_that_knows_few_letters_is_written_to(encoding, folder):
    edition = ("--edition", "a2.student.yaml")
    made = grade_on(
        WINDOWS, "student-edition", "a2", "--course", str(REPOSITORY), cwd=folder, encoding=encoding
    )
    assert made.returncode == 0, made.stderr
    notebook = REPOSITORY / "submissions/a2/Participant_202_assignsubmission_file/Übung 2.ipynb"
    told = grade_on(WINDOWS, "check", str(notebook), *edition, cwd=folder, encoding=encoding)
    assert told.returncode == 1, told.stderr
    assert "what shuffle -> repeat -> batch does" in told.stdout.decode(encoding)
    as_json = grade_on(WINDOWS, "check", str(notebook), *edition, "--json", cwd=folder, encoding=encoding)
    assert json.loads(as_json.stdout)["notebook"] == notebook.name
    nothing = grade_on(WINDOWS, "check", "Übung „3“ → 4.ipynb", *edition, cwd=folder, encoding=encoding)
    assert nothing.returncode == 2
    assert b"does not exist" in nothing.stderr
