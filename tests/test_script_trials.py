"""What is put into the room for a fix."""

from __future__ import annotations

from grader.fixes.causes import KNOWN_CAUSES
from grader.fixes.records import Script
from grader.script_trials import with_own_steps

SCRIPT = Script(name="one", title="", source="N = 2000\n", steps="N", causes=(KNOWN_CAUSES["softmax-twice"],))


def test_a_mended_script_takes_as_many_steps_as_the_script():
    assert with_own_steps(SCRIPT, "N = 50\nW = 0.1\n") == "N = 2000\nW = 0.1\n"
    assert with_own_steps(SCRIPT, "EPOCHS = 5\n") == "EPOCHS = 5\n"
    nameless = SCRIPT.model_copy(update={"steps": ""})
    assert with_own_steps(nameless, "N = 50\n") == "N = 50\n"
