"""References: what is read, how edits are applied, and what is said about wrong ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grader.datasets.finding import dataset_names
from grader.errors import RubricError
from grader.model import Outcome
from grader.references import (
    Expected,
    Reference,
    is_reference,
    notebook_of,
    read_reference,
    source_of,
    with_outputs_of,
)
from grader.rubric import read_rubric

REPOSITORY = Path(__file__).resolve().parents[1]
CRITERIA = ("names", "accuracy", "question")


def code(source: str, *printed: str) -> dict[str, Any]:
    outputs = [{"output_type": "stream", "name": "stdout", "text": [text]} for text in printed]
    return {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "execution_count": 1,
        "outputs": outputs,
        "source": source.splitlines(keepends=True),
    }


def text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "b", "metadata": {}, "source": source}


def a_notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def a1(tmp_path: Path) -> Path:
    """`reference_solutions/a1` of a course, with a solution of three cells."""
    (tmp_path / "rubrics").mkdir()
    folder = tmp_path / "reference_solutions" / "a1"
    for inner in ("variants", "mutants"):
        (folder / inner).mkdir(parents=True)
    solution = a_notebook(text("# Robin"), code("STEPS = 700  # many\nx = 1", "1\n"), code("print(x)", "2\n"))
    (folder / "solution.ipynb").write_text(json.dumps(solution), "utf-8")
    return folder


def a_mutant(folder: Path, yaml: str, name: str = "broken.yaml") -> Path:
    path = folder / "mutants" / name
    path.write_text(yaml, "utf-8")
    return path


def edited(folder: Path, edits: str) -> list[str]:
    """The sources of the solution's cells after `edits`, lines of YAML."""
    path = a_mutant(folder, f"title: One\nedits:\n{edits}\n")
    notebook = notebook_of(read_reference(path, CRITERIA), is_quick=False)
    return [source_of(cell) for cell in notebook["cells"]]


# Which files are references ---------------------------------------------------------------------------


def test_references_are_told_by_their_place(a1):
    assert is_reference(a1 / "solution.ipynb")
    assert is_reference(a1 / "variants" / "class.ipynb")
    assert is_reference(a1 / "controls" / "demo.ipynb")
    assert is_reference(a1 / "mutants" / "zeros.yaml")
    assert not is_reference(a1 / "references.yaml")
    assert not is_reference(a1 / "other.ipynb")
    assert not is_reference(a1 / "mutants" / "zeros.ipynb")
    assert not is_reference(a1.parent / "solution.ipynb")


def test_a_folder_without_rubrics_beside_it_holds_no_references(a1):
    (a1.parents[1] / "rubrics").rmdir()
    assert not is_reference(a1 / "solution.ipynb")


# Edits ------------------------------------------------------------------------------------------------


def test_a_text_is_replaced_by_another(a1):
    assert edited(a1, "  - {cell: 2, replace: x = 1, by: x = 0}")[1] == "STEPS = 700  # many\nx = 0"


def test_a_text_may_be_replaced_by_nothing(a1):
    assert edited(a1, '  - {cell: 2, replace: "  # many", by: ""}')[1] == "STEPS = 700\nx = 1"


def test_cells_get_another_source_go_and_come(a1):
    edits = (
        "  - {cell: 3, source: y}\n  - {delete: 2}\n  - {after: 1, source: z}\n  - {after: 0, source: top}"
    )
    assert edited(a1, edits) == ["top", "# Robin", "z", "y"]


def test_numbers_of_cells_are_those_before_the_edits(a1):
    assert edited(a1, "  - {delete: 1}\n  - {cell: 3, source: y}") == ["STEPS = 700  # many\nx = 1", "y"]


def test_outputs_are_cleared_of_one_cell_or_of_all(a1):
    for edit, left in (("{outputs: clear}", [0, 0]), ("{cell: 2, outputs: clear}", [0, 1])):
        path = a_mutant(a1, f"title: One\nedits: [{edit}]")
        notebook = notebook_of(read_reference(path, CRITERIA), is_quick=False)
        assert [len(cell["outputs"]) for cell in notebook["cells"][1:]] == left


def test_editing_leaves_the_solution_alone(a1):
    before = (a1 / "solution.ipynb").read_bytes()
    edited(a1, "  - {cell: 3, source: y}")
    assert (a1 / "solution.ipynb").read_bytes() == before


