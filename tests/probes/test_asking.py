"""Changes of the recorder's own code are found, in a process of its own that imports no TensorFlow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from grader.execution.asking import as_written

GRADER = Path(__file__).parents[2] / "grader"
PROGRAM = """
import json, marshal, sys, types
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from probes import asking, measuring, recorder
from probes.trainings import Training
exec(sys.argv[2])
written = marshal.loads(sys.stdin.buffer.read())
print(json.dumps(asking.changed(Path(sys.argv[1]) / "probes", written)))
"""


def changed_after(code: str) -> list[str]:
    command = [sys.executable, "-c", PROGRAM, str(GRADER), code]
    ended = subprocess.run(command, input=as_written(GRADER / "probes"), stdout=subprocess.PIPE, check=True)
    found: list[str] = json.loads(ended.stdout.splitlines()[-1])
    return found


def test_what_nobody_touched_is_as_its_files_say():
    assert changed_after("") == []


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("measuring.predict = lambda *rest: None", "measuring.predict"),
        ("recorder.Recorder.measure = lambda *rest: None", "recorder.Recorder.measure"),
        ("Training.updates = property(lambda self: 900)", "trainings.Training.updates"),
        ("recorder.measure.__code__ = (lambda *rest: None).__code__", "recorder.measure"),
        ("sys.modules['probes.recorder'] = types.ModuleType('probes.recorder')", "recorder"),
        ("recorder.install(lambda *rest: None)\nrecorder._recorder.measure = print", "_recorder.measure"),
    ],
)
def test_a_change_of_it_is_named(code, name):
    assert f"recorder: {name}" in changed_after(code)
