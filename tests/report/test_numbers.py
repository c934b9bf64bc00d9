from grader.notebook.records import Number, Quantity, Readings, Split
from grader.report.numbers import ROWS_SHOWN, accuracy_rows


def a_number(value, cell=3, split=Split.TEST, quantity=Quantity.ACCURACY):
    return Number(quantity=quantity, split=split, value=value, cell=cell)


def test_the_last_accuracy_of_a_cell_stands_beside_that_of_our_run():
    saved = Readings(numbers=(a_number(0.1), a_number(0.95)))
    (row,) = accuracy_rows(saved, Readings(numbers=(a_number(0.94),)))
    assert (row.cell, row.name, row.saved, row.rerun) == (3, "test accuracy", 0.95, 0.94)
    assert not row.is_far_apart


def test_a_large_gap_is_marked():
    (row,) = accuracy_rows(Readings(numbers=(a_number(0.99),)), Readings(numbers=(a_number(0.1),)))
    assert row.is_far_apart


def test_an_accuracy_on_one_side_only_is_listed_and_is_no_gap():
    (row,) = accuracy_rows(
        Readings(), Readings(numbers=(a_number(0.9), a_number(2.3, quantity=Quantity.LOSS)))
    )
    assert (row.saved, row.rerun, row.is_far_apart) == (None, 0.9, False)


def test_a_notebook_full_of_accuracies_does_not_fill_the_page():
    many = Readings(numbers=tuple(a_number(0.9, cell=n) for n in range(1, 500)))
    assert [row.cell for row in accuracy_rows(many, many)] == list(range(1, ROWS_SHOWN + 1))


def test_without_a_run_there_is_nothing_to_compare():
    assert accuracy_rows(Readings(numbers=(a_number(0.9),)), None) == []
