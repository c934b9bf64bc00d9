"""The files that a notebook's code opens, writes or downloads.

Only paths that the code spells out are known: literals, their joins, and names that hold one path only.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple

from grader.notebook.code import CodeIndex, dotted_name

_MAX_CHARS = 500
_READERS = frozenset(
    """
    np.load np.loadtxt np.genfromtxt np.fromfile np.memmap plt.imread PIL.Image.open cv2.imread imageio.imread
    skimage.io.imread tf.keras.models.load_model tf.keras.utils.load_img tf.keras.preprocessing.image.load_img
    tf.io.read_file tf.data.TextLineDataset tf.data.TFRecordDataset tf.saved_model.load zipfile.ZipFile
    tarfile.open gzip.open h5py.File scipy.io.loadmat joblib.load torch.load shutil.unpack_archive
    shutil.copy shutil.copyfile shutil.move io.open
    """.split()  # noqa: SIM905
)
_WRITERS = frozenset(
    """
    np.save np.savez np.savez_compressed np.savetxt plt.savefig tf.keras.utils.save_img tf.io.write_file
    tf.saved_model.save os.makedirs os.mkdir
    """.split()  # noqa: SIM905
)
_WRITES_SECOND = frozenset(
    {"shutil.copy", "shutil.copyfile", "shutil.move", "joblib.dump", "torch.save", "pickle.dump", "os.rename"}
)
_DOWNLOADERS = {
    "urllib.request.urlretrieve": 1,
    "wget.download": 1,
    "gdown.download": 1,
    "tf.keras.utils.get_file": 0,
}
_READING_METHODS = frozenset({"load_weights", "restore"})
_WRITING_METHODS = frozenset(
    {"to_csv", "to_pickle", "save", "save_weights", "savefig", "write_text", "mkdir"}
)
_SHELL = re.compile(r"^\s*!\s*(?P<line>.+)$|^\s*%%writefile\s+(?P<written>\S+)", re.MULTILINE)
_FETCH = re.compile(r"\b(?:wget|curl|gdown|git\s+clone|kaggle)\b")
_URL = re.compile(r"(?:https?|ftp)://[^\s'\"]+")
_NAMED = re.compile(r"\s-(?:O|o|-output)[\s=]+['\"]?(?P<name>[^\s'\"]+)")
_REDIRECTED = re.compile(r">\s*(?P<name>[\w./-]+)\s*$")


class Use(StrEnum):
    """What is done with a file."""

    READ = "read"
    WRITTEN = "written"
    DOWNLOADED = "downloaded"


class Opened(NamedTuple):
    """One file: its path (or address) as the code spells it, what is done with it, and the cell."""

    path: str
    use: Use
    cell: int

    @property
    def name(self) -> str:
        """The last part of the path, whichever way its slashes lean."""
        return PurePosixPath(self.path.replace("\\", "/")).name


def opened_files(code: CodeIndex) -> tuple[Opened, ...]:
    """Every file that the code spells out, in order of the cells. Never raises; linear in the code."""
    constants = _constants(code)
    called = {id(call): occurrence.name for occurrence, call in code.library_calls}
    found: list[Opened] = []
    for cell, node in code.nodes:
        if isinstance(node, ast.Call):
            found += (Opened(path, use, cell) for path, use in _of_call(node, called, constants))
    for cell in code.trees:
        found += (Opened(path, use, cell) for path, use in _of_shell(code.source(cell)))
    return tuple(dict.fromkeys(sorted(found, key=lambda file: file.cell)))


def _constants(code: CodeIndex) -> dict[str, str]:
    """Names that hold one written text wherever they are set."""
    texts: dict[str, set[str | None]] = {}
    for _, node in code.nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    texts.setdefault(target.id, set()).add(_text(node.value, {}))
    return {name: text for name, held in texts.items() if len(held) == 1 and (text := next(iter(held)))}


def _text(node: ast.AST | None, constants: Mapping[str, str], depth: int = 0) -> str | None:
    """The text that an expression stands for, None when it is not all written."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) and len(node.value) < _MAX_CHARS else None
    if isinstance(node, ast.Name):
        return constants.get(node.id)
    if depth > 8:
        return None
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Div)):
        parts = [_text(side, constants, depth + 1) for side in (node.left, node.right)]
        return _joined(parts, "" if isinstance(node.op, ast.Add) else "/")
    if isinstance(node, ast.JoinedStr):
        values = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
        return _joined([_text(value, constants, depth + 1) for value in values], "")
    if isinstance(node, ast.Call) and not node.keywords and node.args:
        dotted = dotted_name(node.func)
        name = ".".join([dotted[0], *dotted[1]]) if dotted is not None else ""
        if name.endswith(("path.join", "Path")):
            return _joined([_text(arg, constants, depth + 1) for arg in node.args], "/")
    return None


