"""Processes of ours that have what macOS and Windows have, as far as that can be had on Linux.

The platform's name is theirs, and modules and functions are gone that only Linux or Unix has, and with them
`/proc`, links and bubblewrap. What the libraries themselves do there is theirs, so they are imported before.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

_OF_RUNNING = (
    *("tensorflow", "keras", "nbclient", "nbformat", "jupyter_client", "zmq", "psutil", "sqlalchemy", "nh3"),
)


class System(NamedTuple):
    """What is not there on a system, and how Python calls it."""

    platform: str
    modules: tuple[str, ...]
    functions: tuple[str, ...]


MACOS = System(
    "darwin",
    (),
    (
        *("os.sched_getaffinity", "os.sched_setaffinity", "os.pidfd_open", "os.memfd_create", "os.O_PATH"),
        *("os.eventfd", "os.splice", "os.copy_file_range", "select.epoll", "signal.pidfd_send_signal"),
        *("signal.sigtimedwait", "socket.SO_PASSCRED", "socket.SOCK_SEQPACKET", "time.CLOCK_BOOTTIME"),
    ),
)
WINDOWS = System(
    "win32",
    ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "readline", "curses", "posix"),
    (
        *MACOS.functions,
        *("os.fork", "os.forkpty", "os.getuid", "os.geteuid", "os.getgid", "os.setsid", "os.killpg"),
        *("os.wait", "os.statvfs", "os.chown", "os.mkfifo", "os.uname", "os.getloadavg", "os.sysconf"),
        *("os.getpgid", "os.O_NOFOLLOW", "os.O_DIRECTORY", "os.O_CLOEXEC", "os.O_NONBLOCK", "os.fchmod"),
        *("os.fstatvfs", "signal.SIGKILL", "signal.SIGALRM", "signal.SIGHUP", "signal.SIGUSR1"),
        *("signal.setitimer", "signal.pthread_sigmask", "socket.AF_UNIX", "select.poll", "time.tzset"),
    ),
)
_ABSENT = """
import errno, importlib, os, pathlib, shutil, signal, socket, subprocess, sys

def of_linux(original):
    def looked(path, *arguments, **options):
        if str(path).startswith(("/proc", "/sys")):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
        return original(path, *arguments, **options)
    return looked

def no_link(*_, **__):
    raise OSError("a required privilege is not held by the client")

def a_pair(pair=socket.socketpair, family=socket.AF_UNIX):
    return pair(family)

which = shutil.which
shutil.which = lambda name, *more: None if name == "bwrap" else which(name, *more)
sys.modules.update(dict.fromkeys({modules!r}))
for name in ("stat", "open", "iterdir"):
    setattr(pathlib.Path, name, of_linux(getattr(pathlib.Path, name)))
if {platform!r} == "win32":
    os.symlink, socket.socketpair = no_link, a_pair
    subprocess.Popen.kill = lambda process: process.send_signal(9)
    if sys.modules.get("psutil"):
        sys.modules["psutil"].Process.kill = lambda process: os.kill(process.pid, 9)
for place in {functions!r}:
    module, _, name = place.partition(".")
    if hasattr(sys.modules.get(module) or importlib.import_module(module), name):
        delattr(sys.modules[module], name)
sys.platform = {platform!r}
"""
_READING = """
import asyncio, concurrent.futures, ctypes, multiprocessing, subprocess, tempfile, zoneinfo
import jinja2, numpy, PIL.Image, pydantic.fields, rapidfuzz.fuzz, rapidfuzz.process, yaml
import rich.console, rich.padding, rich.table, typer.core, typer.rich_utils
"""
_RUNNING = """
import jupyter_client.asynchronous.client, jupyter_client.manager, jupyter_client.provisioning.factory
import nbclient, nbformat.v4, nh3, psutil, zmq.asyncio
"""
_GRADE = """
from grader.cli import main
sys.argv = ["grade", *sys.argv[1:]]
main()
"""
_AS_PYTHON = """#!{python}
import os, sys
arguments = sys.argv[1:]
if arguments[0].startswith("-"):
    os.execv({python!r}, [{python!r}, *arguments])
import platform, runpy, socket, subprocess, types
import IPython, ipykernel.kernelapp, numpy
# What libraries use of macOS and of Windows, by its name.
platform.mac_ver = lambda: ("14.0", ("", "", ""), "arm64")
sys.modules["appnope"] = types.SimpleNamespace(nope=lambda: None)
socket.SO_EXCLUSIVEADDRUSE = socket.SO_REUSEADDR
{absent}
sys.argv = arguments
runpy.run_path(arguments[0], run_name="__main__")
"""


def grade_on(
    system: System, *arguments: str, cwd: Path, encoding: str = "utf-8"
) -> subprocess.CompletedProcess[bytes]:
    """Run `grade`, as it is installed to read notebooks, with a console in `encoding`."""
    absent = system._replace(modules=(*_OF_RUNNING, *system.modules))
    program = _READING + _ABSENT.format(**absent._asdict()) + _GRADE
    return _run(program, *arguments, cwd=cwd, environment={"PYTHONIOENCODING": encoding})


def grade_and_run_on(
    system: System, *arguments: str, cwd: Path, cache: Path
) -> subprocess.CompletedProcess[bytes]:
    """Run `grade`, as it is installed to run notebooks; so are the kernels, in processes of their own."""
    absent = _ABSENT.format(**system._asdict())
    python = cwd / "python"
    python.write_text(_AS_PYTHON.format(python=sys.executable, absent=absent), "utf-8")
    python.chmod(0o755)
    program = f"{_READING}{_RUNNING}{absent}sys.executable = {str(python)!r}\n{_GRADE}"
    return _run(program, *arguments, cwd=cwd, environment={"XDG_CACHE_HOME": str(cache)})


def _run(
    program: str, *arguments: str, cwd: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True, cwd=cwd, check=False, env=os.environ | environment,
    )  # fmt: skip
