"""Fashion-MNIST: clothes, shoes and bags, four gzipped IDX files."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.datasets.formats import ImageArrays


class FashionMnist:
    """`keras.datasets.fashion_mnist`. NumPy is imported only when files are really read or made."""

    name = "fashion_mnist"
    paths = (
        "fashion-mnist/t10k-images-idx3-ubyte.gz",
        "fashion-mnist/t10k-labels-idx1-ubyte.gz",
        "fashion-mnist/train-images-idx3-ubyte.gz",
        "fashion-mnist/train-labels-idx1-ubyte.gz",
    )

    def read(self, files: Mapping[str, Path]) -> "ImageArrays":
        """The arrays; DatasetError unless the files hold what Keras's own hold."""
        from grader.datasets.formats import read_idx_set

        return read_idx_set(files)

    def write(self, datasets: Path, arrays: "ImageArrays") -> None:
        """Writes the four gzipped IDX files."""
        from grader.datasets.formats import write_idx_set

        write_idx_set(datasets / "fashion-mnist", arrays)

    def make_stand_in(self, datasets: Path) -> None:
        """Writes 70,000 drawn garments, bags and shoes."""
        from grader.datasets.formats import ImageArrays
        from grader.datasets.garments import draw_garments

        self.write(datasets, ImageArrays(*draw_garments(range(60)), *draw_garments(range(60, 70))))
