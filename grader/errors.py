"""The tree of exceptions. Each carries one sentence for the person at the terminal, with the mend.

An expected failure of a hand-in is a value (`Rejected`, `RunStatus`, `Outcome`), never an exception:
what is raised here is bad configuration, bad usage, or broken machinery. Anything else that is raised is a
bug: `trace_of` tells of it without quoting a hand-in.
"""

import traceback


class GraderError(Exception):
    """Base of all errors that a person can mend; `str(error)` is one sentence that says how."""


class UsageError(GraderError):
    """The command was given something it cannot work with (exit code 2)."""


class RubricError(GraderError):
    """A rubric that cannot be used; the sentence names file, line and the nearest right word."""


class NotebookError(GraderError):
    """A file that cannot be read as a notebook; the sentence is fit for the student."""


class DatasetError(GraderError):
    """A data set that is missing, damaged, or cannot be made."""


class SandboxError(GraderError):
    """The room cannot be built on this machine (no bubblewrap, no user namespaces)."""


class GpuError(SandboxError):
    """A GPU, or the library that tells of GPUs, cannot be used."""


class ProcessError(GraderError):
    """A process of ours that did a part of the work died."""


class StoreError(GraderError):
    """The course's `.grader/` folder cannot be read or written."""


def trace_of(bug: BaseException) -> str:
    """The kinds of a bug and of what caused it, and the lines of code it came through, one per line.

    Its message is left out: it may quote a hand-in, and logs hold no content of hand-ins.
    """
    lines: list[str] = []
    link: BaseException | None = bug
    while link is not None and len(lines) < 200:
        lines.append(f"{type(link).__module__}.{type(link).__qualname__}")
        frames = traceback.extract_tb(link.__traceback__)
        lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        link = link.__cause__ or link.__context__
    return "\n".join(lines)
