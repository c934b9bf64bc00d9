"""The tree of exceptions. Each carries one sentence for the person at the terminal, with the mend.

An expected failure of a hand-in is a value (`Rejected`, `RunStatus`, `Outcome`), never an exception:
what is raised here is bad configuration, bad usage, or broken machinery.
"""


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


class StoreError(GraderError):
    """The course's `.grader/` folder cannot be read or written."""
