"""Fixes and words are found where hand-ins put them, and belong to the script that they are meant for."""

from __future__ import annotations

import pytest

from grader.fixes.finding import MAX_FIXES, find_fixes
from grader.fixes.records import BrokenScript, FixKind

RELU = "x = tf.nn.relu(tf.matmul(x, w) + b)"

UNIFORM = "w = tf.Variable(tf.random.uniform([n_in, n_out], -W_RANGE, W_RANGE))"

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
    ("fail1: W_RANGE: 1.0 -> 0.1, LEARNING_RATE: 0.1 -> 0.01", "fail1", "W_RANGE = 0.1"),
    ("fail2: Adam statt SGD", "fail2", "own_optimizer.apply_gradients(zip(gradients, variables))"),
    ("Das letzte Skript: Softmax im Modell weglassen.", "fail5", "return tf.matmul(x, w) + b"),
    (
        "fail3: use `tf.random.normal([n_in, n_out], stddev=0.1)`",
        "fail3",
        "w = tf.Variable(tf.random.normal([n_in, n_out], 0.0, 0.1))",
    ),
    ("fail3: `tf.random.uniform([n_in, n_out], -W_RANGE, W_RANGE)`", "fail3", UNIFORM),
    (
        f"## fail3\nIt should be\n\n    {UNIFORM}\n\nThen it works.",
        "fail3",
        UNIFORM,
    ),
    (
        f"## fail2\n```python\ndef model(images):\n    ...\n    {RELU}\n    ...\n```",
        "fail2",
        RELU,
    ),
    ("In script 2 the sigmoid should be a ReLU.", "fail2", RELU),
    ("fail1: With a range of 0.1 it works.", "fail1", UNIFORM.replace("W_RANGE", "0.1")),
    ("fail1: We changed the range from 1.0 to 0.1.", "fail1", UNIFORM.replace("W_RANGE", "0.1")),
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


def test_fixes_in_two_cells_are_run_together_first(scripts, a_notebook):
    first = ("code", "W_RANGE = 0.2")
    second = ("code", "def model(images):\n    return tf.nn.relu(images)")
    found = find_fixes(a_notebook("## fail1\nUse a smaller learning rate.", first, second), {}, scripts)
    assert "W_RANGE = 0.2" in found.fixes[0].source
    assert "return tf.nn.relu(images)" in found.fixes[0].source
    assert "LEARNING_RATE = 0.1" in found.fixes[0].source


def test_a_further_step_takes_no_other_step_away(scripts, a_notebook):
    """Else scaling noisy images would be run without the noise, and mend the script."""
    found = find_fixes(a_notebook("## fail4\n`images = images / 255.0`"), {}, scripts)
    [fix] = [fix for fix in found.fixes if fix.kind is FixKind.CHANGED_LINES]
    lines = [line.strip() for line in fix.source.split("\n")]
    assert lines.index("images = images / 255.0") == lines.index("images = add_noise(images)") + 1
    assert fix.adds_only


def test_a_mended_script_that_uses_a_name_before_it_imports_it_has_it_from_the_cells_before(
    scripts, a_notebook
):
    mended = "writer = tf.summary.create_file_writer('logs')\n" + scripts[1].source.replace("sigmoid", "relu")
    cells = ("code", "import tensorflow as tf"), "## fail2", ("code", mended)
    [fix] = find_fixes(a_notebook(*cells), {}, scripts).fixes
    assert fix.source.startswith("import tensorflow as tf\n")


def test_a_line_that_is_struck_out_goes(scripts, a_notebook):
    found = find_fixes(a_notebook("## fail4\n~~`images = add_noise(images)`~~"), {}, scripts)
    assert "images = add_noise(images)" not in found.fixes[0].source


def test_a_new_line_takes_the_place_of_one_that_is_struck_out(scripts, a_notebook):
    text = "## fail2\n~~`x = tf.nn.sigmoid(tf.matmul(x, w) + b)`~~\n\n`x = tf.nn.tanh(tf.matmul(x, w) + b)`"
    assert "x = tf.nn.tanh(tf.matmul(x, w) + b)" in find_fixes(a_notebook(text), {}, scripts).fixes[0].source


@pytest.mark.parametrize("code", ["a = b = a + 1", "images.x = images", "images, labels = labels, images"])
def test_odd_assignments_do_no_harm(scripts, a_notebook, code):
    find_fixes(a_notebook("## fail4", ("code", code)), {}, scripts)


def test_a_word_that_stands_in_the_script_too_is_said(scripts, a_notebook):
    assert find_fixes(a_notebook("## fail4\nnoise"), {}, scripts).said["fail4"][-1].text.endswith("noise")


