from __future__ import annotations

import base64
import io
import json
import random
import warnings
from typing import Any

import nbformat
import pytest
from bounded import bounded
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from grader.errors import NotebookError
from grader.notebook.reading import (
    MAX_CELLS,
    MAX_IMAGE_BYTES,
    MAX_OUTPUT_CHARS,
    notebook_from_node,
    read_notebook,
)
from grader.notebook.records import CellKind, Notebook, OutputKind


def a_png(width: int, height: int, pixels: bytes) -> str:
    data = io.BytesIO()
    Image.frombytes("RGB", (width, height), pixels).save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


PNG = a_png(2, 2, b"\0" * 12)


def a_file(*cells: Any, **fields: Any) -> bytes:
    """A notebook file of nbformat 4.5 with these cells."""
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells, **fields}).encode()


def a_code_cell(source: Any = "x = 1", *outputs: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "metadata": {},
        "execution_count": None,
        "source": source,
        "outputs": list(outputs),
    }


def a_stream(text: Any, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def a_display(**data: Any) -> dict[str, Any]:
    mimes = {name.replace("_", "/", 1).replace("_", "-"): value for name, value in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": mimes}


def text_shown(stream: str) -> str:
    return read_notebook(a_file(a_code_cell("x", a_stream(stream)))).cells[0].outputs[0].text


def test_cells_are_counted_from_one_over_all_kinds() -> None:
    notebook = read_notebook(
        a_file(
            {"cell_type": "markdown", "source": ["# Hello\n", "there"]},
            a_code_cell("x = 1"),
            {"cell_type": "raw", "source": "raw text"},
        )
    )
    assert [(cell.number, cell.kind) for cell in notebook.cells] == [
        (1, CellKind.MARKDOWN),
        (2, CellKind.CODE),
        (3, CellKind.RAW),
    ]
    assert notebook.cells[0].source == "# Hello\nthere"


def test_an_old_notebook_reads_as_nbformat_would_upgrade_it() -> None:
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [
            {
                "metadata": {},
                "cells": [
                    {"cell_type": "heading", "level": 2, "metadata": {}, "source": ["Title"]},
                    {"cell_type": "markdown", "metadata": {}, "source": ["text"]},
                    {
                        "cell_type": "code",
                        "collapsed": False,
                        "input": ["print('a')\n", "1"],
                        "language": "python",
                        "metadata": {},
                        "prompt_number": 1,
                        "outputs": [
                            {"output_type": "stream", "stream": "stdout", "text": ["a\n"]},
                            {
                                "output_type": "pyout",
                                "prompt_number": 1,
                                "metadata": {},
                                "text": ["1"],
                                "png": PNG,
                            },
                            {
                                "output_type": "pyerr",
                                "ename": "ValueError",
                                "evalue": "no",
                                "traceback": ["ValueError: no"],
                            },
                        ],
                    },
                ],
            }
        ],
    }
    ours = read_notebook(json.dumps(old).encode())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = notebook_from_node(nbformat.reads(json.dumps(old), as_version=4))
    assert ours.cells == theirs.cells
    assert [output.kind for output in ours.cells[2].outputs] == [
        OutputKind.STREAM,
        OutputKind.DISPLAY,
        OutputKind.ERROR,
    ]
    assert ours.cells[2].outputs[1].image == PNG


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert read_notebook(b"\xef\xbb\xbf" + a_file(a_code_cell("x"))).cells[0].source == "x"


def test_latin_1_is_read_and_remarked() -> None:
    data = a_file().replace(b'"cells": []', b'"cells": [{"cell_type": "raw", "source": "\xfcber"}]')
    notebook = read_notebook(data)
    assert notebook.cells[0].source == "über"
    assert any("Latin-1" in remark for remark in notebook.remarks)


def test_utf_16_is_read() -> None:
    assert read_notebook(a_file(a_code_cell("x")).decode().encode("utf-16")).cells[0].source == "x"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (a_file(a_code_cell("x" * 500))[:300], "cut off"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b'{"cells": [\n<<<<<<< HEAD\n "a",\n=======\n>>>>>>> other\n]}', "merge-conflict"),
        (b"print('hello')", "not a notebook"),
        (b"PK\x03\x04rest", "zip"),
        (b'{"cells": [}, "a": 1}', "damaged (line 1)"),
        (b"[1, 2]", "hand in the .ipynb"),
        (b'{"a": 1}', "no cells"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deeply"),
        (b'{"cells": [], "nbformat": ' + b"9" * 10_000 + b"}", "damaged"),
    ],
)
def test_a_file_that_is_no_notebook_is_refused_with_the_reason(data: bytes, word: str) -> None:
    with pytest.raises(NotebookError, match=word.replace("(", r"\(").replace(")", r"\)")):
        read_notebook(data)


