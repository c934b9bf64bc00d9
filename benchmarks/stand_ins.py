"""How hard are the data sets? Trains three models on each and prints a Markdown table.

    python benchmarks/stand_ins.py [--data DIR] [--cache DIR] [NAME ...]

Without `--data` the stand-ins are measured, with it the real files that lie there. Needs TensorFlow; takes
some minutes on two cores. The table in docs/datasets.md comes from here.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grader.datasets import dataset_names, find_dataset
from grader.datasets.finding import read_images
from grader.datasets.formats import ImageArrays

EPOCHS = 5
SEED = 7


def main() -> None:
    """Measures every named data set and prints the table, one row per set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=dataset_names(), metavar="NAME")
    parser.add_argument("--data", type=Path, help="a folder with the real files")
    parser.add_argument("--cache", type=Path, help="where stand-ins are kept (default: a folder thrown away)")
    wanted = parser.parse_args()
    print("| data set | files | found or made in | linear | MLP | CNN |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as thrown_away:
        for name in wanted.names:
            started = time.monotonic()
            files = find_dataset(
                name, data=wanted.data, course_data=None, cache=wanted.cache or Path(thrown_away)
            )
            seconds = time.monotonic() - started
            figures = " | ".join(f"{accuracy:.3f}" for accuracy in measure(read_images(files)))
            print(f"| `{name}` | {files.origin.value} | {seconds:.1f} s | {figures} |", flush=True)


def measure(data: ImageArrays) -> list[float]:
    """Test accuracy, in [0, 1], of a softmax regression, an MLP and a small CNN after `EPOCHS` epochs."""
    import tensorflow as tf

    layers = tf.keras.layers
    kinds = [
        [layers.Flatten()],
        [layers.Flatten(), layers.Dense(128, "relu")],
        [
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, "relu"),
        ],
    ]
    inputs, classes = _scaled(data.x_train), int(data.y_train.max()) + 1
    accuracies = []
    for kind in kinds:
        tf.keras.utils.set_random_seed(SEED)
        model = tf.keras.Sequential([layers.Input(inputs.shape[1:]), *kind, layers.Dense(classes)])
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
        model.fit(inputs, data.y_train, batch_size=128, epochs=EPOCHS, verbose=0)
        accuracies.append(float(model.evaluate(_scaled(data.x_test), data.y_test, verbose=0)[1]))
    return accuracies


def _scaled(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Values in [0, 1] with channels, shape (n, height, width, channels)."""
    return (images.astype(np.float32) / np.float32(255)).reshape(*images.shape[:3], -1)


if __name__ == "__main__":
    main()
