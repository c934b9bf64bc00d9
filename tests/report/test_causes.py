import pytest

from grader.model import CellRun, CellStatus
from grader.report.causes import cause_of


def cause(a_notebook, code, error, *sources, failed=2, missing=(), unwell=()):
    cells = a_notebook(*[code(source) for source in sources]).code_cells
    run = CellRun(cell=failed, status=CellStatus.FAILED, error=error)
    runs = [run, *(CellRun(cell=cell, status=CellStatus.FAILED) for cell in unwell)]
    return cause_of(run, cells, runs, missing)


NO_NAME = "NameError: name 'h_1' is not defined"


def test_a_name_that_no_cell_sets_came_from_the_session(a_notebook, code):
    sentence = cause(a_notebook, code, NO_NAME, "x = 1", "h_1 @ w")
    assert sentence.startswith("No cell of the notebook sets `h_1`")


def test_a_name_that_is_set_further_down_tells_of_another_order(a_notebook, code):
    assert "only further down, in cell 3" in cause(a_notebook, code, NO_NAME, "x = 1", "h_1", "h_1 = 2")


@pytest.mark.parametrize(
    "setter", ["h_1 = f()", "ℎ_1 = f()", "def h_1(): pass", "import h_1", "for h_1 in x: pass"]
)
def test_a_name_whose_cell_failed_points_there(a_notebook, code, setter):
    sentence = cause(a_notebook, code, NO_NAME, setter, "h_1", unwell=(1,))
    assert sentence == "`h_1` is set in cell 1, which did not run to its end."


def test_a_name_that_should_be_there_is_not_explained(a_notebook, code):
    assert cause(a_notebook, code, NO_NAME, "h_1 = 1", "h_1") == ""


def test_a_library_that_we_lack_is_our_fault_and_a_file_that_is_missing_is_named(a_notebook, code):
    error = "ModuleNotFoundError: No module named 'torch.nn'"
    assert "our fault" in cause(a_notebook, code, error, "", "", missing=("torch",))
    assert cause(a_notebook, code, error, "", "") == "No file that could be imported as torch was handed in."
    assert "not among those" in cause(a_notebook, code, "FileNotFoundError: data.csv", "", "")


def test_any_other_error_speaks_for_itself(a_notebook, code):
    assert cause(a_notebook, code, "ValueError: shapes", "", "") == ""
