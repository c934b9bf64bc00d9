from __future__ import annotations

import pytest
from bounded import bounded
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.notebook.code import CodeIndex
from grader.notebook.dataflow import read_code_facts
from grader.notebook.facts import (
    CodeFacts,
    Level,
    Part,
    Picked,
    Start,
    StepKind,
    TrainingKind,
)
from grader.notebook.records import Cell, CellKind

LOAD = """import tensorflow as tf
import numpy as np
(x, y), (xt, yt) = tf.keras.datasets.mnist.load_data()
x, xt = [tf.reshape(tf.cast(a, tf.float32) / 255, (-1, 784)) for a in (x, xt)]
"""
WEIGHTS = """W1, b1 = tf.Variable(tf.random.normal([784, 50], stddev=0.1)), tf.Variable(tf.zeros(50))
W2, b2 = tf.Variable(tf.random.normal([50, 10], stddev=0.1)), tf.Variable(tf.zeros(10))
"""
NET = """def net(a):
    return tf.matmul(tf.nn.relu(tf.matmul(a, W1) + b1), W2) + b2
"""
LOSS = "tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=net(x)))"
TRAIN = f"""for step in range(1000):
    with tf.GradientTape() as tape:
        loss = {LOSS}
    for v, g in zip([W1, b1, W2, b2], tape.gradient(loss, [W1, b1, W2, b2])):
        v.assign_sub(0.1 * g)
"""


def facts(*sources: str) -> CodeFacts:
    cells = [Cell(number=n, kind=CellKind.CODE, source=s) for n, s in enumerate(sources, start=1)]
    return read_code_facts(CodeIndex(cells))


def test_a_training_is_read_with_its_model_its_data_and_its_configuration() -> None:
    found = facts(LOAD, WEIGHTS + NET, TRAIN)
    assert found.is_complete
    (training,) = found.trainings
    assert (training.kind, training.cell, training.run_cell) == (TrainingKind.TAPE_ASSIGN, 3, 3)
    assert (training.datasets, training.parts) == (("mnist",), (Part.TRAIN,))
    assert training.configuration.sizes == (50,)
    assert training.configuration.activations == ("tf.nn.relu",)
    assert training.configuration.learning_rate == 0.1
    assert training.configuration.rest == ("rounds 1000",)
    model = training.model
    assert model is not None
    assert (model.function, model.cell, model.hidden_layers, model.is_plain) == ("net", 2, 1, True)
    assert model.level is Level.TENSORFLOW
    assert model.hidden_activations == ("tf.nn.relu",)
    weights = [step.weight for step in model.products]
    assert [(w.name, w.start, w.shape) for w in weights if w] == [
        ("W1", Start.RANDOM, (784, 50)),
        ("W2", Start.RANDOM, (50, 10)),
    ]


def test_a_training_in_a_function_is_told_once_for_each_configuration() -> None:
    train = "\n".join("    " + line for line in TRAIN.split("\n"))
    function = f"""def run(n, act):
    W1, b1 = tf.Variable(tf.random.normal([784, n])), tf.Variable(tf.zeros(n))
    W2, b2 = tf.Variable(tf.random.normal([n, 10])), tf.Variable(tf.zeros(10))
    net = lambda a: act(a @ W1 + b1) @ W2 + b2
{train}"""
    calls = "for n in [8, 16]:\n    run(n, tf.tanh)\nrun(8, tf.nn.relu)\nrun(8, tf.tanh)"
    found = facts(LOAD, function, calls)
    told = {(t.configuration.sizes, t.configuration.activations, t.run_cell) for t in found.trainings}
    assert told == {((8,), ("tf.tanh",), 3), ((16,), ("tf.tanh",), 3), ((8,), ("tf.nn.relu",), 3)}