def test_a_hundred_thousand_cells_are_refused() -> None:
    with pytest.raises(NotebookError, match=r"100,000 cells"):
        read_notebook(a_file(*[{"cell_type": "raw", "source": ""}] * 100_000))
    assert len(read_notebook(a_file(*[a_code_cell("")] * MAX_CELLS)).cells) == MAX_CELLS


def test_megabytes_of_code_in_one_cell_are_refused() -> None:
    with pytest.raises(NotebookError, match="Cell 1 holds"):
        read_notebook(a_file(a_code_cell("x" * 6_000_000)))


def test_an_empty_notebook_is_a_notebook() -> None:
    notebook = read_notebook(a_file())
    assert notebook.cells == ()
    assert notebook.remarks == ("The notebook has no cells.",)


def test_wrong_types_everywhere_are_rebuilt() -> None:
    notebook = read_notebook(
        a_file(
            7,
            {"cell_type": ["code"], "source": {"a": 1}},
            a_code_cell(["x", 3, None, "y"], "text", None, {"output_type": 3}, {"output_type": "stream"}),
            {
                "cell_type": "code",
                "source": None,
                "outputs": {"a": [{"output_type": "stream", "name": "stdout", "text": "x"}]},
            },
            a_code_cell(
                "z",
                {"output_type": "error", "ename": 3, "evalue": [], "traceback": "no list"},
                {"output_type": "display_data", "data": [1]},
            ),
            metadata=[1],
        )
    )
    assert [cell.number for cell in notebook.cells] == [1, 2, 3, 4, 5]
    assert notebook.cells[2].source == "xy"
    assert notebook.cells[3].outputs == ()
    assert notebook.cells[4].outputs[0].error_name == "Error"


def test_foreign_metadata_is_left_behind() -> None:
    cell = a_code_cell("x")
    cell["metadata"] = {"tags": ["raises-exception"]}
    notebook = read_notebook(
        a_file(
            cell,
            metadata={
                "widgets": {"a": "b" * 1000},
                "kernelspec": {"name": "python3", "display_name": "x"},
                "colab": {"name": "A1.ipynb"},
                "language_info": {"name": "python", "version": "3.7.10"},
            },
        )
    )
    assert notebook.metadata == {
        "kernel": "python3",
        "language": "python",
        "python": "3.7.10",
        "colab": "yes",
        "nbformat": "4.5",
    }
    assert "raises-exception" not in notebook.model_dump_json()


