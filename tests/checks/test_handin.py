from __future__ import annotations

from pathlib import Path

import pytest

from grader.checks.handin import names_given, outputs_saved
from grader.evidence.record import Evidence
from grader.model import Attachment, Outcome, Participant, Source, Submission
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind

SHA = "0" * 64


def evidence_of(
    *cells: tuple[str, str, str],
    participant: Participant | None = None,
    file_name: str = "a1.ipynb",
    online_text: str | None = None,
    attachments: tuple[Attachment, ...] = (),
) -> Evidence:
    """Evidence on a notebook of cells (kind, source, printed output)."""
    notebook = Notebook(
        cells=tuple(
            Cell(
                number=number,
                kind=CellKind(kind),
                source=source,
                outputs=(Output(kind=OutputKind.STREAM, text=printed),) if printed else (),
            )
            for number, (kind, source, printed) in enumerate(cells, start=1)
        )
    )
    submission = Submission(
        id="one",
        assignment="a1",
        participant=participant or Participant(id="101"),
        folder=Path("a1/one"),
        notebook=file_name,
        notebook_sha256=SHA,
        online_text=online_text,
        attachments=attachments,
    )
    return Evidence(schema=1, submission=submission, notebook=notebook, saved=read_outputs(notebook))


ADA = Participant(id="7", name="Ada Beispiel")


def test_missing_names_cost_nothing_under_blind_marking() -> None:
    evidence = evidence_of(("code", "x = 1", ""), participant=Participant(id="101", is_blind=True))
    assert names_given(evidence).outcome is Outcome.MET


@pytest.mark.parametrize(
    ("text", "participant"),
    [
        ("Group: Ada Beispiel, Bo Muster", Participant(id="1")),
        ("Group: Ada Beispiel, Bo Muster", ADA),
        ("handed in by beispiel, ada", ADA),
        ("a notebook of ADA BEISPIEL", ADA),
        ("Members: Bo Müller", Participant(id="1", name="Bo Mueller")),
        ("Members: Ada, Bo", ADA),
        ("Members: Ada Beispiel", Participant(id="3", name="Gruppe 5", is_group=True)),
    ],
)
def test_names_at_the_top_are_met(text: str, participant: Participant) -> None:
    verdict = names_given(evidence_of(("markdown", text, ""), ("code", "x", ""), participant=participant))
    assert verdict.outcome is Outcome.MET
    assert verdict.sources == (Source.SOURCE,)


def test_somebody_elses_name_needs_review() -> None:
    verdict = names_given(evidence_of(("markdown", "Name: Cy Anders", ""), participant=ADA))
    assert verdict.outcome is Outcome.NEEDS_REVIEW
    assert "Cy Anders" in verdict.reasons[0].text
    assert verdict.reasons[0].cell == 1


@pytest.mark.parametrize(
    "where", ["end", "file name", "text without names", "comment", "online", "attachment"]
)
def test_names_elsewhere_need_review(where: str) -> None:
    code = ("code", "x = 1", "")
    evidence = {
        "end": evidence_of(*[code] * 5, ("markdown", "Ada Beispiel", "")),
        "file name": evidence_of(code, participant=ADA, file_name="A1_Ada_Beispiel.ipynb"),
        "text without names": evidence_of(("markdown", "# Assignment 1", ""), code),
        "comment": evidence_of(("code", "# load\nx = 1", "")),
        "online": evidence_of(code, online_text="We are Ada and Bo"),
        "attachment": evidence_of(
            code, attachments=(Attachment(name="names.txt", size_bytes=1, sha256=SHA),)
        ),
    }[where]
    assert names_given(evidence).outcome is Outcome.NEEDS_REVIEW


def test_a_notebook_without_any_text_has_no_names() -> None:
    verdict = names_given(evidence_of(("code", "x = 1", ""), ("markdown", "  ", "")))
    assert verdict.outcome is Outcome.NOT_MET


def test_no_saved_output_at_all_is_not_met() -> None:
    verdict = outputs_saved(evidence_of(("code", "x = 1", ""), ("code", "y", "")))
    assert verdict.outcome is Outcome.NOT_MET
    assert "None of the 2 code cells" in verdict.reasons[0].text


def test_outputs_with_results_are_met() -> None:
    verdict = outputs_saved(evidence_of(("code", "x = 1", ""), ("code", "train()", "test accuracy: 0.95")))
    assert verdict.outcome is Outcome.MET
    assert verdict.reasons[0].cell == 2
    assert verdict.sources == (Source.SAVED,)


def test_a_figure_is_a_result() -> None:
    evidence = evidence_of(("code", "plt.show()", "<Figure>"))
    cell = evidence.notebook.cells[0]
    shown = Output(kind=OutputKind.DISPLAY, image="aGk=", image_type="image/png")
    notebook = Notebook(cells=(cell.model_copy(update={"outputs": (shown,)}),))
    evidence = evidence.model_copy(update={"notebook": notebook, "saved": read_outputs(notebook)})
    assert outputs_saved(evidence).outcome is Outcome.MET


@pytest.mark.parametrize(
    "cells", [[("code", "train()", "Model 1 start\nModel 1 end")], [("markdown", "hi", "")]]
)
def test_outputs_that_show_no_result_need_review(cells: list[tuple[str, str, str]]) -> None:
    assert outputs_saved(evidence_of(*cells)).outcome is Outcome.NEEDS_REVIEW


def test_bare_results_in_most_cells_are_outputs_that_show_something() -> None:
    assert outputs_saved(evidence_of(("code", "train()", "0.9397\n"))).outcome is Outcome.MET
    half_empty = [("code", "train()", "0.9397\n"), ("code", "x = 1", ""), ("code", "y = 2", "")]
    assert outputs_saved(evidence_of(*half_empty)).outcome is Outcome.NEEDS_REVIEW


def test_a_name_that_only_the_file_has_is_held_against_nobody() -> None:
    cells = [("markdown", "# Assignment 1\n\nNames: Alex Example, Sam Sample", "")]
    participant = Participant(id=None, name="mnist final 2")
    assert names_given(evidence_of(*cells, participant=participant)).outcome is Outcome.MET
