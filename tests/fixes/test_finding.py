"""Fixes and words are found where hand-ins put them, and belong to the script that they are meant for."""

from __future__ import annotations

import pytest

from grader.fixes.finding import MAX_FIXES, find_fixes
from grader.fixes.records import BrokenScript, FixKind

RELU = "x = tf.nn.relu(tf.matmul(x, w) + b)"

# Ways to say it, each with the script and a line that the mended script must have.
WAYS = [
    ("## Script 1\nThe loss is NaN. Use\n```python\nW_RANGE = 0.1\n```", "fail1", "W_RANGE = 0.1"),
    ("### fail1.py\nWe set `W_RANGE = 0.05`, then it trains.", "fail1", "W_RANGE = 0.05"),
    ("**Script 1:** W_RANGE from 1.0 to 0.1", "fail1", "W_RANGE = 0.1"),
    ("Script 1 explodes.\n\n```diff\n- W_RANGE = 1.0\n+ W_RANGE = 0.1\n```", "fail1", "W_RANGE = 0.1"),
    ("# fail1\n```\nW_RANGE = 1.0 -> 0.1\n```", "fail1", "W_RANGE = 0.1"),
    (
        "# fail1\n```python\n# before\nW_RANGE = 1.0\n# after\nW_RANGE = 0.1\n```",
        "fail1",
        "W_RANGE = 0.1",
    ),
    ("## fail1\n~~W_RANGE = 1.0~~ `W_RANGE = 0.1`", "fail1", "W_RANGE = 0.1"),
    (
        "Im ersten Skript explodieren die Gradienten. Die Lernrate auf 0,001 senken.",
        "fail1",
        "LEARNING_RATE = 0.001",
    ),
    ("First script: lower the learning rate to 1e-3.", "fail1", "LEARNING_RATE = 0.001"),
    ("### Script 2\nUse ReLU instead of sigmoid.", "fail2", RELU),
    ("### Skript 2\nReLU statt Sigmoid verwenden", "fail2", RELU),
    ("fail2: replace `tf.nn.sigmoid` with `tf.nn.relu`", "fail2", RELU),
    ("fail2: `tf.nn.relu` instead of `tf.nn.sigmoid`", "fail2", RELU),
    ("| Script | Problem | Fix |\n|---|---|---|\n| 2 | vanishing | use relu not sigmoid |", "fail2", RELU),
    ("## Failing scripts\n1. lr\n2. Sigmoid. Fix: relu activation\n3. x", "fail2", RELU),
    ("In fail_2 there are too many layers, we use 2 hidden layers instead.", "fail2", "N_LAYERS = 2"),
    ("fail2 is too deep, fewer layers help", "fail2", "N_LAYERS = 2"),
    ("fail2: add `N_LAYERS = 1`", "fail2", "N_LAYERS = 1"),
    (
        "## Script 3\nInitialise the weights between −0.1 and 0.1.",
        "fail3",
        "w = tf.Variable(tf.random.uniform([n_in, n_out], -0.1, 0.1))",
    ),
    (
        "## Script 3\n`-W_RANGE, 0.0` → `-W_RANGE, W_RANGE`",
        "fail3",
        "w = tf.Variable(tf.random.uniform([n_in, n_out], -W_RANGE, W_RANGE))",
    ),
    (
        "## Script 3\nAll weights are negative. They should be symmetric around zero.",
        "fail3",
        "w = tf.Variable(tf.random.uniform([n_in, n_out], -W_RANGE, W_RANGE))",
    ),
    (
        "Script 3: use Xavier initialization instead.",
        "fail3",
        "w = tf.Variable(tf.keras.initializers.GlorotUniform()([n_in, n_out]))",
    ),
    (
        "Script 3: draw weights from a normal distribution with stddev 0.05 instead",
        "fail3",
        "w = tf.Variable(tf.random.normal([n_in, n_out], 0.0, 0.05))",
    ),
    ("The fourth script adds noise. Remove the noise.", "fail4", "return images"),
    (
        "fail4.py: delete the line `images = add_noise(images)`.",
        "fail4",
        "images, labels = data.next_batch()",
    ),
    ("Script 4: reduce the noise to 0.1", "fail4", "NOISE = 0.1"),
    ("Das letzte Skript: Softmax im Modell weglassen.", "fail5", "return tf.matmul(x, w) + b"),
    ("Script 5 uses softmax twice. Just return the logits.", "fail5", "return tf.matmul(x, w) + b"),
]