def _joined(parts: list[str | None], mark: str) -> str | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return mark.join(part.rstrip("/") if mark and len(part) > 1 else part for part in known)


def _of_call(
    call: ast.Call, called: Mapping[int, str], constants: Mapping[str, str]
) -> Iterator[tuple[str, Use]]:
    """The files of one call, with what becomes of them."""
    name = called.get(id(call), "")
    first, second = (_argument(call, place, constants) for place in (0, 1))
    if isinstance(call.func, ast.Name) and call.func.id == "open" and not name:
        name = "io.open"
    if name in _DOWNLOADERS:
        target = _argument(call, _DOWNLOADERS[name], constants) or first
        yield from _one(target, Use.DOWNLOADED)
    elif name in _WRITES_SECOND:
        yield from _one(second, Use.WRITTEN)
        yield from _one(first if name in _READERS else None, Use.READ)
    elif name in _READERS or name.startswith("pandas.read_"):
        mode = (
            _mode(call, second) if name in ("io.open", "gzip.open", "h5py.File", "zipfile.ZipFile") else "r"
        )
        yield from _one(first, Use.WRITTEN if set(mode) & set("wax") else Use.READ)
    elif name in _WRITERS:
        yield from _one(first, Use.WRITTEN)
    elif isinstance(call.func, ast.Attribute) and not name:
        if call.func.attr in _READING_METHODS:
            yield from _one(first, Use.READ)
        elif call.func.attr in _WRITING_METHODS:
            yield from _one(first, Use.WRITTEN)


def _argument(call: ast.Call, place: int, constants: Mapping[str, str]) -> str | None:
    """The text of a positional argument, or of the keyword that stands for it."""
    if place < len(call.args):
        return _text(call.args[place], constants)
    names = ("file", "filename", "path", "filepath", "fname", "filepath_or_buffer", "name", "mode")
    given = next((keyword.value for keyword in call.keywords if keyword.arg in names), None)
    return _text(given, constants) if place == 0 else None


def _mode(call: ast.Call, second: str | None) -> str:
    given = next((keyword.value for keyword in call.keywords if keyword.arg == "mode"), None)
    return (_text(given, {}) if given is not None else second) or "r"


def _one(path: str | None, use: Use) -> Iterator[tuple[str, Use]]:
    if path is None or not path.strip() or any(mark in path for mark in "*?\n"):
        return
    yield path, Use.DOWNLOADED if _URL.match(path) else use


def _of_shell(source: str) -> Iterator[tuple[str, Use]]:
    """What the shell lines of a cell fetch or write."""
    for found in _SHELL.finditer(source):
        line = found["line"] or ""
        if found["written"]:
            yield found["written"], Use.WRITTEN
        elif _FETCH.search(line):
            named, address = _NAMED.search(line), _URL.search(line)
            path = named["name"] if named else address[0] if address else ""
            yield from _one(path, Use.DOWNLOADED)
        elif redirected := _REDIRECTED.search(line):
            yield redirected["name"], Use.WRITTEN