# Saved outputs of a mutant ----------------------------------------------------------------------------


def a_read_mutant(folder: Path, *edits: str) -> Reference:
    listed = "".join(f"  - {edit}\n" for edit in edits)
    return read_reference(a_mutant(folder, f"title: One\nedits:\n{listed}"), CRITERIA)


@pytest.mark.parametrize(
    ("edits", "is_own"),
    [
        (("{cell: 3, source: y}",), True),
        (("{cell: 3, source: y}", "{outputs: keep}"), False),
        (("{outputs: clear}",), False),
    ],
)
def test_edited_code_asks_for_outputs_of_its_own_run(a1, edits, is_own):
    assert a_read_mutant(a1, *edits).shows_its_own_outputs is is_own


def test_outputs_of_the_run_take_the_place_of_those_saved_and_are_then_edited(a1):
    mutant = a_read_mutant(a1, "{delete: 1}", "{after: 1, source: new}", '{cell: 3, prints: "forged"}')
    notebook = notebook_of(mutant, is_quick=False)
    ran = a_notebook(code("new", "n"), code("STEPS", "ran"), code("print(x)", "7"))
    shown = with_outputs_of(mutant, notebook, ran)
    assert [cell["outputs"][0]["text"] for cell in shown["cells"]] == [["n"], ["ran"], ["forged"]]
    assert [source_of(cell) for cell in shown["cells"]] == [source_of(cell) for cell in notebook["cells"]]


# A quick run ------------------------------------------------------------------------------------------


def settings(folder: Path, yaml: str) -> None:
    (folder / "references.yaml").write_text(yaml, "utf-8")


def test_a_quick_run_lowers_the_constant_and_nothing_else(a1):
    settings(a1, "quick: {constant: STEPS, value: 5}")
    solution = read_reference(a1 / "solution.ipynb", CRITERIA)
    assert source_of(notebook_of(solution, is_quick=True)["cells"][1]) == "STEPS = 5  # many\nx = 1"
    assert source_of(notebook_of(solution, is_quick=False)["cells"][1]) == "STEPS = 700  # many\nx = 1"


def test_a_variant_may_have_its_own_quick_value_which_its_mutants_share(a1):
    (a1 / "variants" / "class.ipynb").write_text((a1 / "solution.ipynb").read_text("utf-8"), "utf-8")
    settings(a1, "quick: {constant: STEPS, value: 5}\nvariants:\n  class: {quick: 9}")
    mutant = a_mutant(a1, "title: One\nof: class\nedits: [{delete: 3}]")
    for path in (a1 / "variants" / "class.ipynb", mutant):
        notebook = notebook_of(read_reference(path, CRITERIA), is_quick=True)
        assert source_of(notebook["cells"][1]).startswith("STEPS = 9 ")


def test_a_control_loses_what_is_said_of_it_and_runs_as_it_is_written(a1):
    (a1 / "controls").mkdir()
    (a1 / "controls" / "demo.ipynb").write_text(json.dumps(a_notebook(code("x = 1"))), "utf-8")
    settings(a1, "quick: {constant: STEPS, value: 5}\ncontrols:\n  demo: {lose: [accuracy]}")
    control = read_reference(a1 / "controls" / "demo.ipynb", CRITERIA)
    assert (control.title, control.lose) == ("Control: demo", {"accuracy"})
    assert source_of(notebook_of(control, is_quick=True)["cells"][0]) == "x = 1"


def test_a_constant_that_is_not_set_once_is_an_error(a1):
    settings(a1, "quick: {constant: EPOCHS, value: 5}")
    with pytest.raises(RubricError, match=r"`EPOCHS = <a number>` exactly once, and does so 0 times"):
        notebook_of(read_reference(a1 / "solution.ipynb", CRITERIA), is_quick=True)


# What is expected -------------------------------------------------------------------------------------


def test_what_is_not_named_must_be_met(a1):
    settings(a1, "review: [question]")
    path = a_mutant(a1, "title: One\nedits: [{delete: 3}]\nlose: [accuracy]")
    mutant = read_reference(path, CRITERIA)
    expected = {criterion: mutant.expected(criterion, is_real=True) for criterion in CRITERIA}
    assert expected == {"names": Expected.MET, "accuracy": Expected.LOST, "question": Expected.REVIEW}