@pytest.mark.parametrize(
    ("expression", "start"),
    [
        ("tf.zeros([784, 50])", Start.ZEROS),
        ("tf.zeros(shape=(784, 50)) + 0.1", Start.CONSTANT),
        ("np.zeros((784, 50), dtype='float32')", Start.ZEROS),
        ("tf.ones([784, 50]) * 0", Start.ZEROS),
        ("tf.constant(0.5, shape=[784, 50])", Start.CONSTANT),
        ("tf.fill([784, 50], 0.0)", Start.ZEROS),
        ("np.full((784, 50), 0.1)", Start.CONSTANT),
        ("tf.random.uniform([784, 50], -0.1, 0.1)", Start.RANDOM),
        ("np.random.randn(784, 50) * np.sqrt(2 / 784)", Start.RANDOM),
        ("np.float32(np.random.uniform(-1, 1, (784, 50)))", Start.RANDOM),
        ("np.random.default_rng(1).normal(size=(784, 50)).astype('float32')", Start.RANDOM),
        ("tf.initializers.GlorotUniform()([784, 50])", Start.RANDOM),
        ("tf.keras.initializers.Zeros()(shape=[784, 50])", Start.ZEROS),
        ("tf.initializers.RandomUniform(-1, 1)(shape=[784, 50])", Start.RANDOM),
        ("tf.cast(tf.random.truncated_normal([784, 50]), tf.float32)", Start.RANDOM),
        ("tf.zeros_initializer()([784, 50])", Start.ZEROS),
        ("tf.zeros_like(tf.Variable(tf.random.normal([784, 50])))", Start.ZEROS),
        ("something", Start.UNKNOWN),
        ("tf.eye(784, 50)", Start.UNKNOWN),
    ],
)
def test_how_a_weight_starts(expression: str, start: Start) -> None:
    found = facts(LOAD, f"W = tf.Variable({expression})\nlogits = x @ W")
    model = next((m for m in found.models), None)
    assert model is not None
    weight = model.products[0].weight
    assert weight is not None
    assert weight.start is start


@pytest.mark.parametrize(
    ("activation", "kind"),
    [
        ("tf.nn.relu(h)", StepKind.ACTIVATION),
        ("tf.keras.activations.tanh(h)", StepKind.ACTIVATION),
        ("tf.maximum(h, 0.)", StepKind.ACTIVATION),
        ("tf.where(h > 0, h, 0.01 * h)", StepKind.ACTIVATION),
        ("h * tf.sigmoid(h)", StepKind.ACTIVATION),
        ("1 / (1 + tf.exp(-h))", StepKind.ACTIVATION),
        ("h ** 2", StepKind.ACTIVATION),
        ("tf.keras.layers.LeakyReLU()(h)", StepKind.ACTIVATION),
        ("tf.keras.layers.Activation('relu')(h)", StepKind.ACTIVATION),
        ("tf.nn.bias_add(h, tf.Variable(tf.zeros(50)))", None),
        ("0.5 * h + 1", None),
        ("tf.nn.dropout(h, 0.5)", None),
        ("h", None),
        ("tf.linalg.something_new(h)", StepKind.OTHER),
    ],
)
def test_what_stands_between_two_products(activation: str, kind: StepKind | None) -> None:
    found = facts(LOAD, WEIGHTS + f"h = x @ W1\nout = ({activation}) @ W2")
    model = max(found.models, key=lambda m: len(m.products))
    kinds = {step.kind for gap in model.between for step in gap}
    assert kinds == (set() if kind is None else {kind}) or (kind in kinds and StepKind.OTHER not in kinds)


@pytest.mark.parametrize(
    "product",
    [
        "tf.matmul({0}, {1})",
        "{0} @ {1}",
        "tf.linalg.matmul({0}, {1})",
        "tf.tensordot({0}, {1}, axes=1)",
        "tf.einsum('ij,jk->ik', {0}, {1})",
        "tf.matmul(a={0}, b={1})",
        "tf.transpose(tf.matmul({1}, {0}, transpose_a=True, transpose_b=True))",
        "tf.nn.xw_plus_b({0}, {1}, b1)",
    ],
)
def test_matrix_products_are_seen_in_all_their_spellings(product: str) -> None:
    found = facts(
        LOAD, WEIGHTS + f"h = tf.nn.relu({product.format('x', 'W1')})\no = {product.format('h', 'W2')}"
    )
    assert max(model.hidden_layers for model in found.models) == 1
    assert found.is_complete


@pytest.mark.parametrize(
    ("test", "parts"),
    [
        ("np.mean(np.argmax(net(xt), 1) == yt)", (Part.TEST,)),
        ("tf.reduce_mean(tf.cast(tf.equal(tf.argmax(net(xt), 1), yt), tf.float32))", (Part.TEST,)),
        ("np.sum(yt != tf.argmax(net(xt), axis=-1).numpy())", (Part.TEST,)),
        ("tf.keras.metrics.sparse_categorical_accuracy(yt, net(xt))", (Part.TEST,)),
        ("tf.math.in_top_k(yt, net(xt), 1)", (Part.TEST,)),
        ("np.mean(np.argmax(net(x), 1) == y)", (Part.TRAIN,)),
        ("np.mean(np.argmax(net(x), 1) == yt)", (Part.UNKNOWN,)),
    ],
)
def test_predictions_held_against_labels_are_an_evaluation(test: str, parts: tuple[Part, ...]) -> None:
    found = facts(LOAD, WEIGHTS + NET, f"print({test})")
    (evaluation,) = found.evaluations
    assert (evaluation.parts, evaluation.run_cell) == (parts, 3)
    assert evaluation.model is not None
    assert evaluation.model.hidden_layers == 1


