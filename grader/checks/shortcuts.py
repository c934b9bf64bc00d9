"""Shortcuts: ways to right predictions besides a training, as far as the code shows them.

They are flags for the TA and move no points: an honest notebook may load a file, too.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from grader.checks.written import LARGE_BYTES, data_written_out
from grader.evidence.record import Evidence
from grader.model import Attachment
from grader.notebook.code import CodeIndex

_LOADERS = (
    *("np.load", "np.loadtxt", "np.genfromtxt", "np.fromfile", "np.memmap", "pickle.load", "pickle.loads"),
    *("dill.load", "joblib.load", "json.load", "h5py.File", "scipy.io.loadmat", "torch.load"),
    *("pandas.read_pickle", "pandas.read_csv", "pandas.read_parquet", "tf.keras.models.load_model"),
    *("tf.saved_model.load", "tf.train.load_checkpoint", "tf.io.read_file", "tf.io.gfile.GFile"),
)
_LOADING_METHODS = frozenset({"load_weights", "load_model", "restore", "read_bytes", "load_state_dict"})
_SAVERS = (
    *("np.save", "np.savez", "np.savez_compressed", "np.savetxt", "pickle.dump", "joblib.dump", "json.dump"),
    *("tf.keras.models.save_model", "tf.saved_model.save", "torch.save"),
)
_SAVING_METHODS = frozenset({"save", "save_weights", "write", "dump", "tofile"})
_WEIGHTS = frozenset(
    {
        ".npy",
        ".npz",
        ".pkl",
        ".pickle",
        ".joblib",
        ".h5",
        ".hdf5",
        ".keras",
        ".pb",
        ".index",
        ".ckpt",
        ".mat",
        ".pt",
    }
)
_NEIGHBOURS = ("sklearn.neighbors", "scipy.spatial", "faiss", "annoy")
_NEAREST = (
    "np.argmin",
    "tf.argmin",
    "tf.math.argmin",
    "np.argsort",
    "tf.argsort",
    "tf.math.top_k",
    "tf.nn.top_k",
)
_NORMS = frozenset({"square", "squared_difference", "norm", "abs", "power", "pow", "cdist"})
_HASHES = ("hashlib", "zlib.crc32", "zlib.adler32", "binascii.crc32")
_PLACES = frozenset({"where", "nonzero", "flatnonzero", "argwhere", "argmax"})


class _Call(NamedTuple):
    """A call, the cell it stands in, and what it calls as a reader would write it."""

    cell: int
    node: ast.Call
    how: str


def flags_of_shortcuts(evidence: Evidence) -> Iterator[str]:
    """Sentences on data written out in the code, files loaded, nearest neighbours and look-up tables."""
    code = evidence.code
    size, cell = data_written_out(code)
    if size > LARGE_BYTES:
        yield (
            f"The code holds {size / 1000:.0f} kB of data written out as text or numbers, most of it in "
            f"cell {cell}: see whether that is a trained model or a table of answers."
        )
    yield from _loaded_files(code, evidence.submission.attachments)
    yield from _large_modules(code, evidence.submission.attachments)
    for cell, how in _nearest_neighbours(code):
        yield f"Cell {cell} looks for what is nearest ({how}): see that it is a network that classifies."
    for cell, how in _look_ups(code):
        yield f"Cell {cell} finds things by their very content ({how}): see that no answers are looked up."
    for cell, name in _held_against_themselves(code):
        yield f"Cell {cell} holds `{name}` against itself: what comes of that is no accuracy of a model."


# Files loaded -----------------------------------------------------------------------------------------


def _loaded_files(code: CodeIndex, attachments: Sequence[Attachment]) -> Iterator[str]:
    """What is loaded of the files that were handed in; those that the notebook itself writes are its own."""
    if not attachments:
        return
    loads = list(_calls(code, _LOADERS, _LOADING_METHODS))
    saved = {name for call in _calls(code, _SAVERS, _SAVING_METHODS) for name in _strings(call.node)}
    named = [(load, name) for load in loads for name in _strings(load.node)]
    told = set()
    for load, name in named:
        found = next((file.name for file in attachments if _names(name, file)), None)
        if found is not None and name not in saved and found not in told:
            told.add(found)
            yield (
                f"Cell {load.cell} loads `{found}`, a file handed in beside the notebook ({load.how}): see "
                "whether trained weights or answers come from it."
            )
    weights = [file.name for file in attachments if PurePosixPath(file.name).suffix.lower() in _WEIGHTS]
    unnamed = [load for load in loads if not _strings(load.node)]
    if unnamed and not told and weights:
        yield (
            f"Cell {unnamed[0].cell} loads a file ({unnamed[0].how}), and `{weights[0]}` was handed in "
            "beside the notebook: see whether trained weights or answers come from it."
        )


def _large_modules(code: CodeIndex, attachments: Iterable[Attachment]) -> Iterator[str]:
    """Modules handed in, and imported, that are larger than code is."""
    modules = {f"{found.module}.py" for found in code.imports}
    for file in attachments:
        if PurePosixPath(file.name).name in modules and file.size_bytes > LARGE_BYTES:
            yield (
                f"The notebook imports `{file.name}`, handed in beside it, which has "
                f"{file.size_bytes / 1000:.0f} kB: see whether it holds a trained model or answers."
            )


def _calls(code: CodeIndex, functions: tuple[str, ...], methods: frozenset[str]) -> Iterator[_Call]:
    """Calls of the library functions, and of methods by their names, in order of cells."""
    known = {id(node): _Call(cell, node, name) for name in functions for cell, node in code.calls(name)}
    for cell, node in code.nodes:
        if not isinstance(node, ast.Call):
            continue
        if id(node) in known:
            yield known[id(node)]
        elif isinstance(node.func, ast.Attribute) and node.func.attr in methods:
            yield _Call(cell, node, node.func.attr)


def _strings(call: ast.Call) -> list[str]:
    """The strings in a call's arguments that may name a file."""
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    found = [
        node.value for argument in arguments for node in ast.walk(argument) if isinstance(node, ast.Constant)
    ]
    return [text for text in found if isinstance(text, str) and len(text) > 2]


