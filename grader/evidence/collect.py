"""Collecting: a hand-in, its notebook and its run → `Evidence`, and the store that keeps it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from grader.errors import StoreError
from grader.evidence.measured import Measured
from grader.evidence.observed import Observed, read_observed
from grader.evidence.own_traces import own_traces
from grader.evidence.record import Evidence
from grader.model import Run, Submission
from grader.notebook.code import CodeIndex
from grader.notebook.dataflow import read_code_facts
from grader.notebook.literals import shares_in
from grader.notebook.machinery import Reach, files_run, reaches_of_cells, reaches_of_file
from grader.notebook.outputs import read_outputs
from grader.notebook.prose import read_prose
from grader.notebook.records import Notebook
from grader.sources import sources_sha256

if TYPE_CHECKING:
    from grader.evidence.measuring import Key

_MODULE_BYTES = 1024**2
_NOTEBOOK_BYTES = 50 * 1024**2  # with its outputs
_MOST_UNTRAINED = 10  # models
_MOST_MODULES = 50


def collect(
    submission: Submission,
    notebook: Notebook,
    run: Run | None,
    executed: Notebook | None,
    facts: Iterable[Mapping[str, Any]] = (),
    keys: Mapping[str, Key] | None = None,
) -> Evidence:
    """The facts about one hand-in. `executed` is the notebook of `run`, None when nothing was run.

    `facts` are what the room of `run` sent; `keys` hold, by data set, the labels that its models'
    predictions are measured with.
    """
    observed, measured = (None, None) if run is None else observe(facts, keys or {})
    code = CodeIndex(notebook.code_cells)
    return Evidence(
        submission=submission,
        notebook=notebook,
        saved=read_outputs(notebook),
        run=run,
        rerun=None if executed is None else read_outputs(executed),
        observed=observed,
        measured=measured,
        code_facts=read_code_facts(code),
        text=read_prose(notebook),
        shares=shares_in(code),
        reaches=(*reaches_of_cells(notebook.code_cells), *_reaches_of_files(submission, code)),
        own_traces=own_traces(code, executed or notebook),
    )


def _reaches_of_files(submission: Submission, code: CodeIndex) -> Iterator[Reach]:
    """What the files beside the notebook reach into whose code may run: modules, and what `%run` names.

    Those that the notebook imports or runs come first. What is too large of these, or too much, is told of:
    nobody knows what it does. Of others it is passed over, and so is what cannot be read.
    """
    run, imported = files_run(code.cells), {found.module for found in code.imports}
    by_name = {file: PurePosixPath(file.name) for file in submission.attachments}
    used = [
        file
        for file, path in by_name.items()
        if path.name in run or (path.suffix == ".py" and not imported.isdisjoint((path.stem, path.parts[0])))
    ]
    others = [file for file, path in by_name.items() if path.suffix == ".py" and file not in used]
    looked_into = [*used, *others][:_MOST_MODULES]
    for file in dict.fromkeys([*used, *looked_into]):
        most = _NOTEBOOK_BYTES if file.name.endswith(".ipynb") else _MODULE_BYTES
        if file.size_bytes < most and file in looked_into:
            with contextlib.suppress(OSError):
                text = (submission.folder / file.name).read_text("utf-8", "replace")
                yield from reaches_of_file(file.name, text)
        elif file in used:
            yield Reach(what="code too large, or one file too many, to be looked into", file=file.name)


def observe(facts: Iterable[Mapping[str, Any]], keys: Mapping[str, Key]) -> tuple[Observed, Measured]:
    """What one run's room sent, and what is measured from it.

    Predictions and weights are not kept, nor models that no training belongs to, but for a few with
    connections past their layers.
    """
    from grader.evidence.measuring import measure  # late: NumPy, which only a run needs

    observed = read_observed(facts)
    trained = {training.model for training in observed.trainings}
    others = [model for model in observed.models if model.id not in trained and model.has_joins]
    few = {model.id for model in others[:_MOST_UNTRAINED]}
    models = tuple(model for model in observed.models if model.id in trained | few)
    kept = observed.model_copy(update={"predictions": (), "written": (), "models": models})
    return kept, measure(observed, keys)


@cache
def collector_sha256() -> str:
    """SHA-256 over what reads notebooks and collects: when that changes, evidence is collected anew."""
    here = Path(__file__).parent
    return sources_sha256([*here.glob("*.py"), *(here.parent / "notebook").rglob("*.py")])


class EvidenceStore:
    """Collected evidence below `folder`, by a key of everything it was collected from.

    What cannot be read, or was collected by another version, counts as not there: it is collected again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, submission: Submission, run_settings: str) -> str:
        """SHA-256 over the hand-in, the source of what collects, and `run_settings` of its run."""
        parts = [submission.model_dump_json(), collector_sha256(), run_settings]
        return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()

    def load(self, key: str) -> Evidence | None:
        """The evidence under `key`, None when it has to be collected."""
        try:
            return Evidence.model_validate_json((self.folder / f"{key}.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        except OSError as error:
            raise StoreError(
                f"Stored evidence cannot be read ({error.strerror}: {error.filename}): make it readable, or "
                "move it away to have it collected again."
            ) from error

    def holds(self, key: str) -> bool:
        """Whether there is evidence under `key`, readable or not."""
        return (self.folder / f"{key}.json").is_file()

    def sha256(self, key: str) -> str:
        """SHA-256 of what is stored under `key`; "" where nothing is, or it cannot be read."""
        try:
            return hashlib.sha256((self.folder / f"{key}.json").read_bytes()).hexdigest()
        except OSError:
            return ""

    def of(self, assignment: str, submission: str | None = None) -> Iterator[Evidence]:
        """All that is stored of an assignment, or of one hand-in of it, older evidence included."""
        names = [assignment] if submission is None else [assignment, submission]
        for file in sorted(self.folder.glob("*.json")):
            try:
                raw = file.read_bytes()
                if not all(f'"{name}"'.encode() in raw for name in names):
                    continue  # parsing is what takes long
                found = Evidence.model_validate_json(raw)
            except (OSError, ValidationError):
                continue
            if found.submission.assignment == assignment and submission in (None, found.submission.id):
                yield found

    def save(self, key: str, evidence: Evidence) -> None:
        """Keep `evidence`, atomically."""
        text = evidence.model_dump_json(by_alias=True)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(prefix=".draft-", dir=self.folder)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(draft).replace(self.folder / f"{key}.json")
        except OSError as error:
            raise StoreError(
                f"Evidence cannot be stored below {self.folder} ({error.strerror}): free some space or make "
                "the folder writable, then type the same command again."
            ) from error


class StoredEvidence(Mapping[str, Evidence]):
    """Evidence by the ids of hand-ins: `at_hand`, or read from `store` by its `keys` when it is asked for."""

    def __init__(self, store: EvidenceStore, keys: Mapping[str, str], at_hand: Iterable[Evidence]) -> None:
        self._store = store
        self._at_hand = {item.submission.id: item for item in at_hand}
        self._keys = {name: key for name, key in keys.items() if store.holds(key)}

    def __getitem__(self, submission: str) -> Evidence:
        if submission not in self._at_hand:
            found = self._store.load(self._keys[submission])
            if found is None:
                raise KeyError(submission)
            self._at_hand[submission] = found
        return self._at_hand[submission]

    def __contains__(self, submission: object) -> bool:
        return submission in self._at_hand or submission in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter({**self._at_hand, **self._keys})

    def __len__(self) -> int:
        return len({**self._at_hand, **self._keys})
