import pytest

from grader.model import CellRun, CellStatus
from grader.notebook.records import Output, OutputKind
from grader.report.comparing import Likeness, compare, printed_text, without_numbers


def display(**fields):
    return Output(kind=OutputKind.DISPLAY, **fields)


@pytest.mark.parametrize(
    ("saved", "ours", "likeness"),
    [
        ("0.95", "0.95\n", Likeness.SAME),
        ("<MLP object at 0x7f12ab>", "<MLP object  at 0x7fffff>", Likeness.SAME),
        ("loss 0.95 at 3", "loss 1e-3 at 3", Likeness.NUMBERS),
        ("loss 0.95", "cost 0.95", Likeness.OTHER),
        ("", "loss", Likeness.ONLY_OURS),
        ("loss", "", Likeness.ONLY_SAVED),
        ("", "", Likeness.NOTHING),
    ],
)
def test_printed_texts_are_told_apart(a_notebook, code, printed, saved, ours, likeness):
    (one,) = compare(a_notebook(code("f()", printed(saved))), a_notebook(code("f()", printed(ours))))
    assert one.likeness is likeness
    assert one.differs == (likeness not in (Likeness.SAME, Likeness.NOTHING))


def test_another_figure_beside_the_same_text_is_told(a_notebook, code, printed):
    saved, ours = (
        a_notebook(code("f()", printed("loss"), display(image=image))) for image in ("aaaa", "bbbb")
    )
    assert compare(saved, ours)[0].likeness is Likeness.FIGURES


def test_noise_on_the_error_stream_and_pieces_of_a_stream_are_no_difference(a_notebook, code, printed):
    ours = code("f()", printed("o"), printed("ne"), printed("WARNING: no GPU", is_stderr=True))
    (one,) = compare(a_notebook(code("f()", printed("one"))), a_notebook(ours))
    assert one.likeness is Likeness.SAME


def test_a_cell_that_failed_differs_whatever_it_printed(a_notebook, code, printed):
    notebook = a_notebook(code("f()", printed("1")))
    (one,) = compare(notebook, notebook, [CellRun(cell=1, status=CellStatus.FAILED)])
    assert one.has_trouble
    assert one.differs


def test_without_a_run_there_is_nothing_to_compare(a_notebook, code, printed):
    assert compare(a_notebook(code("f()", printed("1"))), None) == []


def test_what_is_printed_are_streams_displays_and_errors(printed):
    error = Output(kind=OutputKind.ERROR, text="Traceback …", error_name="NameError", error_value="x")
    outputs = (
        printed("a\n"),
        printed("noise", is_stderr=True),
        display(text="b"),
        display(image="aaaa"),
        error,
    )
    assert printed_text(outputs) == "a\nb\nNameError: x\n"


def test_numbers_are_taken_out_whole():
    assert without_numbers("step 10: -1.5e-03, 95.12%") == "step #: #, #%"
