"""From a hand-in's notebook, a run's notebook and a room's facts to grade and pages: no stage stops."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.strategies import EXAMPLES, REPOSITORY, TEXTS, as_file, fuzzed, in_time, notebooks
from fuzz.test_facts import FACTS, KEYS
from grader.assess import assess
from grader.datasets.finding import dataset_names
from grader.errors import NotebookError
from grader.evidence.collect import collect
from grader.evidence.record import Evidence
from grader.model import (
    Attachment,
    CellRun,
    CellStatus,
    Limits,
    Participant,
    Run,
    RunStatus,
    Submission,
)
from grader.notebook.reading import notebook_from_node, read_notebook
from grader.report.grade_file import grade_json
from grader.report.pages import render_class, render_submission
from grader.report.sanitise import sanitise_html, sanitise_markdown
from grader.report.table import gradebook_csv
from grader.rubric import read_rubric
from grader.sandbox.wire import parse_facts

RUBRIC = read_rubric(REPOSITORY / "rubrics" / "a1.yaml", datasets=dataset_names())
CLEAN = TEXTS.map(lambda text: text.encode("utf-8", "replace").decode())


@st.composite
def collected(draw: st.DrawFn) -> Evidence | None:
    """Evidence on a mutated hand-in; None where its notebook is refused."""
    try:
        notebook = read_notebook(as_file(draw(notebooks())))
        executed = notebook_from_node(nbformat.from_dict(draw(notebooks())))
    except NotebookError:
        return None
    facts = parse_facts("\n".join(json.dumps(fact) for fact in draw(st.lists(FACTS, max_size=8))).encode())
    submission = Submission(
        id="Participant_1",
        assignment="a1",
        participant=Participant(id="1", name=draw(CLEAN)),
        folder=Path("one"),
        notebook=f"{draw(CLEAN)}.ipynb",
        notebook_sha256="0" * 64,
        attachments=(
            Attachment(
                name="x" + draw(CLEAN).replace("/", "").replace("..", ""), size_bytes=1, sha256="0" * 64
            ),
        ),
        online_text=draw(CLEAN),
        remarks=(draw(CLEAN),),
    )
    cells = tuple(
        CellRun(cell=cell.number, status=draw(st.sampled_from(CellStatus)), error=draw(st.none() | CLEAN))
        for cell in notebook.code_cells
    )
    run = Run(key="0" * 64, status=draw(st.sampled_from(RunStatus)), cells=cells, seed=1, limits=Limits())
    return collect(submission, notebook, run, executed, facts, KEYS)


@settings(fuzzed, max_examples=max(50, EXAMPLES // 10))
@given(collected())
def test_whatever_was_collected_is_judged_and_shown(evidence: Evidence | None) -> None:
    if evidence is None:
        return
    stored = Evidence.model_validate_json(evidence.model_dump_json(by_alias=True))
    assert stored.code_facts == evidence.code_facts
    grade = in_time(assess, evidence, RUBRIC)
    texts = [reason.text for one in grade.criteria for reason in one.verdict.reasons]
    assert [text for text in texts if text.startswith("A fault in the grader")] == []
    assert in_time(assess, stored, RUBRIC) == grade
    page = render_submission(grade, evidence, evidence.notebook, rubric_title="A title")
    assert "<script" not in page
    class_page = render_class([grade], [], {}, title="A title")
    assert class_page.count("<script") == render_class([], [], {}, title="A title").count("<script")
    assert json.dumps(grade_json(grade), ensure_ascii=False).encode("utf-8", "replace")
    assert gradebook_csv([grade], []).count("\n") >= 2


@fuzzed
@given(TEXTS)
def test_markup_is_made_inert_in_time(text: str) -> None:
    for sanitise in (sanitise_html, sanitise_markdown):
        markup = str(in_time(sanitise, text))
        assert "<script" not in markup.lower()
        assert "javascript:" not in markup.lower().replace("&#58;", ":") or "href" not in markup.lower()