def _names(text: str, file: Attachment) -> bool:
    """Whether a string names an attachment: by its file name, its folder, or as a checkpoint's stem."""
    wanted, path = PurePosixPath(text.replace("\\", "/")).name, PurePosixPath(file.name)
    return bool(wanted) and (
        path.name == wanted or path.name.startswith(f"{wanted}.") or wanted in path.parts[:-1]
    )


# Nearest neighbours and look-ups ----------------------------------------------------------------------


def _nearest_neighbours(code: CodeIndex) -> Iterator[tuple[int, str]]:
    """Where the nearest image is looked for, and with what; one place is enough."""
    for library in _NEIGHBOURS:
        for use in code.uses(library)[:1]:
            yield use.cell, use.name
            return
    assigned = _assigned(code)
    for name in _NEAREST:
        for cell, call in code.calls(name):
            if call.args and _is_distance(call.args[0], assigned[cell]):
                yield cell, name
                return


def _is_distance(node: ast.expr, assigned: Sequence[tuple[str, ast.expr]]) -> bool:
    """Whether a value is made of differences and squares; a name stands for all that the cell gives it."""
    names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    values = [node, *(value for name, value in assigned if name in names)]
    inner = [part for value in values for part in ast.walk(value)]
    is_difference = any(isinstance(part, ast.BinOp) and isinstance(part.op, ast.Sub) for part in inner)
    is_squared = any(isinstance(part, ast.BinOp) and isinstance(part.op, ast.Pow) for part in inner)
    called = {name for part in inner if isinstance(part, ast.Call) and (name := _last_name(part.func))}
    return (is_difference and (is_squared or bool(called & _NORMS))) or bool(
        called & {"cdist", "squared_difference"}
    )


def _assigned(code: CodeIndex) -> dict[int, list[tuple[str, ast.expr]]]:
    """By cell: the names that it sets, each with what it is set to."""
    assigned: dict[int, list[tuple[str, ast.expr]]] = {cell: [] for cell in code.trees}
    for cell, node in code.nodes:
        if isinstance(node, ast.Assign):
            assigned[cell] += ((to.id, node.value) for to in node.targets if isinstance(to, ast.Name))
    return assigned


def _last_name(function: ast.expr) -> str:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _look_ups(code: CodeIndex) -> Iterator[tuple[int, str]]:
    """Where bytes or hashes of things are taken, or an equal image is looked for; one place is enough."""
    for library in _HASHES:
        for use in code.uses(library)[:1]:
            yield use.cell, use.name
            return
    for cell, node in code.nodes:
        if how := _key_of_an_image(node) or _equal_image(node):
            yield cell, how
            return


def _key_of_an_image(node: ast.AST) -> str:
    """How something is turned into what a dictionary can be asked with, "" when it is not."""
    match node:
        case (
            ast.Call(func=ast.Attribute(attr=("tobytes" | "tostring") as name))
            | ast.Call(func=ast.Name(id="hash" as name))
        ):
            return name
    return ""


def _equal_image(node: ast.AST) -> str:
    """How the place is looked for where all pixels are equal, "" when it is not."""
    match node:
        case ast.Subscript(slice=ast.expr() as place):
            where: list[ast.AST] = [place]
        case ast.Call() if _last_name(node.func) in _PLACES:
            where = [node]
        case _:
            return ""
    for inner in (part for top in where for part in ast.walk(top)):
        if (
            isinstance(inner, ast.Call)
            and _last_name(inner.func) in ("all", "reduce_all")
            and _compares(inner)
        ):
            return _last_name(inner.func)
    return ""


def _compares(call: ast.Call) -> bool:
    return any(
        (isinstance(inner, ast.Compare) and isinstance(inner.ops[0], ast.Eq))
        or (isinstance(inner, ast.Call) and _last_name(inner.func) == "equal")
        for inner in ast.walk(call)
    )


def _held_against_themselves(code: CodeIndex) -> Iterator[tuple[int, str]]:
    """Where `==` or `equal` compares something with what is made of it; one place is enough."""
    assigned = _assigned(code)
    for cell, node in code.nodes:
        match node:
            case ast.Compare(left=first, ops=[ast.Eq()], comparators=[second]):
                pass
            case ast.Call(args=[first, second]) if _last_name(node.func) == "equal":
                pass
            case _:
                continue
        names = [_made_of(side, assigned[cell], code.imported.keys()) for side in (first, second)]
        if names[0] & names[1]:
            yield cell, min(names[0] & names[1])
            return


def _made_of(
    node: ast.expr, assigned: Sequence[tuple[str, ast.expr]], libraries: Collection[str]
) -> set[str]:
    """The names that a value is made of by functions of libraries alone; none when others are at work."""
    names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}.difference(libraries)
    values = [node, *(value for name, value in assigned if name in names)]
    parts = [part for value in values for part in ast.walk(value)]
    for part in parts:
        match part:
            case ast.BinOp(op=ast.MatMult()) | ast.Attribute(attr="shape" | "size" | "ndim" | "dtype"):
                return set()
            case ast.Call(func=ast.Name(id=name)) if name not in libraries:
                return set()
    return {part.id for part in parts if isinstance(part, ast.Name)}.difference(libraries)
