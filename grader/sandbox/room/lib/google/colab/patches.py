"""`patches.cv2_imshow`, drawn with Matplotlib."""

from __future__ import annotations

from typing import Any


def cv2_imshow(image: Any) -> None:
    """Show an image given in OpenCV's order of channels (BGR)."""
    import matplotlib.pyplot as plt

    plt.imshow(image if image.ndim == 2 else image[..., ::-1], cmap="gray")
    plt.axis("off")
    plt.show()
