from grader.model import CellRun, CellStatus
from grader.notebook.records import Output, OutputKind
from grader.report.cells import CELLS_SHOWN, OUTPUT_LIMIT, OUTPUTS_SHOWN, Allowance, view_cells


def only(views):
    (view,) = views
    return view


def test_equal_outputs_are_not_shown_twice(a_notebook, code, printed):
    saved = a_notebook(code("model", printed("<MLP object at 0x7f12ab>\n")))
    ours = a_notebook(code("model", printed("<MLP object at "), printed("0x7fffff>")))
    view = only(view_cells(saved, ours))
    assert view.is_same
    assert view.ours is None


def test_what_our_run_printed_otherwise_is_folded_below(a_notebook, code, printed):
    saved = a_notebook(code("score()", printed("0.95")))
    ours = a_notebook(code("score()", printed("0.88")))
    view = only(view_cells(saved, ours))
    assert [output.text.head for output in view.outputs] == ["0.95"]
    assert "differs" in view.ours.heading
    assert [output.text.head for output in view.ours.outputs] == ["0.88"]


def test_noise_on_the_error_stream_is_no_difference(a_notebook, code, printed):
    saved = a_notebook(code("f()", printed("1")))
    ours = a_notebook(code("f()", printed("1"), printed("WARNING: no GPU", is_stderr=True)))
    assert only(view_cells(saved, ours)).is_same


def test_a_cell_that_failed_in_our_run_says_with_what(a_notebook, code, printed):
    saved = a_notebook(code("f()", printed("fine")))
    error = Output(kind=OutputKind.ERROR, text="Traceback", error_name="NameError", error_value="f")
    runs = [CellRun(cell=1, status=CellStatus.FAILED, seconds=0.2, error="NameError: f")]
    view = only(view_cells(saved, a_notebook(code("f()", error)), runs))
    assert view.ours.is_trouble
    assert view.ours.heading == "This cell failed in our run: NameError: f"
    assert [output.kind for output in view.ours.outputs] == ["error"]


def test_a_cell_that_was_not_reached_says_so(a_notebook, code, printed):
    saved = a_notebook(code("f()", printed("fine")))
    runs = [CellRun(cell=1, status=CellStatus.NOT_RUN)]
    view = only(view_cells(saved, a_notebook(code("f()")), runs))
    assert "was not reached in our run" in view.ours.heading


def test_without_a_run_nothing_is_compared(a_notebook, code, printed):
    view = only(view_cells(a_notebook(code("f()", printed("fine"))), None))
    assert view.ours is None
    assert not view.is_same


def test_a_long_output_is_cut_with_its_last_lines_kept(a_notebook, code, printed):
    text = "".join(f"step {n}\n" for n in range(100_000)) + "Test accuracy: 0.95"
    (output,) = only(view_cells(a_notebook(code("train()", printed(text))), None)).outputs
    assert len(output.text.head) + len(output.text.tail) <= OUTPUT_LIMIT
    assert output.text.left_out > 0
    assert output.text.tail.endswith("Test accuracy: 0.95")


def test_a_thousand_pieces_of_one_stream_are_one_output(a_notebook, code, printed):
    cell = code("f()", *[printed(f"{n} ") for n in range(1_000)])
    assert len(only(view_cells(a_notebook(cell), None)).outputs) == 1


def test_ten_thousand_displays_are_cut_with_a_note(a_notebook, code):
    cell = code("f()", *[Output(kind=OutputKind.DISPLAY, text=str(n)) for n in range(10_000)])
    outputs = only(view_cells(a_notebook(cell), None)).outputs
    assert len(outputs) == OUTPUTS_SHOWN + 1
    assert outputs[-1].kind == "note"


def test_the_whole_page_has_an_allowance(a_notebook, code, printed):
    notebook = a_notebook(*[code("x" * 30_000, printed("y" * 30_000)) for _ in range(100)])
    views = list(view_cells(notebook, None, allowance=Allowance(source=50_000, text=20_000)))
    assert sum(len(view.body) for view in views) < 50_000 + 100 * 500
    assert sum(len(view.outputs[0].text.head + view.outputs[0].text.tail) for view in views) < 60_001


def test_a_hundred_thousand_cells_do_not_make_a_page_of_that_length(a_notebook, code):
    notebook = a_notebook(*[code("x") for _ in range(CELLS_SHOWN + 50)])
    assert len(list(view_cells(notebook, None))) == CELLS_SHOWN


def test_a_figure_with_forged_bytes_is_left_out_with_a_note(a_notebook, code, a_picture):
    def show(image):
        output = Output(kind=OutputKind.DISPLAY, image=image, image_type="image/png")
        return only(only(view_cells(a_notebook(code("plot()", output)), None)).outputs)

    assert show(a_picture()).kind == "figure"
    assert show("PHN2Zz48L3N2Zz4=").kind == "note"


def test_html_of_which_nothing_is_left_is_shown_as_its_text(a_notebook, code):
    output = Output(kind=OutputKind.DISPLAY, text="a chart", html="<script>draw()</script><div></div>")
    (shown,) = only(view_cells(a_notebook(code("chart()", output)), None)).outputs
    assert (shown.kind, shown.text.head) == ("text", "a chart")