def test_looks_into_the_script_are_told_from_fixes(scripts, a_notebook):
    """With them it fails as before, and that is nothing against what the hand-in proposes elsewhere."""
    broken = scripts[0].source
    looked = broken.replace("    return tf.matmul(x, w) + b", "    return tf.matmul(x, w) + b, x")
    looked = looked.replace("logits = model(images)", "logits, acts = model(images)")
    looked = looked.replace("model(data.test_data)", "model(data.test_data)[0]")
    looked = looked.replace("TRAIN_STEPS = 2000", "TRAIN_STEPS = 10").replace("step % 100", "step % 1")
    for source, adds_only in ((looked, True), (looked.replace("W_RANGE = 1.0", "W_RANGE = 0.7"), False)):
        [fix] = find_fixes(a_notebook("## fail1", ("code", source)), {}, scripts).fixes
        assert (fix.kind, fix.adds_only) == (FixKind.WHOLE_SCRIPT, adds_only)


OWN_NETWORK = """
import tensorflow as tf
from datasets import MNISTDataset
mnist = tf.keras.datasets.mnist
(train_images, train_labels), (test_images, test_labels) = mnist.load_data()
data = MNISTDataset(train_images, train_labels, test_images, test_labels, batch_size=128)
train_steps = 1000
learning_rate = 0.1
n_hidden = 100
W1 = tf.Variable(tf.random.uniform([784, n_hidden], -0.1, 0.1))
b1 = tf.Variable(tf.zeros([n_hidden]))
W2 = tf.Variable(tf.random.uniform([n_hidden, 10], -0.1, 0.1))
b2 = tf.Variable(tf.zeros([10]))
def model(images):
    h = tf.nn.relu(tf.matmul(images, W1) + b1)
    return tf.matmul(h, W2) + b2
for step in range(train_steps):
    images, labels = data.next_batch()
    with tf.GradientTape() as tape:
        logits = model(images)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=labels))
    gradients = tape.gradient(loss, [W1, b1, W2, b2])
    for variable, gradient in zip([W1, b1, W2, b2], gradients):
        variable.assign_sub(learning_rate * gradient)
test_predictions = tf.argmax(model(data.test_data), axis=1, output_type=tf.int32)
accuracy = tf.reduce_mean(tf.cast(tf.equal(test_predictions, data.test_labels), tf.float32))
print("Test accuracy: {}".format(accuracy))
"""


def test_a_network_of_their_own_that_is_written_like_a_script_is_no_fix(scripts, a_notebook):
    """The scripts and what students begin with come from the same tutorial."""
    text = "## Script 2\n\nThe gradients vanish."
    found = find_fixes(a_notebook("# My own network", ("code", OWN_NETWORK), text), {}, scripts)
    assert found.fixes == ()


def test_a_mended_script_is_known_where_nothing_speaks_of_the_scripts(scripts, a_notebook):
    mended = scripts[1].source.replace("tf.nn.sigmoid", "tf.nn.relu")
    found = find_fixes(a_notebook(("code", OWN_NETWORK), ("code", mended)), {}, scripts)
    assert [(fix.script, fix.kind, fix.is_sure) for fix in found.fixes] == [
        ("fail2", FixKind.WHOLE_SCRIPT, True)
    ]


def test_a_function_that_nobody_calls_is_no_mended_script(scripts, a_notebook):
    """It would be run, train nothing, and count as a fix that skips the training."""
    mended = scripts[1].source.replace("tf.nn.sigmoid", "tf.nn.relu").split("\n")
    body = "\n".join(f"    {line}" for line in mended[6:])
    definition = f"import tensorflow as tf\nfrom datasets import MNISTDataset\n\ndef run():\n{body}"
    alone = find_fixes(a_notebook("## fail2", ("code", definition)), {}, scripts)
    assert not any(fix.kind is FixKind.WHOLE_SCRIPT for fix in alone.fixes)
    called = find_fixes(a_notebook("## fail2", ("code", definition), ("code", "run()")), {}, scripts)
    assert [fix.kind for fix in called.fixes] == [FixKind.WHOLE_SCRIPT]


def test_a_docstring_of_the_script_is_not_said_by_the_student(scripts, a_notebook):
    mended = scripts[1].source.replace("tf.nn.sigmoid", "tf.nn.relu")
    found = find_fixes(a_notebook("## fail2", ("code", mended)), {}, scripts)
    assert [passage.text for passage in found.said["fail2"]] == ["fail2"]