def test_what_no_reference_does_need_not_be_met_by_any_unless_it_says_otherwise(a1):
    settings(a1, "lose_or_review: [accuracy, names]")
    mutant = a_mutant(a1, "title: One\nedits: [{outputs: clear}]\nlose: [names]")
    solution, lost = (read_reference(path, CRITERIA) for path in (a1 / "solution.ipynb", mutant))
    assert solution.expected("accuracy", is_real=True) is Expected.LOST_OR_REVIEW
    assert lost.expected("accuracy", is_real=True) is Expected.LOST_OR_REVIEW
    assert lost.expected("names", is_real=True) is Expected.LOST


def test_what_is_lost_on_real_data_only_is_left_to_a_person_on_stand_ins(a1):
    settings(a1, "on_real_data: [accuracy]")
    mutant = read_reference(
        a_mutant(a1, "title: One\nedits: [{delete: 3}]\nlose: [accuracy, names]"), CRITERIA
    )
    assert mutant.expected("accuracy", is_real=True) is Expected.LOST
    assert mutant.expected("accuracy", is_real=False) is Expected.REVIEW
    assert mutant.expected("names", is_real=False) is Expected.LOST


def test_a_mutant_expects_what_it_says_whatever_its_variant_does(a1):
    (a1 / "variants" / "class.ipynb").write_text((a1 / "solution.ipynb").read_text("utf-8"), "utf-8")
    settings(a1, "variants:\n  class: {lose: [names]}")
    mutant = read_reference(a_mutant(a1, "title: One\nof: class\nedits: [{delete: 3}]"), CRITERIA)
    assert mutant.lose == frozenset()
    assert read_reference(a1 / "variants" / "class.ipynb", CRITERIA).lose == {"names"}


def test_what_only_real_data_settle_is_met_or_for_a_person_on_stand_ins(a1):
    settings(a1, "met_on_real_data: [accuracy]\nreview: [question]")
    solution = read_reference(a1 / "solution.ipynb", CRITERIA)
    assert solution.expected("accuracy", is_real=True) is Expected.MET
    on_stand_ins = solution.expected("accuracy", is_real=False)
    fitting = {outcome for outcome in Outcome if on_stand_ins.fits(outcome)}
    assert fitting == {Outcome.MET, Outcome.NEEDS_REVIEW, Outcome.NOT_CHECKED}
    mutant = read_reference(a_mutant(a1, "title: One\nedits: [{delete: 3}]\nlose: [accuracy]"), CRITERIA)
    assert mutant.expected("accuracy", is_real=False) is Expected.LOST


@pytest.mark.parametrize("outcome", list(Outcome))
def test_each_outcome_fits_one_expectation(outcome):
    one_each = (Expected.MET, Expected.LOST, Expected.REVIEW)
    assert sum(expected.fits(outcome) for expected in one_each) == 1
    assert Expected.LOST_OR_REVIEW.fits(outcome) == (outcome is not Outcome.MET)


def test_what_hangs_on_the_seed_may_be_lost_or_left_to_a_person(a1):
    settings(a1, "on_real_data: [accuracy]")
    path = a_mutant(a1, "title: One\nedits: [{delete: 3}]\nlose_or_review: [accuracy, names]")
    mutant = read_reference(path, CRITERIA)
    assert mutant.expected("accuracy", is_real=True) is Expected.LOST_OR_REVIEW
    assert mutant.expected("accuracy", is_real=False) is Expected.REVIEW
    assert mutant.expected("names", is_real=False) is Expected.LOST_OR_REVIEW


# Errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        ("{cell: 3, replace: prin(x), by: y}", "not found in cell 3: 'prin(x)': did you mean 'print(x)'?"),
        ("{cell: 2, replace: 0, by: y}", "should be a valid string, not 0"),
        ('{cell: 2, replace: "0", by: y}', "found 2 times in cell 2: '0'"),
        ("{cell: 4, source: y}", "there is no cell 4: the notebook has 3"),
        ("{delete: 9}", "there is no cell 9: the notebook has 3"),
        ("{cell: 2}", "should be one of `cell, replace, by`"),
        ("{cell: 2, replace: x = 1}", "should be one of `cell, replace, by`"),
        ("{cell: 2, outputs: keep}", "should be one of `cell, replace, by`"),
        ("{cel: 2, source: y}", "unknown key `cel`: did you mean 'cell'?"),
    ],
)
def test_an_edit_that_does_not_fit_is_told_with_file_and_line(a1, edit, sentence):
    path = a_mutant(a1, f"title: One\nedits:\n  - {{cell: 1, source: ok}}\n  - {edit}\n")
    with pytest.raises(RubricError) as caught:
        read_reference(path, CRITERIA)
    assert str(caught.value).startswith(f"{path}, line 4: ")
    assert sentence in str(caught.value)


