"""Finished runs on disk: `run.json`, `executed.ipynb` and `facts.jsonl` below `.grader/runs/<key>/`."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat
from pydantic import ValidationError

from grader.errors import StoreError
from grader.model import Run, RunStatus
from grader.sandbox.wire import parse_facts

_MEND = "make it readable, or move it away to have it run again."


class RunStore:
    """Runs by key below `folder`. A run that was lost to our machinery is never stored, so never reused."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, key: str) -> Run | None:
        """The finished run under `key`, None when there is none or it cannot be read."""
        try:
            return Run.model_validate_json((self.folder / key / "run.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        except OSError as error:
            raise StoreError(
                f"The stored run {self.folder / key} cannot be read ({error.strerror}): {_MEND}"
            ) from error

    def holds(self, key: str) -> bool:
        """Whether there is a run under `key`, without reading it."""
        return (self.folder / key / "run.json").exists()

    def load_executed(self, key: str) -> bytes | None:
        """The executed notebook of `key` as it was written, None when there is none."""
        try:
            return (self.folder / key / "executed.ipynb").read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(
                f"The stored run {self.folder / key} cannot be read ({error.strerror}): {_MEND}"
            ) from error

    def load_facts(self, key: str) -> list[dict[str, Any]]:
        """The facts that the room of `key` sent, none when there is no such run."""
        try:
            return parse_facts((self.folder / key / "facts.jsonl").read_bytes())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(
                f"The stored run {self.folder / key} cannot be read ({error.strerror}): {_MEND}"
            ) from error

    def save(
        self, run: Run, executed: nbformat.NotebookNode, facts: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        """Store a finished run, its notebook and its facts: all or nothing. A lost run is not stored."""
        if run.status is RunStatus.LOST:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=self.folder))
            (draft / "executed.ipynb").write_text(nbformat.writes(executed, version=4), "utf-8", "replace")
            lines = "".join(json.dumps(fact) + "\n" for fact in facts)
            (draft / "facts.jsonl").write_text(lines, "utf-8", "replace")
            (draft / "run.json").write_text(run.model_dump_json(indent=1), "utf-8")
            draft.chmod(0o755)
            target = self.folder / run.key
            if target.exists():
                shutil.rmtree(target)
            draft.rename(target)
        except OSError as error:
            raise StoreError(
                f"The run cannot be stored below {self.folder} ({error.strerror}): free some space or make "
                "the folder writable; finished runs are kept, type the same command again."
            ) from error

    def sweep(self) -> None:
        """Remove drafts that a killed grading left behind."""
        for draft in self.folder.glob(".draft-*"):
            shutil.rmtree(draft, ignore_errors=True)
