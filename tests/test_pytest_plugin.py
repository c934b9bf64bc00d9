"""The plug-in: what it collects, what a failure says, and that it grades once and only what is selected.

Grading itself is faked through the plug-in's own hook; `pytest reference_solutions/` does it for real.
"""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from grader.model import Reason, met
from grader.reference_grading import Seen

pytest_plugins = ["pytester"]

# By its module and not by its entry point, so that the tests need no fresh installation.
PLUGIN = ("-p", "no:grader", "-p", "grader.pytest_plugin", "-p", "no:cacheprovider")

RUBRIC = """
schema: 1
assignment: a1
title: One
edition: 2026
scale: points
datasets: [mnist]
criteria:
  - {id: names, title: Names., points: 1, check: names-given}
  - {id: outputs-saved, title: Outputs., points: 1, check: outputs-saved}
"""

CONFTEST = """
from grader.model import Reason, met, not_met
from grader.reference_grading import Seen

def pytest_grade_references(config, references):
    print("GRADED", sorted(reference.name for reference in references))
    found = met(Reason(text="There they are."))
    lost = not_met(Reason(text="No cell has an output.", cell=3), Reason(text="Run it (cell 4)."))
    return {
        reference.origin: Seen({"names": found, "outputs-saved": lost}, seconds=1.5)
        for reference in references
    }
"""


@pytest.fixture
def course(pytester: pytest.Pytester) -> Path:
    """A course with a solution, a variant and a mutant, and a fake that grades them."""
    root = pytester.path
    cell = {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "execution_count": 1,
        "outputs": [],
        "source": "x",
    }
    notebook = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    folder = root / "reference_solutions" / "a1"
    for inner in (root / "rubrics", folder / "variants", folder / "mutants"):
        inner.mkdir(parents=True)
    (root / "rubrics" / "a1.yaml").write_text(RUBRIC, "utf-8")
    for path in ("solution.ipynb", "variants/class.ipynb", "other.ipynb"):
        (folder / path).write_text(notebook, "utf-8")
    (folder / "references.yaml").write_text("", "utf-8")
    mutant = "title: No outputs.\nedits: [{outputs: clear}]\nlose: [outputs-saved]\n"
    (folder / "mutants" / "cleared.yaml").write_text(mutant, "utf-8")
    pytester.makeconftest(CONFTEST)
    return root


def test_solution_variants_and_mutants_are_collected_one_test_per_criterion(pytester, course):
    result = pytester.runpytest(*PLUGIN, "--collect-only", "-q", "reference_solutions")
    assert sorted(line for line in result.outlines if "::" in line) == [
        "reference_solutions/a1/mutants/cleared.yaml::names",
        "reference_solutions/a1/mutants/cleared.yaml::outputs-saved",
        "reference_solutions/a1/solution.ipynb::names",
        "reference_solutions/a1/solution.ipynb::outputs-saved",
        "reference_solutions/a1/variants/class.ipynb::names",
        "reference_solutions/a1/variants/class.ipynb::outputs-saved",
    ]
    assert not [line for line in result.outlines if line.startswith("GRADED")]


def test_nothing_is_collected_where_no_rubrics_lie_beside(pytester, course):
    (course / "rubrics" / "a1.yaml").unlink()
    (course / "rubrics").rmdir()
    result = pytester.runpytest(*PLUGIN, "--collect-only", "-q", "reference_solutions")
    assert not [line for line in result.outlines if "::" in line]


def test_a_failure_says_what_was_expected_and_found_and_why_without_a_traceback(pytester, course):
    result = pytester.runpytest(*PLUGIN, "-k", "solution.ipynb")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*a1/solution.ipynb: outputs-saved*",
            "The solution",
            "expected: met",
            "found: not met",
            "  - No cell has an output. (cell 3)",
            "  - Run it (cell 4).",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*VerdictError*")


