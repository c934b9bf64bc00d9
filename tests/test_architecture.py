"""What may import what, and that the grading process stays free of TensorFlow."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grader import errors

PACKAGE = Path(__file__).resolve().parents[1] / "grader"

# What each part may import of ours, besides itself. Arrows run downwards only.
MAY_IMPORT = {
    "errors": set(),
    "letters": set(),
    "sources": set(),
    "processes": {"errors"},
    "model": set(),
    "strict_yaml": {"errors"},
    "course": {"model", "errors"},
    "intake": {"model", "errors"},
    "notebook": {"model", "errors"},
    "datasets": {"model", "errors"},
    "sandbox": {"model", "errors"},
    "probes": set(),
    "oracles": {"model", "errors"},
    "execution": {"sandbox", "notebook", "datasets", "processes", "sources", "model", "errors"},
    "fixes": {"answers", "notebook", "strict_yaml", "model", "errors"},
    "evidence": {"fixes", "notebook", "oracles", "sources", "model", "errors"},
    "answers": {"notebook", "oracles", "strict_yaml", "model", "errors"},
    "checks": {"answers", "evidence", "fixes", "oracles", "notebook", "model", "errors"},
    "lateness": {"moodle", "strict_yaml", "model", "errors"},
    "rubric": {"checks", "fixes", "lateness", "strict_yaml", "model", "errors"},
    "assess": {"rubric", "evidence", "checks", "model", "errors"},
    "provisions": {"course", "datasets", "evidence", "execution", "notebook", "model"},
    "script_trials": {
        *("evidence", "execution", "fixes", "notebook", "provisions", "rubric", "model", "errors"),
    },
    "gradebook": {"model", "errors"},
    "likeness": {
        *("course", "datasets", "evidence", "gradebook", "intake", "notebook", "report", "model", "errors"),
    },
    "groups": {"evidence", "gradebook", "notebook", "model", "errors"},
    "trust": {"gradebook", "model"},
    "report": {"notebook", "oracles", "evidence", "processes", "sources", "model", "errors"},
    "judged_before": {"evidence", "report", "sources", "model"},
    "gathering": {
        *("assess", "course", "evidence", "execution", "notebook", "oracles", "provisions", "report"),
        *("rubric", "script_trials", "model", "errors"),
    },
    "judging": {
        *("assess", "evidence", "groups", "judged_before", "lateness", "processes", "report", "rubric"),
        "model",
    },
    "pipeline": {
        *("assess", "course", "datasets", "evidence", "execution", "gathering", "gradebook", "groups"),
        *(
            "intake",
            "judged_before",
            "judging",
            "kept_rubrics",
            "lateness",
            "provisions",
            "report",
            "rubric",
        ),
        *("trust", "model", "errors"),
    },
    "script_references": {
        *("course", "datasets", "evidence", "execution", "fixes", "provisions", "rubric", "script_trials"),
        "model",
    },
    "script_terminal": {"evidence", "script_references"},
    "references": {"strict_yaml", "errors", "model"},
    "rewriting": {"references", "notebook", "model"},
    "reference_grading": {"references", "rewriting", "pipeline", "course", "execution", "model"},
    "student": {
        *("rubric", "course", "provisions", "intake", "notebook", "datasets", "sandbox", "execution"),
        *("evidence", "checks", "strict_yaml", "report", "model", "errors"),
    },
    "pytest_plugin": {"references", "reference_grading", "execution", "datasets", "rubric", "errors"},
    "yaml_editing": {"strict_yaml"},
    "calibration": {
        *("provisions", "references", "rewriting", "rubric", "checks", "evidence", "execution", "datasets"),
        *("course", "notebook", "strict_yaml", "yaml_editing", "model", "errors"),
    },
    "moodle": {"model", "errors"},
    "releasing": {"course", "datasets", "gradebook", "trust", "model", "errors"},
    "kept_rubrics": {"course", "rubric", "errors"},
    "people": {"cleaning", "course", "datasets", "gradebook", "report", "model", "errors"},
    "forgetting": {"cleaning", "course", "gradebook", "people", "trust", "model"},
    "retention": {"cleaning", "course", "gradebook", "strict_yaml", "trust", "model", "errors"},
    "people_terminal": {"forgetting", "report", "retention"},
    "dossier": {"course", "evidence", "gradebook", "kept_rubrics", "people", "model", "errors"},
    "exporting": {"course", "gradebook", "moodle", "releasing", "report", "model", "errors"},
    "cleaning": {"course", "execution", "gradebook", "model"},
    "terminal": {
        *(
            "calibration",
            "exporting",
            "moodle",
            "pipeline",
            "releasing",
            "execution",
            "gradebook",
        ),
        *("report", "sandbox", "model"),
        "trust",
    },
    "validity": {
        *("reference_grading", "references", "rewriting", "rubric", "course", "datasets", "execution"),
        *("terminal", "model", "errors"),
    },
    "review": {
        *(
            "assess",
            "course",
            "datasets",
            "evidence",
            "gradebook",
            "groups",
            "report",
            "trust",
            "model",
            "errors",
        ),
    },
    "verbs": {
        *("course", "execution", "exporting", "gradebook", "moodle", "releasing", "review"),
        *("script_references", "script_terminal", "student", "terminal", "errors"),
        *("trust", "dossier", "forgetting", "people", "people_terminal", "retention"),
        *("groups", "likeness", "report"),
    },
    "cli": {
        "verbs",
        "calibration",
        "pipeline",
        "cleaning",
        "terminal",
        "course",
        "datasets",
        "execution",
        "report",
        "sandbox",
        "model",
        "errors",
        "letters",
    },
}
HEAVY = {
    *("tensorflow", "keras", "tf_keras"),
    *("matplotlib", "pandas", "sklearn", "scipy", "IPython", "ipykernel"),
}
LATE = {Path("answers", "second_reading.py"): {"sklearn"}}  # counts words, once there are answers to read
IN_THE_ROOM = (PACKAGE / "sandbox" / "room", PACKAGE / "probes", PACKAGE / "oracles" / "scripts")


def modules() -> list[Path]:
    return sorted(
        file for file in PACKAGE.rglob("*.py") if not any(file.is_relative_to(place) for place in IN_THE_ROOM)
    )


def part_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(file: Path) -> set[str]:
    """Dotted names of all modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
        elif isinstance(node, ast.ImportFrom):
            pytest.fail(f"{file} uses a relative import")
    return names