@pytest.mark.parametrize(
    ("stream", "shown"),
    [
        ("1/3\r2/3\r3/3\n", "3/3\n"),
        ("long line\rab", "abng line"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("10/10 acc: 0.5" + "\x08" * 14 + "\r10/10 acc: 0.9\n", "10/10 acc: 0.9\n"),
        ("abc\x08\x08X", "aXc"),
        ("\x08\x08a", "a"),
        ("\x1b[1m10/10\x1b[0m \x1b[32m━━\x1b[0m", "10/10 ━━"),
        ("\x1b]0;title\x07text\x1b", "text"),
        ("a\x00b", "a\ufffdb"),
    ],
)
def test_streams_read_as_a_terminal_shows_them(stream: str, shown: str) -> None:
    assert text_shown(stream) == shown


@given(st.text(alphabet="ab\r\n\x08\x1b[0m ;", max_size=60))
def test_playing_out_agrees_with_a_terminal_of_one_line(text: str) -> None:
    text = text.replace("\x1b", "").replace("\n", "").replace("\r\r", "\r")
    screen: list[str] = []
    position = 0
    for character in text:
        if character == "\r":
            position = 0
        elif character == "\x08":
            position = max(0, position - 1)
        else:
            screen[position : position + 1] = character
            position += 1
    assert text_shown(text) == "".join(screen)


def test_pieces_of_a_stream_are_put_together() -> None:
    cell = a_code_cell(
        "x",
        a_stream(["1", "/2"]),
        a_stream("\r2/2\n"),
        a_stream("W\n", "stderr"),
        {"output_type": "stream", "text": "end"},
    )
    outputs = read_notebook(a_file(cell)).cells[0].outputs
    assert [(output.text, output.is_stderr) for output in outputs] == [
        ("2/2\n", False),
        ("W\n", True),
        ("end", False),
    ]


def test_long_outputs_keep_head_and_tail_with_a_mark() -> None:
    outputs = read_notebook(a_file(a_code_cell("x", a_stream("begin" + "x" * 1_000_000 + "end"))))
    output = outputs.cells[0].outputs[0]
    assert output.is_truncated
    assert output.text.startswith("begin")
    assert output.text.endswith("end")
    assert "left out" in output.text
    assert len(output.text) < MAX_OUTPUT_CHARS + 100


def test_a_million_small_outputs_are_cut_with_a_remark() -> None:
    shown = {"output_type": "display_data", "metadata": {}, "data": {"text/plain": "x"}}
    notebook = read_notebook(a_file(a_code_cell("x", *[shown] * 50_000)))
    assert len(notebook.cells[0].outputs) == 400
    assert "50,000 outputs" in notebook.remarks[0]


def test_images_are_kept_only_when_they_are_png_or_jpeg() -> None:
    cell = a_code_cell(
        "x",
        a_display(image_png=PNG[:20] + "\n" + PNG[20:]),
        a_display(image_png=base64.b64encode(b"<script>").decode()),
        a_display(image_png="%%%"),
        a_display(**{"image_svg+xml": "<svg onload='x'/>"}),
        a_display(image_jpeg=PNG),
    )
    images = [output.image for output in read_notebook(a_file(cell)).cells[0].outputs]
    assert images == [PNG, None, None, None, None]


def test_an_image_that_is_too_large_is_left_out_and_marked() -> None:
    huge = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * MAX_IMAGE_BYTES).decode()
    output = read_notebook(a_file(a_code_cell("x", a_display(image_png=huge)))).cells[0].outputs[0]
    assert output.image is None
    assert output.is_truncated


def test_lone_surrogates_do_not_break_storage() -> None:
    notebook = read_notebook(a_file(a_code_cell("x = '\ud800'", a_stream("\udfff"))))
    assert Notebook.model_validate_json(notebook.model_dump_json()) == notebook


@pytest.mark.parametrize(
    "text",
    ["x\r" * 15_000_000, "x\x08\r" * 10_000_000, "\x1b[" * 15_000_000, "x" * 30_000_000],
    ids=["returns", "backspaces", "escapes", "one line"],
)
def test_thirty_megabytes_are_read_in_bounded_time(text: str) -> None:
    data = a_file(a_code_cell("x", a_stream(text)))
    assert len(data) > 29_000_000
    with bounded():
        read_notebook(data)


def test_thirty_megabytes_of_images_are_read_in_bounded_time() -> None:
    image = a_png(580, 580, random.Random(1).randbytes(580 * 580 * 3))
    data = a_file(*[a_code_cell("x", a_display(image_png=image))] * 24)
    assert len(data) > 30_000_000
    with bounded():
        assert read_notebook(data).cells[23].outputs[0].image == image


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
ODD_CELLS = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw", "heading"]) | JSON_VALUES,
        "source": JSON_VALUES,
        "input": JSON_VALUES,
        "level": JSON_VALUES,
        "outputs": st.lists(
            st.fixed_dictionaries(
                {"output_type": st.sampled_from(["stream", "error", "display_data", "pyout", "odd"])},
                optional={
                    "text": JSON_VALUES,
                    "name": JSON_VALUES,
                    "data": JSON_VALUES
                    | st.dictionaries(st.sampled_from(["text/plain", "image/png"]), JSON_VALUES),
                    "traceback": JSON_VALUES,
                    "ename": JSON_VALUES,
                    "png": JSON_VALUES,
                },
            )
            | JSON_VALUES,
            max_size=3,
        )
        | JSON_VALUES,
    },
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ODD_CELLS | JSON_VALUES, max_size=4), JSON_VALUES)
def test_no_shape_of_json_crashes_the_reader(cells: list[Any], metadata: Any) -> None:
    notebook = read_notebook(a_file(*cells, metadata=metadata))
    assert len(notebook.cells) == len(cells)
    assert Notebook.model_validate_json(notebook.model_dump_json()) == notebook


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    try:
        assert read_notebook(data) is not None
    except NotebookError as error:
        refusal = str(error)
    else:
        refusal = "It was read."
    assert refusal.endswith(".")
