from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import RubricError
from grader.fixes.causes import KNOWN_CAUSES
from grader.fixes.records import Bar, Symptom
from grader.fixes.scripts import read_scripts

OURS = Path(__file__).resolve().parents[2] / "rubrics" / "a2" / "scripts.yaml"
SOURCE = (
    "STEPS = 20\nRANGE = 9.0\nfor s in range(STEPS):\n    with tf.GradientTape() as t:\n        f(RANGE)\n"
)


@pytest.fixture
def written(tmp_path):
    """Writes a `scripts.yaml` beside one script and one module, and reads it."""

    def write(text, *, source=SOURCE):
        (tmp_path / "scripts").mkdir(exist_ok=True)
        (tmp_path / "scripts" / "broken.py").write_text(source)
        (tmp_path / "scripts" / "datasets.py").write_text("class MNISTDataset: pass\n")
        (tmp_path / "scripts.yaml").write_text(text)
        return read_scripts(tmp_path / "scripts.yaml")

    return write


def test_file_and_causes_are_enough(written):
    [script] = written("schema: 1\nscripts:\n  - {file: broken.py, causes: [weights-too-large]}\n").values()
    assert (script.name, script.title, script.steps) == ("broken", "broken", "STEPS")
    assert script.causes == (KNOWN_CAUSES["weights-too-large"],)
    assert script.fails == ()
    assert script.fixes == ()
    assert script.bar is None
    assert [file.name for file in script.beside] == ["datasets.py"]


def test_all_that_can_be_said(written):
    [script] = written(
        """
schema: 1
scripts:
  - file: broken.py
    title: It explodes
    steps: STEPS
    fails: [loss-not-finite]
    causes:
      - {id: gremlins, says: There are gremlins., words: [goblins]}
    fixes:
      narrow: {code: RANGE = 0.1}
      out: {says: Out., replace: f(RANGE), by: f(0.2)}
    bar: {accuracy: 0.9, loss_below: 0.5}
"""
    ).values()
    assert script.fails == (Symptom.LOSS_NOT_FINITE,)
    assert script.causes[0].words == ("goblins",)
    assert [fix.says for fix in script.fixes] == ["narrow", "Out."]
    assert "RANGE = 0.1" in script.fixes[0].source
    assert "f(0.2)" in script.fixes[1].source
    assert script.bar == Bar(accuracy=0.9, loss_below=0.5)


@pytest.mark.parametrize(
    ("script", "line", "sentence"),
    [
        ("{file: brokn.py, causes: [x-y]}", 3, "did you mean 'broken.py'"),
        ("{file: broken.py, causes: [weights-to-large]}", 3, "did you mean 'weights-too-large'"),
        ("{file: broken.py, causes: [softmax-twice], fails: [loss-stukc]}", 3, "did you mean 'loss-stuck'"),
        ("{file: broken.py, causes: []}", 3, "causes"),
        ("{file: broken.py}", 3, "`causes` is missing"),
        ("{file: broken.py, causes: [softmax-twice], steps: N}", 3, "given no whole number"),
        ("{file: broken.py, causes: [softmax-twice], bar: {accuracy: 93}}", 3, "less than 1"),
        ("{file: broken.py, causes: [softmax-twice], fixes: {a: {code: Q = 1}}}", 3, "changes nothing"),
        (
            "{file: broken.py, causes: [softmax-twice], fixes: {a: {replace: R, by: Q}}}",
            3,
            "must stand there once",
        ),
        ("{file: broken.py, causes: [softmax-twice], fixes: {a: {replace: R}}}", 3, "should be one of"),
        ("{file: ../scripts.py, causes: [softmax-twice]}", 3, "in the folder scripts/"),
        ("{file: broken.py, causes: [softmax-twice], titel: x}", 3, "did you mean 'title'"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_mend(written, script, line, sentence):
    with pytest.raises(RubricError) as caught:
        written(f"schema: 1\nscripts:\n  - {script}\n")
    assert f"line {line}:" in str(caught.value)
    assert sentence in str(caught.value)


def test_a_script_that_is_no_python_3_is_told(written):
    with pytest.raises(RubricError, match="not valid Python 3"):
        written("schema: 1\nscripts:\n  - {file: broken.py, causes: [softmax-twice]}", source="print 'x'\n")


def test_the_same_script_twice_is_told(written):
    one = "  - {file: broken.py, causes: [softmax-twice]}\n"
    with pytest.raises(RubricError, match="stands here twice"):
        written("schema: 1\nscripts:\n" + 2 * one)


def test_our_own_scripts_can_be_read():
    scripts = read_scripts(OURS)
    assert list(scripts) == ["fail1", "fail2", "fail3", "fail4", "fail5"]
    for script in scripts.values():
        assert script.steps == "TRAIN_STEPS"
        assert script.bar is not None
        assert len(script.fixes) >= 2
        assert all(fix.source != script.source for fix in script.fixes)