@pytest.mark.parametrize("file", modules(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_arrows_run_downwards_only(file):
    part = part_of(file)
    if part in ("__init__", "__main__"):
        return
    ours = {name.split(".")[1] for name in imported(file) if name.startswith("grader.")}
    assert ours <= MAY_IMPORT[part] | {part}


@pytest.mark.parametrize("file", modules(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_the_grading_process_imports_no_tensorflow(file):
    heavy = {name.split(".")[0] for name in imported(file)} & HEAVY
    assert heavy == LATE.get(file.relative_to(PACKAGE), set())


def test_what_lies_in_the_room_imports_nothing_of_ours():
    for file in [file for place in IN_THE_ROOM for file in place.rglob("*.py")]:
        assert not [name for name in imported(file) if name.split(".")[0] == "grader"], file


def test_loading_everything_loads_no_tensorflow():
    names = [
        ".".join(["grader", *file.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")
        for file in modules()
        if file.name != "__main__.py"
    ]
    program = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_no_pattern_is_possessive_or_atomic():
    """Early releases of Python 3.11 match possessive quantifiers wrongly; Debian 12 has 3.11.2."""
    quantifiers = re.compile(r"(?<!\\\\)[\w)\]}.*+?](?:\+\+|\*\+|\}\+)|\(\?>")
    for file in modules():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\\" in node.value:
                assert not quantifiers.search(re.sub(r"\[\^?\]?[^\]]*\]", "[]", node.value)), (
                    file,
                    node.lineno,
                )


def test_python_is_parsed_in_one_place():
    """Which lets one thread at a time do it."""
    places = {file.name for file in modules() if "ast.parse(" in file.read_text("utf-8")}
    assert places == {"syntax.py"}


def test_every_folder_says_what_lives_there():
    for folder in {file.parent for file in modules()}:
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))), folder


OUR_SENTENCES = {name for name in vars(errors) if name.endswith("Error")}
"""Exceptions whose message is a sentence of ours."""


def logging_calls(tree: ast.Module) -> list[ast.Call]:
    """The calls of a module's `log`."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "log"
    ]


@pytest.mark.parametrize("file", modules(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_logs_quote_no_hand_in(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    caught = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and node.type
        and OUR_SENTENCES.isdisjoint(re.findall(r"\w+", ast.unparse(node.type)))
    }
    for call in logging_calls(tree):
        assert isinstance(call.func, ast.Attribute)
        assert call.func.attr != "exception", "it logs the message: use trace_of"
        assert not any(keyword.arg == "exc_info" for keyword in call.keywords), "it logs the message"
        told = [arg.id for arg in call.args if isinstance(arg, ast.Name)]
        assert not caught & set(told), "an exception's message may quote a hand-in: use trace_of"
