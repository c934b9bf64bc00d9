"""MNIST: handwritten digits, one `.npz` file."""

from collections.abc import Mapping
from pathlib import Path


class Mnist:
    """`keras.datasets.mnist`. NumPy is imported only when files are really read or made."""

    name = "mnist"
    paths = ("mnist.npz",)

    def check(self, files: Mapping[str, Path]) -> None:
        """Raises DatasetError unless the file holds what Keras's own holds."""
        from grader.datasets.formats import read_npz

        read_npz(files["mnist.npz"])

    def make_stand_in(self, datasets: Path) -> None:
        """Writes 70,000 drawn figures."""
        from grader.datasets.digits import draw_digits
        from grader.datasets.formats import ImageArrays, write_npz

        arrays = ImageArrays(*draw_digits(range(60)), *draw_digits(range(60, 70)))
        write_npz(datasets / "mnist.npz", arrays)