def test_a_function_that_nothing_calls_counts_as_not_called() -> None:
    found = facts(LOAD, WEIGHTS + NET, "def train():\n" + "\n".join("    " + t for t in TRAIN.split("\n")))
    assert [training.is_called for training in found.trainings] == [False]
    assert found.evaluations == ()


def test_names_mean_what_they_mean_when_a_function_is_called() -> None:
    again = WEIGHTS.replace("50", "20") + "W3 = tf.Variable(tf.zeros([10, 10]))\n"
    deeper = "def net(a):\n    return tf.matmul(tf.tanh(tf.matmul(tf.tanh(tf.matmul(a, W1)), W2)), W3)\n"
    found = facts(LOAD, WEIGHTS + NET, TRAIN, again, deeper, TRAIN)
    assert [t.configuration.sizes for t in found.trainings] == [(50,), (20, 10)]


@pytest.mark.parametrize(
    "code",
    [
        "h = tf.nn.relu(h_1 @ W2)",
        "from helfer import modell\nmodell(x)",
        "exec('W = 1')",
        "%run other.ipynb",
        "!python train.py",
        "from helfer import *",
        "globals()['W1']",
        "load_model('x.h5')(x)",
        "x = = 3",
        "tf.keras.models.load_model('m.h5')(x)",
        "tf.estimator.DNNClassifier(hidden_units=[3]).train(input_fn=f)",
    ],
)
def test_what_may_hide_a_model_is_named_as_not_understood(code: str) -> None:
    found = facts(LOAD, code)
    assert not found.is_complete
    assert {entry.cell for entry in found.unresolved} == {2}


@pytest.mark.parametrize(
    "code",
    [
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots(2)\nax[0].plot([1])\nplt.show()",
        "from google.colab import drive\ndrive.mount('/content/drive')",
        "import time\nt = time.time()\nprint(f'{time.time() - t:.2f} s')",
        "import pandas as pd\npd.DataFrame({'a': [1]}).plot()",
        "from tqdm import tqdm\nfor i in tqdm(range(3)): pass",
        "w = tf.summary.create_file_writer('logs')\nwith w.as_default():\n    tf.summary.scalar('a', 1, 2)",
        "gpus = tf.config.list_physical_devices('GPU')\nfor g in gpus: tf.config.set_soft(g)",
        "if __name__ == '__main__':\n    print(tf.__version__)",
        "try:\n    import x_y_z\nexcept ImportError as e:\n    print(e)",
    ],
)
def test_everyday_code_does_not_make_a_notebook_unclear(code: str) -> None:
    assert facts(LOAD, code).unresolved == ()


def test_images_picked_by_a_wrong_prediction_are_told_from_others() -> None:
    show = "import matplotlib.pyplot as plt\np = np.argmax(net(xt), 1)\n"
    wrong = "for i in np.where(p != yt)[0]:\n    plt.imshow(xt[i])"
    right = "for i in np.where(p == yt)[0]:\n    plt.imshow(xt[i])"
    within = "for i in range(100):\n    if p[i] != yt[i]:\n        plt.imshow(xt[i])"
    kept = (
        "bad = []\nfor i in range(100):\n    if p[i] != yt[i]:\n        bad.append(i)\nplt.imshow(xt[bad[0]])"
    )
    mask = "ok = tf.equal(p, yt)\nplt.matshow(xt[~ok.numpy()][0])"
    plain = "plt.imshow(xt[0])"
    found = {
        code: [d.picked for d in facts(LOAD, WEIGHTS + NET, show + code).displays]
        for code in (wrong, right, within, kept, mask, plain)
    }
    assert found == {
        wrong: [Picked.WRONG],
        right: [Picked.RIGHT],
        within: [Picked.WRONG],
        kept: [Picked.WRONG],
        mask: [Picked.WRONG],
        plain: [Picked.NO],
    }


def test_data_sets_are_told_apart_by_where_they_come_from() -> None:
    found = facts(
        "from tensorflow.keras.datasets import fashion_mnist as fm\nfm.load_data()",
        "import tensorflow_datasets as tfds\ntfds.load('mnist')",
        "import numpy as np\nnp.load('data.npz')",
        "from sklearn.datasets import fetch_openml\nfetch_openml('Fashion-MNIST')",
    )
    assert [(load.dataset, load.cell) for load in found.loads] == [
        ("fashion_mnist", 1),
        ("mnist", 2),
        ("", 3),
        ("fashion_mnist", 4),
    ]