@pytest.mark.parametrize(("text", "script", "line"), WAYS)
def test_a_fix_is_found_however_it_is_written(scripts, a_notebook, text, script, line):
    found = find_fixes(a_notebook(text), {}, scripts)
    broken = next(one for one in scripts if one.name == script)
    mended = [fix for fix in found.fixes if fix.script == script]
    assert any(line in map(str.strip, fix.source.split("\n")) for fix in mended)
    assert all(fix.source != broken.source and fix.is_sure for fix in mended)
    assert {fix.script for fix in found.fixes} == {script}
    assert found.said[script]


def test_no_hand_in_gives_more_fixes_of_a_script_than_can_be_run(scripts, a_notebook):
    text = "## Script 1\n" + "\n\n".join(f"`W_RANGE = 0.{n}`" for n in range(11, 60))
    found = find_fixes(a_notebook(text), {}, scripts)
    assert len(found.fixes) == MAX_FIXES


def test_a_whole_script_comes_before_words(scripts, a_notebook):
    whole = scripts[1].source.replace("tf.nn.sigmoid", "tf.nn.relu")
    found = find_fixes(a_notebook("## fail2\nUse tanh instead of sigmoid.", ("code", whole)), {}, scripts)
    assert [fix.kind for fix in found.fixes] == [FixKind.WHOLE_SCRIPT, FixKind.WORDS]


def test_another_training_of_the_notebook_is_no_part_of_a_mended_script(scripts, a_notebook):
    """Else a fix that trains nothing would be judged by a training that has nothing to do with it."""
    own = (
        "import tensorflow as tf\nx = w = b = tf.zeros([10, 10])\n"
        "for step, (images, labels) in enumerate(data):\n"
        "    with tf.GradientTape() as tape:\n        x = loss = logits = model(images)\n"
    )
    skipped = scripts[0].source.replace("range(TRAIN_STEPS)", "range(0)")
    found = find_fixes(a_notebook(("code", own), "## fail1", ("code", skipped)), {}, scripts)
    [fix] = [fix for fix in found.fixes if fix.kind is FixKind.WHOLE_SCRIPT]
    assert "enumerate(data)" not in fix.source
    assert fix.source.count("GradientTape") == 1


def test_what_a_mended_script_needs_of_earlier_cells_comes_with_it(scripts, a_notebook):
    head, tail = scripts[0].source.replace("W_RANGE = 1.0", "W_RANGE = 0.1").split("for step in", 1)
    found = find_fixes(a_notebook("## fail1", ("code", head), ("code", f"for step in{tail}")), {}, scripts)
    [fix] = [fix for fix in found.fixes if fix.kind is FixKind.WHOLE_SCRIPT]
    assert "W_RANGE = 0.1" in fix.source
    assert "def model(images)" in fix.source


LAYER_BY_LAYER = BrokenScript(
    name="fail1",
    source="""
def model(x):
    x = tf.matmul(x, l1[0]) + l1[1]
    x = tf.matmul(x, l2[0]) + l2[1]
    return tf.nn.softmax(tf.matmul(x, l3[0]) + l3[1], axis=0)
""",
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("`x = tf.nn.relu(tf.matmul(x, l2[0]) + l2[1])`", "x = tf.nn.relu(tf.matmul(x, l2[0]) + l2[1])"),
        ("use `axis=1` instead of `axis=0`", "return tf.nn.softmax(tf.matmul(x, l3[0]) + l3[1], axis=1)"),
    ],
)
def test_one_of_several_lines_alike_is_known_by_what_it_speaks_of(a_notebook, text, line):
    found = find_fixes(a_notebook(f"## fail1\n{text}"), {}, [LAYER_BY_LAYER])
    assert line in map(str.strip, found.fixes[0].source.split("\n"))
