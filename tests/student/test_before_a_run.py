"""What is told, before anything was run, of criteria that it takes a run to judge."""

from __future__ import annotations

import pytest
from student.conftest import finding, told

from grader.checks.previews import PublicSide, Sight
from grader.checks.registry import all_checks
from grader.errors import RubricError
from grader.student.looking import look
from grader.student.own_work import read_own

NAMES = "# %% [markdown]\nAlex Example, Sam Sample\n"


@pytest.mark.parametrize(
    ("assignment", "criterion", "code", "text"),
    [
        ("a2", "pipeline-shuffled", "data = data.shuffle(1000)", "Cell 2 has a shuffle (`shuffle`)"),
        ("a2", "trained-from-pipeline", "d = tf.data.Dataset.from_tensor_slices(x)", "Cell 2 has a pipeline"),
        ("a3", "cnn", "layer = tf.keras.layers.Conv2D(8, 3)", "Cell 2 has a convolution (`Conv2D`)"),
        ("a3", "custom-loop", "def train_step(self, data):\n    pass", "a training step of its own"),
        (
            "a3",
            "beyond-mnist",
            "from keras.datasets import cifar10",
            "cifar10, cifar100 (`cifar10`)",
        ),
        ("a4", "dense-block", "x = tf.concat([x, y], -1)", "a connection past layers (`concat`)"),
        ("a4", "tf-function", "@tf.function\ndef f(x):\n    return x", "Cell 2 has a tf.function"),
    ],
)
def test_the_cell_that_has_what_is_asked_for_is_named(look_at, assignment, criterion, code, text):
    looked = look_at(f"{NAMES}\n# %%\n{code}\n", assignment)
    assert finding(looked, criterion).sight is Sight.LATER
    assert text in told(looked, criterion)


@pytest.mark.parametrize("code", ["# Conv2D", "print('a Conv2D layer')"])
def test_comments_and_strings_are_not_taken_for_code(look_at, code):
    looked = look_at(f"{NAMES}\n# %%\n{code}\n", "a3")
    assert finding(looked, "cnn").sight is Sight.UNCLEAR
    assert told(looked, "cnn") == "No cell was found that has a convolution."


def test_layers_that_are_added_to_a_model_are_no_connection_past_layers(look_at):
    looked = look_at(f"{NAMES}\n# %%\nmodel = keras.Sequential()\nmodel.add(layer)\n", "a4")
    assert finding(looked, "dense-block").sight is Sight.UNCLEAR


def test_an_edition_that_does_not_fit_its_check_is_told_before_a_run_too(write, editions):
    item = next(item for item in editions["a4"].items if item.id == "dense-block")
    other = item.model_copy(update={"public": {"kind": "dense", "at_most": 3}})
    edition = editions["a4"].model_copy(update={"items": (other,)})
    with pytest.raises(RubricError, match="does not fit the check 'connected-blocks'"):
        look(read_own(write(f"{NAMES}\n# %%\nx = 1\n")), edition)


@pytest.mark.parametrize("assignment", ["a2", "a3", "a4"])
def test_nothing_that_a_run_could_show_is_called_missing(look_at, editions, assignment):
    looked = look_at(f"{NAMES}\n# %%\nfrom my_model import train\ntrain()\n", assignment)
    by_run = {"trained-from-pipeline", "cnn", "custom-loop", "dense-block", "experiments", "script-4"}
    found = [one for one in looked.asked_for if one.id in by_run]
    assert len(found) >= 2
    assert {one.sight for one in found} <= {Sight.UNCLEAR, Sight.LATER}


@pytest.mark.parametrize("text", ["## fail4\nIt is the noise.", "Script 4: noise", "Skript #4: Rauschen"])
def test_the_place_that_names_a_script_is_told(look_at, text):
    looked = look_at(f"{NAMES}\n# %% [markdown]\n{text}\n", "a2")
    assert finding(looked, "script-4").sight is Sight.LATER
    assert "Cell 2 names fail4" in told(looked, "script-4")
    assert finding(looked, "script-1").sight is Sight.UNCLEAR
    assert "Nothing names fail1" in told(looked, "script-1")


def test_a_bug_in_a_check_does_not_keep_a_student_from_all_else(look_at, monkeypatch):
    def broken(evidence: object, **_: object) -> None:
        raise KeyError("Alex Example")

    monkeypatch.setattr(all_checks()["functional-api"], "public", PublicSide(lambda _: {}, broken))
    looked = look_at(f"{NAMES}\n# %%\nx = 1\n", "a4")
    assert finding(looked, "functional-api").sight is Sight.LATER
    assert "A fault of the program (KeyError in its check 'functional-api')" in told(looked, "functional-api")
    assert finding(looked, "names").sight is Sight.FOUND
