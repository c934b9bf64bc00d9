"""Whole hand-ins as students write them: each fix goes to the script that it is for, and to no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest

from grader.fixes.finding import find_fixes

MLP = """
w = tf.Variable(tf.random.uniform([784, 128], -0.1, 0.1))
b = tf.Variable(tf.zeros([128]))
for step in range(1000):
    images, labels = data.next_batch()
    with tf.GradientTape() as tape:
        logits = tf.nn.relu(tf.matmul(images, w) + b)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=labels)
"""
FIRST_HALF = (
    "# Assignment 2\n\nParticipant 101, Participant 102",
    "## 1 Datasets\nWe use shuffle, batch and repeat. The learning rate is 0.1 and we use ReLU.",
    ("code", MLP),
    "1. shuffle, then batch\n2. batch, then shuffle\n3. repeat first",
)


class HandIn(NamedTuple):
    """Cells after the first half, and what is expected of them.

    `mended`: by script, text that a sure fix of it has in its source. `unsure`: scripts with fixes of which
    none is sure. Of all others no fix may be found.
    """

    name: str
    cells: tuple[str | tuple[str, str], ...]
    mended: Mapping[str, str]
    unsure: tuple[str, ...] = ()
    attached: Mapping[str, str] = {}


HAND_INS = [
    HandIn("nothing about the scripts", ("## Thanks\nThat was fun.",), {}),
    HandIn(
        "one heading per script, words",
        (
            "## Diagnosing problems\n### fail1\nIt explodes. Initialise the weights from -0.1 to 0.1.",
            "### fail2\nVanishing gradients, use ReLU instead of sigmoid.",
            "### fail3\nDead units, weights should be symmetric around zero.",
            "### fail4\nNoise! Do not add noise.",
            "### fail5\nSoftmax twice. Remove the softmax from the model.",
        ),
        {
            "fail1": "-0.1, 0.1)",
            "fail2": "tf.nn.relu",
            "fail3": "-W_RANGE, W_RANGE",
            "fail4": "return images\n",
            "fail5": "return tf.matmul",
        },
    ),
    HandIn(
        "a numbered list in one cell",
        (
            "## Failed scripts\n1. Weights too large. `W_RANGE = 0.1`\n2. sigmoid -> relu\n"
            "3. negative weights, use -0.1 to 0.1 instead\n4. `NOISE = 0`\n5. softmax only once",
        ),
        {
            "fail1": "W_RANGE = 0.1",
            "fail2": "tf.nn.relu",
            "fail3": "-0.1, 0.1)",
            "fail4": "NOISE = 0",
            "fail5": "return tf.matmul",
        },
    ),
    HandIn(
        "a table",
        (
            "## Fixing\n| Script | Diagnosis | Fix |\n|:--|:--|:--|\n"
            "| fail1.py | exploding | `LEARNING_RATE = 1e-4` |\n"
            "| fail2.py | vanishing | `N_LAYERS = 1` |",
        ),
        {"fail1": "LEARNING_RATE = 0.0001", "fail2": "N_LAYERS = 1"},
    ),
    HandIn(
        "code cells after headings",
        (
            "## Script 1",
            "We found that the loss explodes.",
            ("code", "W_RANGE = 0.1"),
            "## Script 3",
            (
                "code",
                "def make_layer(n_in, n_out):\n"
                "    w = tf.Variable(tf.random.normal([n_in, n_out], stddev=0.05))\n"
                "    b = tf.Variable(tf.zeros([n_out]))\n    return w, b",
            ),
        ),
        {"fail1": "W_RANGE = 0.1", "fail3": "stddev=0.05"},
    ),
    HandIn(
        "comments in one code cell",
        (
            "# Broken scripts",
            (
                "code",
                "# Script 1: smaller weights\nW_RANGE = 0.05\n\n# Script 4: less noise\nNOISE = 0.1\n",
            ),
        ),
        {"fail1": "W_RANGE = 0.05", "fail4": "NOISE = 0.1"},
    ),
    HandIn(
        "written files",
        ("## Scripts", ("code", "%%writefile fail1_fixed.py\n{fail1:W_RANGE = 1.0|W_RANGE = 0.1}")),
        {"fail1": "W_RANGE = 0.1"},
    ),
    HandIn(
        "whole scripts without a name",
        (
            "# The failing scripts",
            ("code", "{fail2:tf.nn.sigmoid|tf.nn.relu}"),
            ("code", "{fail3:-W_RANGE, 0.0|-W_RANGE, W_RANGE}"),
        ),
        {"fail2": "tf.nn.relu", "fail3": "-W_RANGE, W_RANGE"},
    ),
    HandIn(
        "attached scripts",
        ("See the attached files.",),
        {"fail1": "W_RANGE = 0.1", "fail5": "return tf.matmul"},
        attached={
            "scripts/fail1.py": "{fail1:W_RANGE = 1.0|W_RANGE = 0.1}",
            "fixed5.py": "{fail5:tf.nn.softmax(tf.matmul(x, w) + b)|tf.matmul(x, w) + b}",
        },
    ),
    HandIn(
        "an attached script called by another one's name",
        ("See the attached files.",),
        {},
        unsure=("fail1", "fail2"),
        attached={"fail1.py": "{fail2:tf.nn.sigmoid|tf.nn.relu}"},
    ),
    HandIn(
        "broken first, mended then",
        (
            "### Script 2",
            "Before:",
            ("code", "{fail2:x = tf|x = tf}\ntf.summary.scalar('loss', loss, step=1)"),
            "After:",
            ("code", "{fail2:tf.nn.sigmoid|tf.nn.relu}"),
        ),
        {"fail2": "tf.nn.relu"},
    ),
    HandIn(
        "a script over several cells",
        (
            "### Script 1",
            ("code", "{fail1:W_RANGE = 1.0|W_RANGE = 0.1:up to def model}"),
            "now the model",
            ("code", "{fail1::from def model}"),
        ),
        {"fail1": "W_RANGE = 0.1"},
    ),
    HandIn(
        "same as in another script",
        ("## Script 2\nReLU instead of sigmoid. `LEARNING_RATE = 0.05`", "## Script 1\nSame as in script 2."),
        {"fail2": "tf.nn.relu", "fail1": "LEARNING_RATE = 0.05"},
    ),
    HandIn(
        "several scripts at once",
        ("## Broken scripts\nScripts 1, 2 and 3: lower the learning rate to 0.01.",),
        dict.fromkeys(("fail1", "fail2", "fail3"), "LEARNING_RATE = 0.01"),
    ),
    HandIn(
        "sentences of one paragraph",
        (
            "In script 1 the weights are too large, we initialise them between -0.05 and 0.05 instead. "
            "In script 2 we use ReLU instead of sigmoid, and in the fifth script we removed the softmax.",
        ),
        {"fail1": "-0.05, 0.05)", "fail2": "tf.nn.relu", "fail5": "return tf.matmul"},
    ),
    HandIn(
        "German",
        (
            "## Fehlerhafte Skripte",
            "**Erstes Skript:** Die Gewichte sind zu groß. Lösung: zwischen -0,1 und 0,1 initialisieren.",
            "**Zweites Skript:** Sigmoid durch ReLU ersetzen.",
            "**Viertes Skript:** Das Rauschen entfernen.",
        ),
        {"fail1": "-0.1, 0.1)", "fail2": "tf.nn.relu", "fail4": "return images\n"},
    ),
    HandIn(
        "no name at all",
        ("## Broken scripts\nWe changed the range of the weights:\n```python\nW_RANGE = 0.05\n```",),
        {},
        unsure=("fail1", "fail2", "fail3", "fail4", "fail5"),
    ),
    HandIn(
        "the old line only",
        ("## Script 1\nThe line\n```python\nW_RANGE = 1.0\n```\nis the problem.",),
        {},
    ),
    HandIn("a question", ("## Script 2\nCould one use ReLU here?",), {}),
    HandIn("what did not help", ("## Script 2\nWe tried ReLU instead of sigmoid, it did not help.",), {}),
    HandIn(
        "another script named in passing",
        ("## Script 2\nUnlike script 1, the weights are fine here. Use ReLU instead of sigmoid.",),
        {"fail2": "tf.nn.relu"},
    ),
    HandIn(
        "one function with parameters",
        (
            "## The scripts as one function",
            (
                "code",
                "from datasets import MNISTDataset\n"
                "(a, b), (c, d) = tf.keras.datasets.mnist.load_data()\n"
                "def run(w_range, n_layers, activation=tf.nn.relu):\n"
                "    data = MNISTDataset(a, b, c, d, batch_size=128)\n"
                "    sizes = [784] + n_layers * [100] + [10]\n"
                "    layers = [make_layer(n, m, w_range) for n, m in zip(sizes[:-1], sizes[1:])]\n"
                "    for step in range(2000):\n"
                "        images, labels = data.next_batch()\n"
                "        with tf.GradientTape() as tape:\n"
                "            logits = model(images, layers, activation)\n"
                "            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits("
                "logits=logits, labels=labels))\n",
            ),
            "### Script 1",
            ("code", "run(1.0, 6)\nrun(0.1, 6)"),
        ),
        {},
        unsure=("fail1",),
    ),
]


def filled(text: str, scripts: Mapping[str, str]) -> str:
    """`{fail1:old|new}` as the script's source with the change; `:up to x`, `:from x` as a part of it."""
    begin, end = text.find("{fail"), text.rfind("}")
    if begin < 0:
        return text
    name, change, *part = text[begin + 1 : end].split(":")
    source = scripts[name]
    if "|" in change:
        old, new = change.split("|")
        assert old in source
        source = source.replace(old, new)
    if part and part[0].startswith("up to "):
        source = source[: source.index(part[0].removeprefix("up to "))]
    elif part:
        source = source[source.index(part[0].removeprefix("from ")) :]
    return text[:begin] + source + text[end + 1 :]


@pytest.mark.parametrize("hand_in", HAND_INS, ids=lambda hand_in: hand_in.name)
def test_each_fix_goes_to_its_script(scripts, a_notebook, hand_in):
    sources = {script.name: script.source for script in scripts}
    cells = [
        filled(cell, sources) if isinstance(cell, str) else (cell[0], filled(cell[1], sources))
        for cell in (*FIRST_HALF, *hand_in.cells)
    ]
    attached = {name: filled(text, sources) for name, text in hand_in.attached.items()}
    fixes = find_fixes(a_notebook(*cells), attached, scripts).fixes
    sure = {fix.script for fix in fixes if fix.is_sure}
    assert {fix.script for fix in fixes} - sure == set(hand_in.unsure)
    assert sure == set(hand_in.mended)
    for script, text in hand_in.mended.items():
        assert any(text in fix.source for fix in fixes if fix.script == script)
