"""A student's own notebook: read where it lies, with those files beside it that its code names."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from grader.errors import UsageError
from grader.evidence.collect import collect
from grader.evidence.record import Evidence
from grader.intake.choice import is_notebook_name
from grader.intake.naming import unique_ids
from grader.model import Attachment, Participant, Submission
from grader.notebook.code import CodeIndex
from grader.notebook.opened import Use, opened_files
from grader.notebook.reading import read_notebook

_LARGEST_BYTES = 1024**3
_ANY = "own"  # it may be for any assignment: nothing that is collected depends on it


def read_own(path: Path) -> Evidence:
    """What can be known of the notebook at `path` without running it.

    Raises `UsageError` when there is no notebook at `path`, `NotebookError` when it cannot be read as one.
    """
    if not path.is_file() or not is_notebook_name(path.name):
        what = "is no notebook" if path.exists() else "does not exist"
        raise UsageError(f"{path} {what}: give the .ipynb file that you want to hand in.")
    path = path.absolute()
    try:
        data = path.read_bytes()
    except OSError as refusal:
        raise UsageError(f"{path} cannot be read ({refusal.strerror}): make it readable.") from refusal
    notebook = read_notebook(data)
    code = CodeIndex(notebook.code_cells)
    [name] = unique_ids([path.stem])
    submission = Submission(
        id=name,
        assignment=_ANY,
        participant=Participant(),
        folder=path.parent,
        notebook=path.name,
        notebook_sha256=hashlib.sha256(data).hexdigest(),
        attachments=_named_files(path.parent, code),
    )
    return collect(submission, notebook, None, None)


def _named_files(folder: Path, code: CodeIndex) -> tuple[Attachment, ...]:
    """The files below `folder` that the code opens or imports; others are nobody's business.

    What is opened by a path that leads elsewhere, to a drive or another folder, is looked for beside the
    notebook by its name.
    """
    names = [file.path for file in opened_files(code) if file.use is Use.READ]
    names += [f"{found.module}.py" for found in code.imports]
    found: dict[str, Attachment] = {}
    for name in dict.fromkeys(names):
        for path in _places(name):
            with contextlib.suppress(OSError):
                attachment = _attachment(folder / path, path.as_posix())
                if attachment is not None:
                    found.setdefault(attachment.name, attachment)
                    break
    return tuple(found.values())


def _places(name: str) -> list[PurePosixPath]:
    """Where below a folder the file may lie that code calls `name`, in Windows' way or any other's."""
    path = PureWindowsPath(name)
    inside = PurePosixPath(*path.parts)
    beside = [PurePosixPath(path.name)] if path.name else []
    return beside if path.anchor or ".." in path.parts else [inside, *beside]


def _attachment(path: Path, name: str) -> Attachment | None:
    """The file at `path`, None where there is none that could be handed in."""
    if not path.is_file() or path.stat().st_size > _LARGEST_BYTES:
        return None
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Attachment(name=name, size_bytes=path.stat().st_size, sha256=sha256)
