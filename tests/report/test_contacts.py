"""A report shows nobody's matriculation number and nobody's address, wherever in the hand-in they stand."""

from __future__ import annotations

import pytest
from bounded import bounded
from hypothesis import given
from hypothesis import strategies as st

from grader.evidence.record import Evidence
from grader.model import Participant, Submission
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind, Readings
from grader.report.contacts import (
    ADDRESS_LEFT_OUT,
    EMAIL,
    MATRICULATION,
    NUMBER_LEFT_OUT,
    ContactsLeftOut,
    labelled_left_out,
    within,
)


def evidence_of(top: str, printed: str = "", file: str = "work.ipynb") -> Evidence:
    output = Output(kind=OutputKind.STREAM, text=printed)
    cells = (
        Cell(number=1, kind=CellKind.MARKDOWN, source=top),
        Cell(number=2, kind=CellKind.CODE, source="print(1)", outputs=(output,)),
    )
    submission = Submission(
        id="x",
        assignment="a1",
        participant=Participant(id="101", name="Ada Beispiel"),
        folder="x",
        notebook=file,
        notebook_sha256="0" * 64,
    )
    return Evidence(submission=submission, notebook=Notebook(cells=cells), saved=Readings())


@pytest.mark.parametrize(
    "top",
    [
        "Ada Beispiel 234567, Bo Muster 345678",
        "Names: Ada Beispiel (234567), Bo Muster (345678)",
        "Ada Beispiel, Matr.-Nr. 234567\n\nBo Muster, Matr.-Nr. 345678",
        "Ada Beispiel\n234567\n\nBo Muster\n345678",
        "| Name | Matrikelnummer |\n|---|---|\n| Ada Beispiel | 234567 |\n| Bo Muster | 345678 |",
        "Names: Ada Beispiel, Bo Muster\n234567, 345678",
    ],
)
def test_numbers_beside_names_are_left_out_everywhere(top):
    evidence = evidence_of(f"# Assignment 1\n\n{top}", "seed 345678", "a1_234567.ipynb")
    shown = ContactsLeftOut(evidence).evidence(evidence).model_dump_json()
    assert "234567" not in shown
    assert "345678" not in shown
    assert "Bo Muster" in shown


@pytest.mark.parametrize(
    "address",
    ["bo.muster@st.example.org", "bo.muster [at] st.example.org", "bo&#64;example.org", "Bo＠example.org"],
)
def test_addresses_are_left_out_of_text_and_outputs(address):
    evidence = evidence_of(f"Ada Beispiel, Bo Muster\n{address}", f"sent to {address}!")
    shown = ContactsLeftOut(evidence).evidence(evidence).model_dump_json()
    assert "example.org" not in shown
    assert "sent to [address]!" in shown


def test_figures_of_the_work_stay():
    evidence = evidence_of("Names: Ada Beispiel 234567", "60000 images, 12345 steps, accuracy 0.97")
    shown = ContactsLeftOut(evidence).evidence(evidence)
    assert shown.notebook.cells[1].outputs[0].text == "60000 images, 12345 steps, accuracy 0.97"


@pytest.mark.parametrize(
    "code",
    [
        "x@w.T",
        "images@weights.kernel + b",
        "x@self.w1",
        "tf.nn.relu(x@W1.value())",
        "x@model.layers[0].kernel",
    ],
)
def test_a_product_of_matrices_is_no_address(code):
    assert labelled_left_out(code) == code


@given(st.text(alphabet="a.@-+1 [(at\n", max_size=300))
def test_leaving_out_twice_is_leaving_out_once(text):
    once = labelled_left_out(text)
    assert labelled_left_out(once) == once


@given(st.text(alphabet="aAtT.@＠-+&#64; [({)\nmMrR12:comEDU", max_size=200))
def test_texts_that_are_passed_over_hold_nothing_to_leave_out(text):
    sought = EMAIL.sub(ADDRESS_LEFT_OUT, text)
    assert labelled_left_out(text) == MATRICULATION.sub(rf"\1{NUMBER_LEFT_OUT}", sought)


@pytest.mark.parametrize("told", ["Bo Muster 345678", "Bo Muster, bo@example.org", "Bo Muster"])
def test_a_record_is_changed_as_what_it_says_is_and_nothing_derived_from_the_old_text_stays(told):
    evidence = evidence_of(f"Ada Beispiel, {told}", f"1 / 0 # {told}")
    assert evidence.names.top
    assert evidence.code.cells
    contacts = ContactsLeftOut(evidence)
    shown = contacts.record(evidence)
    anew = Evidence.model_validate(within(evidence.model_dump(by_alias=True), contacts.text))
    assert shown.model_dump_json(by_alias=True) == anew.model_dump_json(by_alias=True)
    assert shown.names == anew.names
    assert (shown is evidence) == (told == "Bo Muster")


def test_hostile_text_is_read_in_no_time():
    with bounded():
        labelled_left_out("a.+-" * 50_000 + "@" * 50_000 + "matr" * 50_000)
