"""Figures drawn anew: the pixels come from a hand-in, the file that a browser opens is written by us.

What is no PNG or JPEG of usual size is left out, and with it whatever hides beside or behind the pixels.
"""

from __future__ import annotations

import base64
import binascii
import io
from typing import TYPE_CHECKING

from grader.notebook.records import Cell, Notebook

if TYPE_CHECKING:
    import nbformat

MAX_BYTES = 3 * 1024**2
MAX_PIXELS = 20_000_000
MAX_PIXELS_OF_ALL = 150_000_000  # of one notebook: some seconds of work
_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF"}
_LEAST_PIXELS = 10_000  # what the smallest figure counts, for the work around it
_JPEG_QUALITY = 92


class Redrawing:
    """Draws the figures of one notebook anew, as long as its allowance of pixels lasts."""

    def __init__(self, pixels: int = MAX_PIXELS_OF_ALL) -> None:
        self._left = pixels

    def __call__(self, encoded: str, mime: str) -> str | None:
        """Base64 of the figure in `encoded` (base64), drawn anew as JPEG if it is one, else as PNG.

        None when it is not what `mime` says, is too large, or comes after the allowance is used up.
        """
        if mime not in _FORMATS or len(encoded) > MAX_BYTES * 1.5:
            return None
        try:
            data = base64.b64decode("".join(encoded.split()), validate=True)
        except (binascii.Error, ValueError):
            return None
        drawn = self._drawn(data, _FORMATS[mime]) if len(data) <= MAX_BYTES else None
        return None if drawn is None else base64.b64encode(drawn).decode("ascii")

    def _drawn(self, data: bytes, kind: str) -> bytes | None:
        from PIL import Image

        drawn = io.BytesIO()
        try:
            with Image.open(io.BytesIO(data), formats=[kind]) as opened:
                pixels = opened.width * opened.height
                if not 0 < pixels <= min(MAX_PIXELS, self._left):
                    return None
                self._left -= max(pixels, _LEAST_PIXELS)
                plain = opened.convert(_mode(opened.mode, "transparency" in opened.info))
                plain.info = {}
                if kind == "JPEG":
                    plain.convert("RGB").save(drawn, "JPEG", quality=_JPEG_QUALITY)
                else:
                    plain.save(drawn, "PNG")
        except Exception:  # noqa: BLE001 - whatever a decoder stumbles over: then there is no figure
            return None
        return drawn.getvalue()


def _mode(mode: str, is_transparent: bool) -> str:
    """The plainest way to hold the pixels of an image of `mode`."""
    if is_transparent or mode in ("LA", "PA", "RGBA", "La", "RGBa"):
        return "RGBA"
    return "L" if mode in ("1", "L") else "RGB"


def with_figures_redrawn(notebook: Notebook) -> Notebook:
    """`notebook` with every figure drawn anew; a remark tells what had to be left out."""
    redraw = Redrawing()
    remarks = list(notebook.remarks)
    cells = tuple(_redrawn(cell, redraw, remarks) for cell in notebook.cells)
    return notebook.model_copy(update={"cells": cells, "remarks": tuple(remarks)})


def _redrawn(cell: Cell, redraw: Redrawing, remarks: list[str]) -> Cell:
    if not any(output.image for output in cell.outputs):
        return cell
    outputs = []
    for output in cell.outputs:
        if output.image is not None and output.image_type is not None:
            image = redraw(output.image, output.image_type)
            if image is None:
                remarks.append(f"A figure of cell {cell.number} cannot be shown: it is damaged or too large.")
                output = output.model_copy(update={"image_type": None, "is_truncated": True})
            output = output.model_copy(update={"image": image})
        outputs.append(output)
    return cell.model_copy(update={"outputs": tuple(outputs)})


def redraw_figures(executed: nbformat.NotebookNode) -> None:
    """Draw every figure in the outputs of `executed`, a notebook of ours, anew; the others are taken out."""
    redraw = Redrawing()
    for cell in executed.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            for mime in _FORMATS:
                if mime in data and (image := redraw(data.pop(mime), mime)) is not None:
                    data[mime] = image
