"""What the styles of training stand on: hooks are in TensorFlow, small data sets lie in Keras's folder.

Imported by `scenarios.py` only, which says where the grader and the work folder are.
"""

import os
import pickle
import sys
import warnings
from pathlib import Path

GRADER, WORK = Path(sys.argv[1]), Path(sys.argv[2])
sys.path[:0] = [str(GRADER), str(GRADER / "sandbox" / "room")]
os.environ |= {"KERAS_HOME": str(WORK), "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}

import after_import  # noqa: E402
from probes import recorder  # noqa: E402

after_import.install()
recorder.install(after_import.after_import)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import numpy as np
    import tensorflow as tf

warnings.simplefilter("error")
warnings.filterwarnings("ignore", category=DeprecationWarning)
warnings.filterwarnings("ignore", category=UserWarning, module="keras")
RANDOM = np.random.default_rng(0)
COUNT, TRAINED, BATCH = 2_000, 1_600, 40


def drawn(prototypes, labels):
    is_on = RANDOM.random((len(labels), *prototypes.shape[1:])) < 0.6
    return (prototypes[labels] * is_on + RANDOM.integers(0, 50, is_on.shape)).astype(np.uint8)


def data_set(shape):
    """Images and labels of ten classes, and inputs between two classes each, on which models disagree."""
    prototypes = (RANDOM.random((10, *shape)) < 0.1) * 200
    labels = RANDOM.integers(0, 10, COUNT)
    images = drawn(prototypes, labels)
    halves = [drawn(prototypes, RANDOM.integers(0, 10, 400)) // 2 for _ in range(2)]
    return images, labels, halves[0] + halves[1]


def tinted(images):
    return images // np.array([1, 2, 4], np.uint8)


IMAGES, LABELS, INPUTS = data_set((28, 28))
COLOURED, COLOURED_LABELS, COLOURED_INPUTS = data_set((32, 32, 3))
COLOURED, COLOURED_INPUTS = tinted(COLOURED), tinted(COLOURED_INPUTS)

(WORK / "datasets").mkdir()
(WORK / "inputs").mkdir()
np.savez(
    WORK / "datasets" / "mnist.npz",
    x_train=IMAGES[:TRAINED],
    y_train=LABELS[:TRAINED],
    x_test=IMAGES[TRAINED:],
)
np.save(WORK / "inputs" / "mnist.npy", INPUTS)
np.save(WORK / "inputs" / "cifar10.npy", COLOURED_INPUTS)
unpacked = WORK / "datasets" / "cifar-10-batches-py-target" / "cifar-10-batches-py"
unpacked.mkdir(parents=True)
for name, part in (
    ("data_batch_1", slice(0, 800)),
    ("data_batch_2", slice(800, TRAINED)),
    ("test_batch", slice(TRAINED, COUNT)),
):
    pixels = COLOURED[part].transpose(0, 3, 1, 2).reshape(-1, 3072)
    held = {b"data": pixels, b"labels": COLOURED_LABELS[part].tolist()}
    (unpacked / name).write_bytes(pickle.dumps(held))

y = LABELS[:TRAINED]


def scaled(images, way="unit"):
    flat = images.reshape(len(images), -1).astype(np.float32)
    return {"unit": flat / 255, "raw": flat, "signed": flat / 127.5 - 1}[way]


x = scaled(IMAGES[:TRAINED])


def batches(x, steps=50, y=y):
    for step in range(steps):
        at = slice(step * BATCH % TRAINED, step * BATCH % TRAINED + BATCH)
        yield x[at], y[at]


def new_weights(deviation=0.05, width=24):
    return [
        tf.Variable(tf.random.normal([784, width], stddev=deviation)),
        tf.Variable(tf.zeros([width])),
        tf.Variable(tf.random.normal([width, 10], stddev=deviation)),
        tf.Variable(tf.zeros([10])),
    ]


def forward(x, weights):
    return tf.nn.relu(x @ weights[0] + weights[1]) @ weights[2] + weights[3]


def cross_entropy(labels, logits):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def on_colours(style):
    """Marks a style whose model takes the coloured inputs."""
    style.inputs = COLOURED_INPUTS
    return style
