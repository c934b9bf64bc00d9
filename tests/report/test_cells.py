from grader.model import CellRun, CellStatus
from grader.notebook.records import Output, OutputKind
from grader.report.cells import CELLS_SHOWN, view_cells
from grader.report.comparing import compare


def only(views):
    (view,) = views
    return view


def seen(saved, ours=None, runs=()):
    return view_cells(saved, compare(saved, ours, runs))


def test_equal_outputs_are_not_shown_twice(a_notebook, code, printed):
    view = only(seen(a_notebook(code("model", printed("1\n"))), a_notebook(code("model", printed("1")))))
    assert view.is_same
    assert view.ours is None


def test_what_our_run_printed_otherwise_is_folded_below(a_notebook, code, printed):
    view = only(seen(a_notebook(code("f()", printed("fine"))), a_notebook(code("f()", printed("other")))))
    assert [output.text.head for output in view.outputs] == ["fine"]
    assert "differs" in view.ours.heading
    assert [output.text.head for output in view.ours.outputs] == ["other"]


def test_a_cell_that_failed_in_our_run_says_with_what(a_notebook, code, printed):
    saved = a_notebook(code("f()", printed("fine")))
    error = Output(kind=OutputKind.ERROR, text="Traceback", error_name="NameError", error_value="f")
    runs = [CellRun(cell=1, status=CellStatus.FAILED, seconds=0.2, error="NameError: f")]
    view = only(seen(saved, a_notebook(code("f()", error)), runs))
    assert view.ours.is_trouble
    assert view.ours.heading == "This cell failed in our run: NameError: f"
    assert [output.kind for output in view.ours.outputs] == ["error"]


def test_a_cell_that_was_not_reached_says_so(a_notebook, code, printed):
    saved = a_notebook(code("f()", printed("fine")))
    view = only(seen(saved, a_notebook(code("f()")), [CellRun(cell=1, status=CellStatus.NOT_RUN)]))
    assert "was not reached in our run" in view.ours.heading


def test_without_a_run_nothing_is_compared(a_notebook, code, printed):
    view = only(seen(a_notebook(code("f()", printed("fine")))))
    assert view.ours is None
    assert not view.is_same


def test_a_cell_names_the_criteria_that_speak_of_it(a_notebook, code):
    first, second = view_cells(a_notebook(code("x"), code("y")), criteria={2: [3, 5]})
    assert (first.criteria, second.criteria) == ((), [3, 5])


def test_long_cells_give_way_and_short_ones_stay_whole(a_notebook, code, markdown):
    answer = markdown("The answer stands at the end.")
    views = seen(a_notebook(*[code("x = 1  # why\n" * 1_500) for _ in range(30)], answer))
    assert sum(len(view.body) for view in views) <= 200_000
    assert all(len(view.body) + view.left_out == 1_500 * 13 for view in views[:-1])
    assert "The answer stands at the end." in views[-1].body


def test_code_too_long_in_colour_is_shown_whole_without(a_notebook, code):
    source = "x=1;" * 4_500
    view = only(view_cells(a_notebook(code(source)), room=40_000))
    assert view.body == source
    assert view.left_out == 0


def test_markdown_too_long_for_the_page_is_cut_and_says_so(a_notebook, markdown):
    views = seen(a_notebook(*[markdown("*a* " * 5_000) for _ in range(20)]))
    assert sum(len(view.body) for view in views) <= 200_000
    assert all("characters left out" in view.body or view.left_out for view in views)


def test_a_hundred_thousand_cells_do_not_make_a_page_of_that_length(a_notebook, code):
    notebook = a_notebook(*[code("x") for _ in range(CELLS_SHOWN + 50)])
    assert len(view_cells(notebook)) == CELLS_SHOWN
