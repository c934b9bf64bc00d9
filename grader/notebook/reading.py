"""Reading a notebook file into our own form.

The file is untrusted: everything is rebuilt from the few fields that we use, sizes are capped, and
nothing is copied over because it happened to be there. nbformat 3 (worksheets) and 4 are read from
their JSON directly: nbformat's own conversion validates, warns, and fails on what is half broken.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from grader.errors import NotebookError
from grader.notebook.images import MAX_BYTES as MAX_IMAGE_BYTES
from grader.notebook.images import with_figures_redrawn
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind
from grader.notebook.terminal import play_out, shorten
from grader.notebook.timings import seconds_in_metadata

if TYPE_CHECKING:
    import nbformat

MAX_FILE_BYTES = 200 * 1024**2
MAX_CELLS = 5_000
MAX_SOURCE_CHARS = 5_000_000
MAX_OUTPUTS_PER_CELL = 400
MAX_OUTPUT_CHARS = 200_000
MAX_RAW_CHARS = 2_000_000  # of one output, before carriage returns are played out
MAX_HTML_CHARS = 500_000

_KINDS = {
    "code": CellKind.CODE,
    "markdown": CellKind.MARKDOWN,
    "heading": CellKind.MARKDOWN,
    "html": CellKind.MARKDOWN,
    "raw": CellKind.RAW,
    "plaintext": CellKind.RAW,
}
_IMAGES = {"image/png": (b"\x89PNG\r\n\x1a\n",), "image/jpeg": (b"\xff\xd8\xff",)}
_V3_MIMES = {"text": "text/plain", "html": "text/html", "png": "image/png", "jpeg": "image/jpeg"}
_PLAIN_MIMES = ("text/plain", "text/markdown", "text/latex")
_MAGIC_NUMBERS = (
    (b"PK\x03\x04", "a zip archive"),
    (b"%PDF", "a PDF"),
    (b"\x89HDF", "a saved model"),
    (b"\x1f\x8b", "a compressed file"),
    (b"{\\rtf", "a rich-text document"),
)


def read_notebook(data: bytes) -> Notebook:
    """The notebook in `data`, the bytes of an `.ipynb` file of nbformat 3 to 4.5, its figures drawn anew.

    Raises `NotebookError` with a sentence fit for the student when it is none, or is too large.
    """
    if len(data) > MAX_FILE_BYTES:
        size = len(data) / 1024**2
        raise NotebookError(
            f"The notebook is {size:,.0f} MB large, more than the {MAX_FILE_BYTES // 1024**2} MB that can be "
            "read: clear large outputs and save it again."
        )
    text, remarks = _decode(data)
    try:
        content = json.loads(text)
    except RecursionError:
        raise NotebookError(
            "The notebook's JSON is nested too deeply to be read: save it again with Jupyter or Colab."
        ) from None
    except ValueError as error:
        position = error.pos if isinstance(error, json.JSONDecodeError) else None
        raise NotebookError(_why_not_json(text, position)) from None
    return with_figures_redrawn(_rebuild(content, remarks))


def notebook_from_node(node: nbformat.NotebookNode) -> Notebook:
    """The notebook in `node`, one of ours, whose figures were drawn anew when it was executed; the same caps
    and errors as a file's.
    """
    return _rebuild(node, [])


def _decode(data: bytes) -> tuple[str, list[str]]:
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise NotebookError("The notebook file is empty: save the notebook and hand it in again.")
    for magic, what in _MAGIC_NUMBERS:
        if data.startswith(magic):
            raise NotebookError(f"The file is not a notebook but {what}: hand in the .ipynb file itself.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace"), ["The file was saved as UTF-16."]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return data.decode("latin-1"), ["The file is not UTF-8; it was read as Latin-1."]


def _why_not_json(text: str, position: int | None) -> str:
    start = text[:4096].lstrip().lower()
    if start.startswith(("<!doctype", "<html", "<?xml", "<head", "<body")):
        return (
            "The file is a web page, not a notebook: download the notebook itself (in Colab: "
            "File, Download, Download .ipynb) and hand that in."
        )
    if start.startswith("version https://git-lfs"):
        return "The file is only a Git LFS pointer, not the notebook itself: hand in the real file."
    if re.search(r"^\s{0,20}(<{7}|>{7}) ", text, re.MULTILINE):
        return (
            "The notebook holds merge-conflict marks (<<<<<<<, >>>>>>>): settle the conflict, open the "
            "notebook once to see that it works, and hand it in again."
        )
    if not start.startswith("{"):
        return "The file is not a notebook (it does not begin with {): hand in the .ipynb file itself."
    if (position is not None and position >= len(text.rstrip()) - 1) or text.rstrip()[-1:] != "}":
        return (
            "The notebook file is cut off before its end, probably by a broken upload or a full disk: "
            "save it again and hand it in again."
        )
    where = "" if position is None else f" (line {text.count(chr(10), 0, position) + 1})"
    return (
        f"The notebook's JSON is damaged{where}: open it in Jupyter or Colab, save it, and hand it in again."
    )


def _rebuild(content: Any, remarks: list[str]) -> Notebook:
    if not isinstance(content, Mapping):
        raise NotebookError("The file is JSON but not a notebook: hand in the .ipynb file itself.")
    raw_cells = _raw_cells(content)
    if len(raw_cells) > MAX_CELLS:
        raise NotebookError(
            f"The notebook has {len(raw_cells):,} cells, more than the {MAX_CELLS:,} that can be read."
        )
    if not raw_cells:
        remarks.append("The notebook has no cells.")
    cells = tuple(_cell(number, raw, remarks) for number, raw in enumerate(raw_cells, start=1))
    return Notebook(cells=cells, metadata=_metadata(content), remarks=tuple(remarks))


def _raw_cells(content: Mapping[str, Any]) -> list[Any]:
    if isinstance(cells := content.get("cells"), list):
        return cells
    worksheets = content.get("worksheets")
    if not isinstance(worksheets, list):
        raise NotebookError("The file is JSON but not a notebook (it has no cells): hand in the .ipynb file.")
    found: list[Any] = []
    for worksheet in worksheets:
        if isinstance(worksheet, Mapping) and isinstance(worksheet.get("cells"), list):
            found.extend(worksheet["cells"])
    return found


def _cell(number: int, raw: Any, remarks: list[str]) -> Cell:
    if not isinstance(raw, Mapping):
        remarks.append(f"Cell {number} is damaged and was read as empty.")
        return Cell(number=number, kind=CellKind.RAW, source="")
    declared = raw.get("cell_type")
    kind = _KINDS.get(declared) if isinstance(declared, str) else None
    if kind is None:
        remarks.append(f"Cell {number} has no known type and was read as plain text.")
        kind = CellKind.RAW
    source = _joined(raw.get("source", raw.get("input")))
    if len(source) > MAX_SOURCE_CHARS:
        if kind is CellKind.CODE:
            raise NotebookError(
                f"Cell {number} holds {len(source):,} characters of code, more than the "
                f"{MAX_SOURCE_CHARS:,} that can be read: load large data from a file instead."
            )
        source, _ = shorten(source, MAX_SOURCE_CHARS)
        remarks.append(f"Cell {number} is very long; only its beginning and end were read.")
    if declared == "heading":
        level = raw.get("level")
        source = "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1) + " " + source
    outputs = _outputs(number, raw.get("outputs"), remarks) if kind is CellKind.CODE else ()
    seconds = seconds_in_metadata(raw.get("metadata")) if kind is CellKind.CODE else None
    return Cell(number=number, kind=kind, source=source, outputs=outputs, seconds=seconds)


def _joined(value: Any) -> str:
    """A multi-line string of a notebook (a string, or a list of them), fit to be stored as UTF-8."""
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    if not isinstance(value, str):
        return ""
    text: str = value
    try:
        text.encode()
    except UnicodeEncodeError:  # lone surrogates
        text = text.encode("utf-8", "replace").decode()
    return text.replace("\x00", "\ufffd")


def _outputs(number: int, raw_outputs: Any, remarks: list[str]) -> tuple[Output, ...]:
    if not isinstance(raw_outputs, list):
        return ()
    merged = _merged_streams(raw_outputs)
    if len(merged) > MAX_OUTPUTS_PER_CELL:
        remarks.append(
            f"Cell {number} has {len(merged):,} outputs; the first and last "
            f"{MAX_OUTPUTS_PER_CELL // 2} were kept."
        )
        merged = merged[: MAX_OUTPUTS_PER_CELL // 2] + merged[-(MAX_OUTPUTS_PER_CELL // 2) :]
    found = (_output(raw) for raw in merged)
    return tuple(output for output in found if output is not None)


def _merged_streams(raw_outputs: list[Any]) -> list[Mapping[str, Any]]:
    """The outputs that are objects, with neighbouring pieces of one stream put together."""
    pieces: list[tuple[str | None, list[str], Mapping[str, Any]]] = []
    for raw in raw_outputs:
        if not isinstance(raw, Mapping):
            continue
        if raw.get("output_type") != "stream":
            pieces.append((None, [], raw))
            continue
        name = "stderr" if "stderr" in (raw.get("name"), raw.get("stream")) else "stdout"
        if pieces and pieces[-1][0] == name:
            pieces[-1][1].append(_joined(raw.get("text")))
        else:
            pieces.append((name, [_joined(raw.get("text"))], raw))
    return [
        raw if name is None else {"output_type": "stream", "name": name, "text": "".join(texts)}
        for name, texts, raw in pieces
    ]


def _output(raw: Mapping[str, Any]) -> Output | None:
    kind = raw.get("output_type")
    if kind == "stream":
        text, cut = _capped(raw["text"])
        is_stderr = raw["name"] == "stderr"
        return Output(kind=OutputKind.STREAM, text=text, is_stderr=is_stderr, is_truncated=cut)
    if kind in ("error", "pyerr"):
        traceback = raw.get("traceback")
        lines = [line for line in traceback if isinstance(line, str)] if isinstance(traceback, list) else []
        text, cut = _capped(_joined("\n".join(lines)))
        return Output(
            kind=OutputKind.ERROR,
            text=text,
            error_name=_capped(_joined(raw.get("ename")), 200)[0] or "Error",
            error_value=_capped(_joined(raw.get("evalue")), 2_000)[0],
            is_truncated=cut,
        )
    if kind in ("display_data", "execute_result", "update_display_data", "pyout"):
        return _display(raw)
    return None


def _display(raw: Mapping[str, Any]) -> Output:
    data = raw.get("data")
    if not isinstance(data, Mapping):
        data = {mime: raw[name] for name, mime in _V3_MIMES.items() if name in raw}
    plain = next((_joined(data[mime]) for mime in _PLAIN_MIMES if mime in data), "")
    text, cut = _capped(plain)
    html: str | None = _joined(data.get("text/html")) or None
    if html is not None and len(html) > MAX_HTML_CHARS:
        html, cut = None, True
    image, image_type = None, None
    for mime in _IMAGES:
        if mime in data and image is None:
            image, too_large = _image(mime, _joined(data[mime]))
            image_type = mime if image is not None else None
            cut = cut or too_large
    return Output(
        kind=OutputKind.DISPLAY, text=text, html=html, image=image, image_type=image_type, is_truncated=cut
    )


def _image(mime: str, encoded: str) -> tuple[str | None, bool]:
    """The image as one line of base64 if it is what `mime` says, and whether it was too large to keep."""
    if len(encoded) > MAX_IMAGE_BYTES * 1.5:
        return None, True
    compact = "".join(encoded.split())
    try:
        decoded = base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        return None, False
    if len(decoded) > MAX_IMAGE_BYTES:
        return None, True
    return (compact, False) if decoded.startswith(_IMAGES[mime]) else (None, False)


def _capped(text: str, limit: int = MAX_OUTPUT_CHARS) -> tuple[str, bool]:
    text, cut_before = shorten(text, MAX_RAW_CHARS)
    text, cut_after = shorten(play_out(text), limit)
    return text, cut_before or cut_after


def _metadata(content: Mapping[str, Any]) -> dict[str, str]:
    def within(value: Any, *keys: str) -> Any:
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    metadata = content.get("metadata")
    version = ".".join(
        str(part)
        for part in (content.get("nbformat"), content.get("nbformat_minor"))
        if isinstance(part, int)
    )
    found = {
        "kernel": within(metadata, "kernelspec", "name"),
        "language": within(metadata, "language_info", "name") or within(metadata, "kernelspec", "language"),
        "python": within(metadata, "language_info", "version"),
        "colab": "yes" if isinstance(within(metadata, "colab"), Mapping) else None,
        "nbformat": version,
    }
    return {key: _joined(value)[:100] for key, value in found.items() if isinstance(value, str) and value}
