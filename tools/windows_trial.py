"""What `tools/windows.sh` tries on Windows: cells, limits and interrupts of kernels without walls.

`windows_trial.py forward` writes, on Linux, the names of functions that libraries for Windows look for in two
others than those that have them.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ELSEWHERE = {"python3.dll": "python311", "api-ms-win-core-synch-l1-2-0.dll": "kernelbase"}
MIB = 1024**2
LEFT = "time.sleep(987)"  # what tells a program that is left


class Trial(NamedTuple):
    """Cells, limits other than the usual ones, how the run must end, and what the last cell must print."""

    name: str
    cells: tuple[str, ...]
    limits: dict[str, int]
    ends: str
    prints: str = ""


TRIALS = (
    Trial(
        "cells, folders and files",
        (
            "import os, sys\nos.chdir('drive/MyDrive')\nopen('a', 'w').write('ä')",
            "!echo here\nprint(sys.platform, open('a').read(), input('who?'), end='.')",
        ),
        {},
        "completed",
        "win32 ä .",
    ),
    Trial("a failure", ("1 / 0", "print('on')"), {}, "cell_failed", "on"),
    Trial(
        "a sleeping cell",
        ("import time\ntime.sleep(60)", "print('on')"),
        {"wall_seconds": 3},
        "cut_short",
        "on",
    ),
    Trial("a busy cell", ("while True: pass", "print('on')"), {"wall_seconds": 3}, "cut_short", "on"),
    Trial(
        "a cell that cannot be interrupted",
        ("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",),
        {"wall_seconds": 2, "reserve_seconds": 2},
        "timed_out",
    ),
    Trial("an end", ("import os\nos._exit(3)",), {}, "kernel_died"),
    Trial(
        "memory",
        (f"import time\nkept = b'x' * (500 * {MIB})\ntime.sleep(20)",),
        {"memory_bytes": 400 * MIB},
        "out_of_memory",
    ),
    Trial(
        "disk",
        (f"import time\nopen('x', 'wb').write(b'x' * (20 * {MIB}))\ntime.sleep(20)",),
        {"disk_bytes": 10 * MIB},
        "too_much_disk",
    ),
    Trial("output", ("while True: print('x' * 1000)",), {"output_bytes": MIB}, "too_much_output"),
    Trial(
        "programs that are left",
        (
            "import subprocess, sys\nfor _ in range(2):\n"
            f"    subprocess.Popen([sys.executable, '-c', 'import time; {LEFT}'])",
        ),
        {},
        "completed",
    ),
)


def main() -> None:
    """Run every trial; exit with 1 when one does not end as it must, or something is left running."""
    import psutil

    wrong = [trial.name for trial in TRIALS if not _is_right(trial)]
    if any(LEFT in " ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])):
        wrong.append("something is left running")
    sys.exit(f"not as it must be: {', '.join(wrong)}" if wrong else 0)


def _is_right(trial: Trial) -> bool:
    from grader.execution.jobs import CodeCell, Job
    from grader.execution.local import LocalExecutor
    from grader.model import Isolation, Limits

    cells = tuple(
        CodeCell(number=number, source=source) for number, source in enumerate(trial.cells, start=1)
    )
    limits = Limits(**({"wall_seconds": 30, "reserve_seconds": 10} | trial.limits))
    with tempfile.TemporaryDirectory() as folder:
        job = Job(submission="x", cells=cells, folder=Path(folder), limits=limits, isolation=Isolation.NONE)
        [finished] = LocalExecutor(1).execute([job])
    printed = "".join(output.get("text", "") for output in finished.notebook.cells[-1].outputs)
    is_right = finished.run.status == trial.ends and trial.prints in printed
    wrong = "" if is_right else f", not as it must be ({printed!r})"
    print(f"{trial.name}: {finished.run.status.value}{wrong}", flush=True)
    return is_right


def forward() -> None:
    """Write `<library>.def` for each library of `ELSEWHERE` into the current folder."""
    wanted: dict[str, set[str]] = {library: set() for library in ELSEWHERE}
    for file in [*Path("Lib").rglob("*.pyd"), *Path("Lib").rglob("*.dll")]:
        told = subprocess.run(
            ["x86_64-w64-mingw32-objdump", "-p", file], capture_output=True, text=True, check=True
        ).stdout
        for part in told.split("DLL Name: ")[1:]:
            library = part.split(None, 1)[0].lower()
            if library in wanted:
                names = re.findall(
                    r"^\s+[0-9a-f]+\s+\d+\s+([A-Za-z_]\w*)$", part.partition("\n\n")[0], re.MULTILINE
                )
                wanted[library].update(names)
    for library, names in wanted.items():
        stem = library.removesuffix(".dll")
        lines = "".join(f"{name}={ELSEWHERE[library]}.{name}\n" for name in sorted(names))
        Path(f"{stem}.def").write_text(f"LIBRARY {stem}\nEXPORTS\n{lines}", "utf-8")


if __name__ == "__main__":
    forward() if sys.argv[1:] == ["forward"] else main()