def test_a_mutant_passes_where_it_loses_what_it_must(pytester, course):
    pytester.runpytest(*PLUGIN, "-k", "cleared").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("options", "is_quick"),
    [
        ((), True),
        (("--reference-data", "real"), False),
        (("--reference-budget", "full"), False),
        (("--reference-data", "real", "--reference-budget", "quick"), True),
    ],
)
def test_references_train_as_written_on_real_data_unless_told_otherwise(
    pytester, course, monkeypatch, options, is_quick
):
    told = []

    def graded(references, *_, data, is_quick):
        told.append((data, is_quick))
        found = met(Reason(text="There."))
        return [Seen({"names": found, "outputs-saved": found}, seconds=1) for _ in references]

    pytester.makeconftest("")
    monkeypatch.setattr("grader.reference_grading.grade_references", graded)
    pytester.runpytest(*PLUGIN, *options, "-k", "solution.ipynb").assert_outcomes(passed=2)
    assert told == [(Path("real") if "real" in options else None, is_quick)]


def test_all_are_graded_once_and_only_what_is_selected(pytester, course):
    result = pytester.runpytest(*PLUGIN, "-s")
    assert [line for line in result.outlines if "GRADED" in line] == [
        "GRADED ['a1/mutants/cleared.yaml', 'a1/solution.ipynb', 'a1/variants/class.ipynb']"
    ]
    result = pytester.runpytest(*PLUGIN, "-s", "reference_solutions/a1/variants/class.ipynb::names")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["GRADED ['a1/variants/class.ipynb']"])


def test_the_reason_stands_in_junit_xml(pytester, course):
    pytester.runpytest(*PLUGIN, "-k", "solution.ipynb", "--junitxml=out.xml")
    failures = ET.parse(course / "out.xml").getroot().findall(".//testcase/failure")
    assert len(failures) == 1
    assert "No cell has an output." in (failures[0].text or "")


def test_the_summary_says_how_long_they_ran(pytester, course):
    result = pytester.runpytest(*PLUGIN)
    result.stdout.fnmatch_lines(["3 references, 4 s in their cells; longest: *1.5 s*"])


def test_a_broken_mutant_is_an_error_of_collection_with_its_line(pytester, course):
    broken = course / "reference_solutions" / "a1" / "mutants" / "broken.yaml"
    broken.write_text("title: One\nedits:\n  - {delete: 5}\n", "utf-8")
    result = pytester.runpytest(*PLUGIN)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*broken.yaml, line 3: there is no cell 5: the notebook has 1"])
    assert not [line for line in result.outlines if line.startswith("GRADED")]


def test_a_reference_that_was_not_graded_fails_with_the_reason(pytester, course):
    pytester.makeconftest(
        "from grader.reference_grading import Seen\n"
        "def pytest_grade_references(config, references):\n"
        "    return {one.origin: Seen({}, why_not='It is no notebook.') for one in references}\n"
    )
    result = pytester.runpytest(*PLUGIN, "-k", "solution.ipynb")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["It is no notebook."])


def test_broken_machinery_is_told_in_one_sentence(pytester, course):
    pytester.makeconftest(
        "from grader.errors import SandboxError\n"
        "def pytest_grade_references(config, references):\n"
        "    raise SandboxError('No room can be built here.')\n"
    )
    result = pytester.runpytest(*PLUGIN, "-k", "class")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["No room can be built here."])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_run_without_references_loads_nothing_of_ours_but_the_plug_in(tmp_path):
    (tmp_path / "test_one.py").write_text("def test_one(): pass\n", "utf-8")
    (tmp_path / "conftest.py").write_text(
        "import sys\n"
        "def pytest_sessionfinish(session):\n"
        "    print('LOADED', sorted(n for n in sys.modules if n.split('.')[0] in "
        "('grader', 'pydantic', 'numpy', 'nbformat')))\n",
        "utf-8",
    )
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGIN, "-q", "-s", str(tmp_path), f"--rootdir={tmp_path}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert "LOADED ['grader', 'grader.pytest_plugin']" in ended.stdout, ended.stdout
