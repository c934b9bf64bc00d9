import base64
import struct

import pytest

from grader.report.images import image_address


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_an_image_is_named_after_its_bytes(a_picture, kind):
    packed = a_picture(30, 20, kind)
    assert image_address(packed) == f"data:image/{kind.lower()};base64,{packed}"


def test_line_breaks_in_base64_are_removed(a_picture):
    packed = a_picture()
    assert image_address(packed[:20] + "\n" + packed[20:] + "\n") == f"data:image/png;base64,{packed}"


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script></html>",
        b"\x89PNG\r\n\x1a\n<script>",
        b"\xff\xd8\xff<script>",
        b"GIF89a",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        b"",
    ],
)
def test_what_is_no_image_is_refused(data):
    assert image_address(base64.b64encode(data).decode()) is None


def test_text_that_is_no_base64_is_refused(a_picture):
    assert image_address(a_picture() + '"><script>alert(1)</script>') is None


def test_an_image_that_unpacks_to_gigabytes_is_refused():
    bomb = (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 60_000, 60_000) + b"\x08\x02\x00\x00\x00"
    )
    assert image_address(base64.b64encode(bomb).decode()) is None
