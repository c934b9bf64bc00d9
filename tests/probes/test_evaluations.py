"""What listening for evaluations costs a notebook, in a process that finds the recorder as a room does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

GRADER = Path(__file__).resolve().parents[2] / "grader"
PROGRAM = """
import json, sys, time
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
from probes.evaluations import LightRecording

def busy():
    end = time.thread_time() + 0.2
    while time.thread_time() < end:
        pass

def cost_of(work):
    class Tensor:
        _numpy = property(lambda self: work())
    recording = LightRecording()
    recording.add(SimpleNamespace(inputs=(Tensor(), SimpleNamespace()), outputs=()))
    return recording.seconds

print(json.dumps([cost_of(lambda: time.sleep(0.5)), cost_of(busy)]))
"""


def test_a_turn_that_is_waited_for_is_no_cost_of_listening_and_work_is():
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(GRADER)], capture_output=True, text=True, check=True
    )
    waited, worked = json.loads(ended.stdout)
    assert waited < 0.1
    assert worked >= 0.2
