from __future__ import annotations

import base64
import io
import json
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import v4
from PIL import Image, PngImagePlugin

from grader.notebook.images import Redrawing, redraw_figures
from grader.notebook.reading import read_notebook


def a_picture(
    kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (4, 3), **options: object
) -> bytes:
    data = io.BytesIO()
    Image.new(mode, size, 1).save(data, kind, **options)
    return data.getvalue()


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def opened(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_figure_keeps_its_pixels(mode):
    before = Image.open(io.BytesIO(a_picture(mode=mode)))
    after = opened(Redrawing()(encoded(a_picture(mode=mode)), "image/png"))
    assert after.size == before.size
    if mode != "I;16":
        assert after.convert("RGBA").tobytes() == before.convert("RGBA").tobytes()


@pytest.mark.parametrize(("kind", "drawn"), [("PNG", "PNG"), ("JPEG", "JPEG"), ("GIF", "PNG")])
def test_the_file_is_one_that_we_wrote(kind, drawn):
    assert opened(Redrawing()(encoded(a_picture(kind)), f"image/{kind.lower()}")).format == drawn


def test_nothing_but_pixels_comes_through():
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "<script>alert(1)</script>")
    hidden = a_picture(pnginfo=texts, icc_profile=b"profile") + b"<script>alert(2)</script>"
    drawn = base64.b64decode(Redrawing()(encoded(hidden), "image/png"))
    assert b"script" not in drawn
    assert b"iCCP" not in drawn
    assert Redrawing()(encoded(drawn), "image/png") == encoded(drawn), "drawn twice it stays the same"


def a_bomb(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    pixels = zlib.compress(bytes((width + 1) * min(height, 2000)), 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (a_picture()[:30], "image/png"),
        (a_picture("GIF"), "image/png"),
        (a_picture(), "image/jpeg"),
        (a_picture(), "image/svg+xml"),
        (b"<svg/>", "image/png"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (a_bomb(60_000, 60_000), "image/png"),
        (b"", "image/png"),
    ],
)
def test_what_is_no_figure_of_usual_size_is_none(data, mime):
    assert Redrawing()(encoded(data), mime) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(data):
    for magic, mime in (
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF89a", "image/gif"),
    ):
        Redrawing()(encoded(magic + data), mime)
    Redrawing()(data.decode("latin-1"), "image/png")


def test_the_figures_of_a_notebook_share_an_allowance():
    redraw = Redrawing(50_000)
    figure = encoded(a_picture(size=(200, 100)))
    assert [redraw(figure, "image/png") is not None for _ in range(4)] == [True, True, False, False]
    redraw = Redrawing(20_000_000)
    large = encoded(a_bomb(4000, 2000))
    assert sum(redraw(large, "image/png") is not None for _ in range(100)) == 2


def test_a_notebook_is_read_with_its_figures_drawn_anew():
    def displayed(data: bytes) -> object:
        return v4.new_output("display_data", {"image/png": encoded(data), "text/plain": "<Figure>"})

    good, bad = a_picture() + b"trailer", a_picture()[:30]
    cell = v4.new_code_cell("plt.show()", outputs=[displayed(good), displayed(bad)])
    notebook = read_notebook(json.dumps(v4.new_notebook(cells=[cell])).encode())
    drawn, damaged = notebook.cells[0].outputs
    assert base64.b64decode(drawn.image).endswith(b"IEND\xaeB`\x82")
    assert (damaged.image, damaged.image_type, damaged.is_truncated) == (None, None, True)
    assert any("figure of cell 1" in remark for remark in notebook.remarks)


def test_the_figures_of_a_run_are_drawn_anew():
    outputs = [
        v4.new_output("display_data", {"image/png": encoded(a_picture() + b"trailer"), "text/plain": "x"}),
        v4.new_output("display_data", {"image/jpeg": "no base64"}),
        v4.new_output("stream", text="x"),
    ]
    executed = v4.new_notebook(cells=[v4.new_code_cell("x", outputs=outputs)])
    redraw_figures(executed)
    first, second, _ = executed.cells[0].outputs
    assert base64.b64decode(first.data["image/png"]).endswith(b"IEND\xaeB`\x82")
    assert first.data["text/plain"] == "x"
    assert second.data == {}
