"""Checks that an image from a hand-in is the PNG, JPEG or GIF that it says it is."""

from __future__ import annotations

import base64
import binascii
import re
import struct

from grader.notebook.images import Redrawing

_MAX_BYTES = 3 * 1024**2
_MAX_PIXELS = 40_000_000
_BASE64_BLANKS = re.compile(r"[ \t\r\n]+")
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def image_address(encoded: str) -> str | None:
    """A `data:` address for base64 text that holds a PNG, JPEG or GIF; None for everything else.

    The type is read from the first bytes, never believed. Images over 3 MiB or 40 million pixels are
    refused: unpacking them could freeze the reader's browser.
    """
    packed = _BASE64_BLANKS.sub("", encoded)
    if len(packed) > _MAX_BYTES * 4 // 3:
        return None
    try:
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        return None
    for kind, size in (("png", _png_size(data)), ("gif", _gif_size(data)), ("jpeg", _jpeg_size(data))):
        if size is not None:
            width, height = size
            return f"data:image/{kind};base64,{packed}" if 0 < width * height <= _MAX_PIXELS else None
    return None


def redrawn_address(encoded: str, redraw: Redrawing) -> str | None:
    """`image_address` of the image in `encoded`, drawn anew: for images that are no cell's figure."""
    address = image_address(encoded)
    if address is None:
        return None
    mime = address.removeprefix("data:").partition(";")[0]
    return image_address(redraw(encoded, mime) or "")


def _png_size(data: bytes) -> tuple[int, int] | None:
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or data[12:16] != b"IHDR" or len(data) < 24:
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _gif_size(data: bytes) -> tuple[int, int] | None:
    if not data.startswith((b"GIF87a", b"GIF89a")) or len(data) < 10:
        return None
    width, height = struct.unpack("<HH", data[6:10])
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from the first frame header, found by stepping from segment to segment."""
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return width, height
        if length < 2:
            return None
        place += 2 + length
    return None
