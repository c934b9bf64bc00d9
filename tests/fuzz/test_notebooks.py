from __future__ import annotations

from pathlib import Path

import nbformat
from hypothesis import given
from hypothesis import strategies as st

from fuzz.strategies import (
    ODD_JSON,
    PROGRAMS,
    TEXTS,
    as_file,
    fuzzed,
    in_time,
    in_time_or_refused,
    notebooks,
)
from grader.errors import NotebookError
from grader.intake.choice import look_at
from grader.intake.walking import FoundFile
from grader.notebook.answering import find_answer, text_beside
from grader.notebook.code import CodeIndex
from grader.notebook.dataflow import read_code_facts
from grader.notebook.names import find_names
from grader.notebook.outputs import read_outputs
from grader.notebook.prose import read_prose
from grader.notebook.reading import notebook_from_node, read_notebook
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind

QUESTION = "Why does initialising the variables to 0 not work? Explain it. Which parts should be wrapped?"
WORDS = ("zero", "initialise", "weights", "symmetry", "wrapped", "interface")


def a_cell(source: str, kind: CellKind = CellKind.CODE, *outputs: Output) -> Cell:
    return Cell(number=1, kind=kind, source=source, outputs=outputs)


def encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def kept(record):
    """A record as it comes back from the store."""
    return type(record).model_validate_json(record.model_dump_json())


@fuzzed
@given(
    notebooks().map(as_file)
    | ODD_JSON.map(as_file)
    | st.binary(max_size=300)
    | TEXTS.map(lambda t: t.encode("utf-8", "replace"))
)
def test_files_are_read_or_refused_in_a_sentence(data: bytes) -> None:
    outcome = in_time_or_refused(NotebookError, read_notebook, data)
    assert outcome.endswith(".") if isinstance(outcome, str) else kept(outcome) == outcome


@fuzzed
@given(notebooks())
def test_notebooks_as_a_run_leaves_them_are_read(notebook) -> None:
    outcome = in_time_or_refused(NotebookError, notebook_from_node, nbformat.from_dict(notebook))
    assert isinstance(outcome, str) or kept(outcome) == outcome


@fuzzed
@given(notebooks().map(as_file) | ODD_JSON.map(as_file) | st.binary(max_size=300))
def test_candidates_are_looked_at(tmp_path_factory, data: bytes) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "candidate.ipynb"
    path.write_bytes(data)
    candidate = in_time(look_at, FoundFile(name="x.ipynb", path=path, size_bytes=len(data)))
    assert candidate.fault is None or candidate.fault.endswith(".")


@fuzzed
@given(st.lists(PROGRAMS, min_size=1, max_size=3))
def test_code_is_read(sources: list[str]) -> None:
    cells = [Cell(number=n, kind=CellKind.CODE, source=encodable(s)) for n, s in enumerate(sources, 1)]
    facts = in_time(lambda: read_code_facts(CodeIndex(cells)))
    assert not [entry.text for entry in facts.unresolved if "reading the code failed" in entry.text]
    assert not [entry.text for entry in facts.unresolved if "was not understood (" in entry.text]
    assert kept(facts) == facts
    index = CodeIndex(cells)
    assert in_time(lambda: (index.imports, index.occurrences, index.uses("tf.nn"))) is not None


@fuzzed
@given(st.lists(TEXTS, min_size=1, max_size=3), PROGRAMS)
def test_texts_are_read_and_answers_found(texts: list[str], code: str) -> None:
    cells = [Cell(number=n, kind=CellKind.MARKDOWN, source=encodable(t)) for n, t in enumerate(texts, 1)]
    notebook = Notebook(cells=(*cells, Cell(number=9, kind=CellKind.CODE, source=encodable(code))))
    prose = in_time(read_prose, notebook)
    assert kept(prose) == prose
    in_time(find_answer, prose, question_words=WORDS, question=QUESTION)
    in_time(text_beside, prose, QUESTION)
    in_time(find_names, notebook)


OUTPUTS = st.builds(
    Output,
    kind=st.sampled_from(OutputKind),
    text=TEXTS.map(encodable),
    is_stderr=st.booleans(),
    error_value=st.none() | TEXTS.map(encodable),
)


@fuzzed
@given(PROGRAMS.map(encodable), st.lists(OUTPUTS, max_size=3))
def test_outputs_are_read(source: str, outputs: list[Output]) -> None:
    readings = in_time(read_outputs, Notebook(cells=(a_cell(source, CellKind.CODE, *outputs),)))
    assert kept(readings) == readings
