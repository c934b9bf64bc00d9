from grader.model import CellRun, CellStatus, DatasetOrigin, DatasetUse, Mend
from grader.report.comparing import compare
from grader.report.differences import view_differences


def view(an_evidence, run, saved, ours):
    return view_differences(compare(saved, ours, run.cells), an_evidence(saved, run))


def test_what_is_the_same_is_counted_and_what_differs_is_told_line_by_line(
    an_evidence, a_run, a_notebook, code, printed
):
    saved, ours = (
        a_notebook(code("f()", printed("same")), code("g()", printed(f"loss: {loss}"))) for loss in (0.5, 0.7)
    )
    shown = view(an_evidence, a_run(), saved, ours)
    (row,) = shown.rows
    assert (shown.same, shown.differing, row.cell, row.what) == (1, 1, 2, "The same text, with other numbers")
    assert [line.text for line in row.lines] == ["loss: 0.5", "loss: 0.7"]


def test_a_cell_that_failed_says_why_where_that_is_certain(an_evidence, a_run, a_notebook, code, printed):
    run = a_run(
        cells=(CellRun(cell=1, status=CellStatus.FAILED, error="NameError: name 'h' is not defined"),)
    )
    notebook = a_notebook(code("h @ w", printed("0.9")))
    (row,) = view(an_evidence, run, notebook, a_notebook(code("h @ w"))).rows
    assert row.is_trouble
    assert row.what == "The cell failed in our run: NameError: name 'h' is not defined"
    assert "earlier state of your session" in row.why


def test_why_two_runs_differ_is_told_as_far_as_it_holds(an_evidence, a_run, a_notebook, code, printed):
    saved, ours = (a_notebook(code("f()", printed(text))) for text in ("loss 1", "loss 2"))
    use = DatasetUse(name="mnist", origin=DatasetOrigin.STAND_IN, sha256="b" * 64)
    run = a_run(datasets=(use,), mends=(Mend(name="lr", text="x"),))
    told = " ".join(view(an_evidence, run, saved, ours).reasons)
    assert "seed 1234" in told
    assert "stand-in for MNIST" in told
    assert "mended" in told
    assert "replaced by copies" not in told
    assert "stand-in" not in " ".join(view(an_evidence, a_run(), saved, ours).reasons)


def test_when_nothing_differs_no_reason_is_given(an_evidence, a_run, a_notebook, code, printed):
    notebook = a_notebook(code("f()", printed("1")))
    shown = view(an_evidence, a_run(), notebook, notebook)
    assert (shown.same, shown.rows, shown.reasons) == (1, [], [])


def test_without_a_run_or_without_outputs_there_is_nothing_to_tell(
    an_evidence, a_run, a_notebook, code, printed
):
    notebook = a_notebook(code("f()", printed("1")))
    assert view_differences(compare(notebook, None), an_evidence(notebook)) is None
    assert view(an_evidence, a_run(), a_notebook(code("x")), a_notebook(code("x"))) is None


def test_hundreds_of_differing_cells_are_counted_and_few_are_laid_out(
    an_evidence, a_run, a_notebook, code, printed
):
    saved, ours = (a_notebook(*[code("f()", printed(f"loss {n}"))] * 200) for n in (1, 2))
    shown = view(an_evidence, a_run(), saved, ours)
    assert (shown.differing, len(shown.rows)) == (200, 40)
    assert sum(bool(row.lines) for row in shown.rows) == 12
