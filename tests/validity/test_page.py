from __future__ import annotations

from grader.model import Reason, Source, met, needs_review, not_met
from grader.validity.page import Setting, page
from grader.validity.trials import Kind

MET, REVIEW = met(Reason(text="Yes.")), needs_review(Reason(text="Unclear."))
LOST = not_met(Reason(text="No: " + "why " * 200))
MEASURED = met(
    Reason(text="Measured.", numbers=(0.94, 0.8), source=Source.MEASURED),
    Reason(text="Reported.", numbers=(0.951,), source=Source.SAVED),
)
SETTING = Setting(
    date="2026-02-01",
    machine="A processor, 2 cores, 8 GiB, Linux 6.1",
    versions={"python": "3.11.2", "numpy": "2.4.0"},
    data=(("mnist", "ab" * 32),),
    repeats={Kind.HONEST: 2, Kind.MUTANT: 1, Kind.GENERATED: 1},
)


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n\n")[1].split("\n\n## ")[0]


def rows(text: str, title: str) -> list[list[str]]:
    lines = [line for line in section(text, title).split("\n") if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def a_page(tried) -> str:
    everything = [
        tried("solution", {"layer": MET, "accuracy": MEASURED}, {"layer": LOST, "accuracy": MEASURED}),
        tried("no-layer", {"layer": MET, "accuracy": REVIEW}, kind=Kind.MUTANT, lose=["layer"]),
        tried("class", {"layer": MET, "accuracy": LOST}, kind=Kind.GENERATED, breaks=("layer", "accuracy")),
    ]
    return page("a1", ("layer", "accuracy"), "accuracy", everything, SETTING)


def test_it_says_what_was_run_where_and_how_often(tried):
    told = dict(rows(a_page(tried), "What was run"))
    assert told["date"] == "2026-02-01"
    assert told["solution and variants"] == "1 notebooks, 2 repeats"
    assert told["mutants"] == "1 notebooks, 1 repeat"
    assert told["runs"] == "4, 4.0 hours in their cells"
    assert told["data"] == "mnist, real, SHA-256 abababababab…"
    assert told["machine"] == SETTING.machine
    assert told["versions"] == "python 3.11.2, numpy 2.4.0"


def test_verdicts_are_counted_by_criterion_and_in_all(tried):
    text = a_page(tried)
    nothing = ["0"] * 6
    assert rows(text, "The solution and its variants") == [
        ["layer", "2", "1", "0", *nothing, "1"],
        ["accuracy", "2", "0", "0", *nothing, "0"],
        ["**all**", "4", "1", "0", *nothing, "1"],
    ]
    assert rows(text, "Mutants") == [
        ["layer", "0", "0", "0", "1", "1", "0", "0", "0", "0", "0"],
        ["accuracy", "1", "0", "1", *nothing, "0"],
        ["**all**", "1", "0", "1", "1", "1", "0", "0", "0", "0", "0"],
    ]


def test_every_deviation_is_named_with_its_reason_which_is_cut(tried):
    lines = section(a_page(tried), "Verdicts that are not what they must be").split("\n")
    assert lines[0].startswith("- `solution`, `layer`: lost instead of met, in repeat 2. No: why why")
    assert lines[0].endswith("why …")
    assert len(lines[0]) < 400
    assert lines[1:] == [
        "- `no-layer`, `layer`: met instead of not met or partly met, in repeat 1. Yes.",
        "- `no-layer`, `accuracy`: left to a person instead of met, in repeat 1. Unclear.",
    ]


def test_flips_gaps_and_survivors_are_named(tried):
    text = a_page(tried)
    assert (
        section(text, "Verdicts that flip")
        == "- `solution`, `layer`: 1 times met, 1 times lost (must be met)."
    )
    assert rows(text, "Accuracy as measured and as reported") == [["solution", "0.9400", "0.9510", "0.0110"]]
    assert rows(text, "Generated mutations") == [
        ["`one-step`: Every training ends after one step.", "1", "2", "1", "0", "1"]
    ]
    assert section(text, "Generated mutations").rstrip().endswith("- `class + one-step`, `layer`: Yes.")


def test_where_nothing_is_wrong_the_page_says_so(tried):
    text = page("a1", ("layer",), "accuracy", [tried("solution", {"layer": MET})], SETTING)
    assert section(text, "Verdicts that are not what they must be") == "None."
    assert section(text, "Verdicts that flip") == "None."
    assert section(text, "Generated mutations").rstrip().endswith("None.")
