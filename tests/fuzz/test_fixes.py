from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.strategies import EXAMPLES, PROGRAMS, TEXTS, fuzzed, in_time
from grader.fixes.diagnoses import diagnose
from grader.fixes.finding import MAX_FIXES, find_fixes
from grader.fixes.parsing import parse
from grader.fixes.records import BrokenScript, Passage, Symptoms
from grader.notebook.records import Cell, CellKind, Notebook

FOLDER = Path(__file__).resolve().parents[2] / "rubrics" / "a2" / "scripts"
SCRIPTS = [
    BrokenScript(name=path.stem, source=path.read_text("utf-8")) for path in sorted(FOLDER.glob("fail?.py"))
]
HEADINGS = st.sampled_from(
    ["## Script 1\n", "fail2: use relu\n", "same as in script 1 `", "```\n", "# 3\n", ""]
)
LINES = st.sampled_from([line for script in SCRIPTS for line in script.source.split("\n")])
WRITTEN = st.lists(HEADINGS | TEXTS | LINES | PROGRAMS, max_size=6).map("\n".join)


@settings(fuzzed, max_examples=max(1, EXAMPLES // 5))
@given(
    cells=st.lists(st.tuples(st.sampled_from(["code", "markdown"]), WRITTEN), max_size=4), attached=WRITTEN
)
def test_whatever_is_handed_in_fixes_are_looked_for_in_time(cells, attached):
    notebook = Notebook(
        cells=tuple(
            Cell(number=number, kind=CellKind(kind), source=source)
            for number, (kind, source) in enumerate(cells, start=1)
        )
    )
    found = in_time(find_fixes, notebook, {"fail1.py": attached}, SCRIPTS)
    for script in SCRIPTS:
        own = [fix for fix in found.fixes if fix.script == script.name]
        assert len(own) <= MAX_FIXES
        assert all(parse(fix.source) is not None and fix.source != script.source for fix in own)


@settings(fuzzed, max_examples=max(1, EXAMPLES // 5))
@given(
    text=st.lists(
        st.sampled_from(["the gradients ", "vanish", " not ", ". ", "-0.1 and 0"]) | TEXTS, max_size=8
    ).map("".join)
)
def test_whatever_is_said_a_diagnosis_comes_of_it_in_time(text):
    in_time(diagnose, [Passage(text=text, cell=1)], (), Symptoms())
