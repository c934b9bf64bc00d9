"""MNIST: handwritten digits, one `.npz` file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.datasets.formats import ImageArrays


class Mnist:
    """`keras.datasets.mnist`. NumPy is imported only when files are really read or made."""

    name = "mnist"
    paths = ("mnist.npz",)

    def read(self, files: Mapping[str, Path]) -> "ImageArrays":
        """The arrays; DatasetError unless the file holds what Keras's own holds."""
        from grader.datasets.formats import read_npz

        return read_npz(files["mnist.npz"])

    def write(self, datasets: Path, arrays: "ImageArrays") -> None:
        """Writes `mnist.npz`."""
        from grader.datasets.formats import write_npz

        write_npz(datasets / "mnist.npz", arrays)

    def make_stand_in(self, datasets: Path) -> None:
        """Writes 70,000 drawn figures."""
        from grader.datasets.digits import draw_digits
        from grader.datasets.formats import ImageArrays

        self.write(datasets, ImageArrays(*draw_digits(range(60)), *draw_digits(range(60, 70))))