def test_all_edits_that_do_not_fit_are_told_at_once(a1):
    path = a_mutant(a1, "title: One\nedits:\n  - {delete: 7}\n  - {cell: 2, replace: q, by: r}\n")
    with pytest.raises(RubricError) as caught:
        read_reference(path, CRITERIA)
    assert [line.split(": ")[0] for line in str(caught.value).split("\n")] == [
        f"{path}, line 3",
        f"{path}, line 4",
    ]


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        ("lose: [acuracy]", "line 3: the rubric has no criterion `acuracy`: did you mean 'accuracy'?"),
        ("of: clas", "line 3: there is no notebook 'clas': did you mean 'class'?"),
        ("lose: [names]\nreview: [names]", "line 4: `names` can stand in one of these lists only"),
        ("loose: [names]", "line 3: unknown key `loose`: did you mean 'lose'?"),
    ],
)
def test_a_mutant_with_a_typo_is_an_error(a1, end, sentence):
    (a1 / "variants" / "class.ipynb").write_text((a1 / "solution.ipynb").read_text("utf-8"), "utf-8")
    path = a_mutant(a1, f"title: One\nedits: [{{delete: 3}}]\n{end}\n")
    with pytest.raises(RubricError) as caught:
        read_reference(path, CRITERIA)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("yaml", "sentence"),
    [
        ("variants:\n  clas: {}", "line 2: there is no variant 'clas'"),
        ("controls:\n  demo: {}", "line 2: there is no control 'demo'"),
        ("review: [question, nmaes]", "line 1: the rubric has no criterion `nmaes`: did you mean 'names'?"),
        ("quick: {constant: STEPS}", "`value` is missing"),
    ],
)
def test_wrong_settings_are_an_error_of_every_reference(a1, yaml, sentence):
    settings(a1, yaml)
    with pytest.raises(RubricError) as caught:
        read_reference(a1 / "solution.ipynb", CRITERIA)
    assert str(caught.value).startswith(f"{a1 / 'references.yaml'}")
    assert sentence in str(caught.value)


def test_what_is_no_notebook_is_an_error(a1):
    (a1 / "solution.ipynb").write_text("{}", "utf-8")
    with pytest.raises(RubricError, match="cannot be read as a notebook"):
        notebook_of(read_reference(a1 / "solution.ipynb", CRITERIA), is_quick=False)


# Those that we ship -----------------------------------------------------------------------------------


SHIPPED = sorted(
    path for path in (REPOSITORY / "reference_solutions").rglob("*") if path.is_file() and is_reference(path)
)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_reference_that_we_ship_can_be_read_and_made_quick(path):
    folder = path.parent if path.name == "solution.ipynb" else path.parent.parent
    rubric = read_rubric(REPOSITORY / "rubrics" / f"{folder.name}.yaml", datasets=dataset_names())
    reference = read_reference(path, [criterion.id for criterion in rubric.criteria])
    assert notebook_of(reference, is_quick=True)["cells"]
    if path.suffix == ".yaml":
        settled = {criterion.id for criterion in rubric.criteria} - reference.lose - reference.review
        assert settled, "a mutant that is right in nothing tells nothing"


def test_there_are_enough_of_them():
    kinds = [path.parent.name for path in SHIPPED]
    assert kinds.count("variants") >= 6
    assert kinds.count("mutants") >= 20


@pytest.mark.parametrize(
    "path", [path for path in SHIPPED if path.suffix == ".ipynb"], ids=lambda path: path.stem
)
def test_a_notebook_that_we_ship_was_run_from_top_to_bottom_and_tells_nothing_about_a_machine(path):
    notebook = json.loads(path.read_text("utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not any(output["output_type"] == "error" for output in outputs)
    shown = "".join("".join(output.get("text", "")) for output in outputs)
    assert not any(place in shown for place in ("/tmp/", "/home/", "/root", "/work/", "/Users/"))
    assert path.stat().st_size < 200_000