TANGLES = {
    "loops": "".join("    " * i + f"for i{i} in range(12):\n" for i in range(8))
    + "    " * 8
    + "tf.zeros([1])",
    "calls": "\n".join(f"def f{i}(x):\n    return f{i + 1}(x) + f{i + 1}(x)" for i in range(40)) + "\nf0(1)",
    "branches": "\n".join(f"if tf.a{i}():\n    x = tf.nn.relu(x)\nelse:\n    x = -x" for i in range(300)),
    "lists in lists": "a = {}\n" + "a = {'x': a, 'y': a}\n" * 60 + "tf.add_n(a)",
    "pipelines": "d = tf.data.Dataset.range(3)\n" + "d = tf.data.Dataset.zip((d, d)).batch(2)\n" * 60,
    "powers": "b = 10 ** 10\nc = b ** b ** b\nd = 'a' * 10 ** 10\ne = [0] * 10 ** 10",
    "itself": "a = []\na.append(a)\ntf.add_n(a)\ndef f(n):\n    return f(n - 1) + f(n - 2)\nf(30)",
    "long": "\n".join(f"v{i} = tf.Variable(tf.zeros([{i}]))" for i in range(8000)),
}


@pytest.mark.parametrize("name", TANGLES)
def test_tangled_code_is_gone_through_within_bounds(name: str) -> None:
    with bounded():
        facts(LOAD, TANGLES[name])


@pytest.mark.parametrize("name", ["loops", "calls"])
def test_code_that_cannot_be_followed_to_its_end_is_not_complete(name: str) -> None:
    assert not facts(LOAD, TANGLES[name]).is_complete


WORDS = st.sampled_from(
    [
        "x",
        "y",
        "W1",
        "W2",
        "tf",
        "np",
        "self",
        "f",
        "g",
        "net",
        "tape",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        ":",
        ",",
        ".",
        "=",
        "==",
        "!=",
        "@",
        "+",
        "-",
        "*",
        "**",
        "/",
        "%",
        "0",
        "1",
        "784",
        "0.1",
        "'a'",
        "None",
        "True",
        "lambda",
        "if",
        "else",
        "elif",
        "for",
        "in",
        "while",
        "with",
        "as",
        "def",
        "class",
        "return",
        "yield",
        "import",
        "from",
        "try",
        "except",
        "global",
        "del",
        "tf.Variable",
        "tf.matmul",
        "tf.nn.relu",
        "tf.GradientTape()",
        ".gradient",
        ".assign_sub",
        ".append",
        "range",
        "zip",
        "list",
        "dict",
        "print",
        "super().__init__",
        "\n",
        "\n",
        "\n\t",
        "\n\t",
        "\n\t\t",
        "await",
        "async",
        "not",
        "and",
        "or",
        "is",
        "raise",
        "match",
        "case",
        "_",
        "*x",
        "**x",
        ":=",
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(WORDS, max_size=60).map(" ".join), max_size=4))
def test_random_python_never_raises(sources: list[str]) -> None:
    assert isinstance(facts(LOAD, WEIGHTS, *sources), CodeFacts)


STATEMENTS = st.lists(
    st.sampled_from(
        [
            "x = x @ W1", "W1 = x", "x, y = y, x", "x[0] = y", "x.a = W1", "del x", "y = [x, y]",
            "y = {x: y}",
            "net = lambda *a, **k: net", "class net(net): pass", "x = net(x)", "x = [x for x in x if x]",
            "for x in y: y = x", "while x: x = y", "with x as y: pass", "x = yield_", "x = x if y else W1",
            "x += y", "y = x[1:2, ::3]", "x = tf.nn.relu(x)", "x = tf", "tf = x",
            "x = tf.keras.Sequential([x, y])",
            "x.add(y)", "x.fit(x, y)", "y = tape.gradient(x, y)", "tape = tf.GradientTape()", "x = dict(x)",
            "x = zip(x, y)", "x = map(net, x)", "x = super()", "x = getattr(x, 'y')", "setattr(x, 'y', x)",
            "x = f'{x}{y}'",
            "x = x == y", "x = not x", "def net(x, y=x): return net(y, x)", "x = np.where(x)",
            "y.append(x)", "y.append(y)", "x = tf.data.Dataset.from_tensor_slices((x, y)).map(net).batch(3)",
        ]
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(STATEMENTS)
def test_python_that_makes_no_sense_never_raises(lines: list[str]) -> None:
    found = facts(LOAD, WEIGHTS, "\n".join(lines))
    assert not any("reading the code failed" in entry.text for entry in found.unresolved)
    assert not any("was not understood" in entry.text for entry in found.unresolved)
