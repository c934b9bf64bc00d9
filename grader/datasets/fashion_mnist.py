"""Fashion-MNIST: clothes, shoes and bags, four gzipped IDX files."""

from collections.abc import Mapping
from pathlib import Path


class FashionMnist:
    """`keras.datasets.fashion_mnist`. NumPy is imported only when files are really read or made."""

    name = "fashion_mnist"
    paths = (
        "fashion-mnist/t10k-images-idx3-ubyte.gz",
        "fashion-mnist/t10k-labels-idx1-ubyte.gz",
        "fashion-mnist/train-images-idx3-ubyte.gz",
        "fashion-mnist/train-labels-idx1-ubyte.gz",
    )

    def check(self, files: Mapping[str, Path]) -> None:
        """Raises DatasetError unless the files hold what Keras's own hold."""
        from grader.datasets.formats import read_idx_set

        read_idx_set(files)

    def make_stand_in(self, datasets: Path) -> None:
        """Writes 70,000 drawn garments, bags and shoes."""
        from grader.datasets.formats import ImageArrays, write_idx_set
        from grader.datasets.garments import draw_garments

        arrays = ImageArrays(*draw_garments(range(60)), *draw_garments(range(60, 70)))
        write_idx_set(datasets / "fashion-mnist", arrays)
