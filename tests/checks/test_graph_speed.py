"""What is decided on a comparison with and without `tf.function`, on evidence that was built by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bounded import bounded

from grader.checks.graph_claims import Trend, trend_of
from grader.checks.graph_speed import graph_gain, graph_loop
from grader.checks.previews import Sight
from grader.checks.registry import all_checks
from grader.evidence.around import ObservedFunction
from grader.evidence.observed import Observed, ObservedTraining
from grader.evidence.record import Evidence
from grader.evidence.timings import Timing
from grader.model import CellRun, CellStatus, Limits, Outcome, Participant, Run, RunStatus, Submission
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind

SHA = "0" * 64
CODE = "import tensorflow as tf\nfast = tf.function(step)\n"
PRINTED = (
    "small, eager: 4.0 ms per step\nsmall, graph: 1.0 ms per step\n"
    "large, eager: 60 ms per step\nlarge, graph: 50 ms per step\n"
)
SENTENCE = "The smaller the model, the more is gained by a graph."


def a_function(**fields: Any) -> ObservedFunction:
    usual = {"id": 1, "run": 1, "name": "step", "calls": 20, "traces": 1, "has_gradients": True}
    return ObservedFunction.model_validate(usual | {"trainings": (1,)} | fields)


def a_training(number: int, parameters: int, function: int | None, gradients: int = 20) -> ObservedTraining:
    return ObservedTraining(
        **{"id": number, "parameters": parameters, "function": function},
        **{"gradients": gradients, "updates": gradients, "eager_gradients": 0 if function else gradients},
        work=((1, 0, gradients) if function else (1, gradients, 0),),
    )


def a_timing(parameters: int, ratio: float, **fields: Any) -> Timing:
    times = {"eager": (0.001 * ratio,) * 9, "graph": (0.001,) * 9}
    return Timing.model_validate({"name": "step", "at_run": 1, "parameters": parameters} | times | fields)


BOTH_SIZES = (
    a_training(1, 100, 1),
    a_training(2, 100, None),
    a_training(3, 9_000, 2),
    a_training(4, 9_000, None),
)
FUNCTIONS = (a_function(), a_function(id=2))
TIMED = (a_timing(100, 4.0), a_timing(9_000, 1.2))


def an_evidence(
    text: str = SENTENCE,
    prints: str = PRINTED,
    source: str = CODE,
    *,
    functions: tuple[ObservedFunction, ...] = FUNCTIONS,
    trainings: tuple[ObservedTraining, ...] = BOTH_SIZES,
    timings: tuple[Timing, ...] = TIMED,
    status: RunStatus = RunStatus.COMPLETED,
    **fields: Any,
) -> Evidence:
    outputs = (Output(kind=OutputKind.STREAM, text=prints),)
    notebook = Notebook(
        cells=(
            Cell(number=1, kind=CellKind.CODE, source=source, outputs=outputs),
            Cell(number=2, kind=CellKind.MARKDOWN, source=text),
        )
    )
    submission = Submission.model_validate(
        {
            **{"id": "one", "assignment": "a4", "participant": Participant(), "folder": Path("one")},
            **{"notebook": "one.ipynb", "notebook_sha256": SHA},
        }
    )
    cells = (CellRun(cell=1, status=CellStatus.OK),)
    observed = {"is_trusted": True, "functions": functions, "trainings": trainings, "timings": timings}
    return Evidence.model_validate(
        {
            "submission": submission,
            "notebook": notebook,
            "saved": read_outputs(notebook),
            "rerun": read_outputs(notebook),
            "run": Run(key="1" * 64, seed=1, status=status, limits=Limits(), cells=cells),
            "observed": Observed.model_validate(observed | fields),
        }
    )


def told_of(evidence: Evidence) -> str:
    return "\n".join(reason.text for reason in graph_gain(evidence).reasons)


def test_two_sizes_both_ways_and_a_sentence_that_holds_are_met():
    verdict = graph_gain(an_evidence())
    assert verdict.outcome is Outcome.MET
    assert "4.00 times as fast" in told_of(an_evidence())


def test_times_that_were_taken_once_only_are_told_and_cost_nothing():
    again = an_evidence(prints=PRINTED + PRINTED.replace(".0", ".2"))
    assert graph_gain(again).outcome is Outcome.MET
    assert "one time for each model" in told_of(an_evidence())
    assert "one time for each model" not in told_of(again)


def test_a_comparison_that_was_not_timed_is_for_a_person():
    verdict = graph_gain(an_evidence(timings=()))
    assert verdict.outcome is Outcome.NEEDS_REVIEW
    assert "was not timed in this run" in told_of(an_evidence(timings=()))


def test_students_are_told_what_is_compared_and_that_it_is_timed_later():
    check = all_checks()["graph-gain"]
    parameters = check.public_parameters({})
    assert parameters is not None
    preview = check.preview(an_evidence(timings=()), parameters)
    assert preview.sight is Sight.LATER
    assert "Models of 100 and 9,000 weights are compared both ways." in [r.text for r in preview.reasons]


def test_without_a_word_on_it_half_is_met():
    assert graph_gain(an_evidence("Times are above.")).fraction == pytest.approx(0.5)


def test_a_word_on_it_that_is_not_understood_is_for_a_person():
    text = "The graph saves about three milliseconds in either case, whichever we take."
    assert graph_gain(an_evidence(text)).outcome is Outcome.NEEDS_REVIEW


def test_a_sentence_that_the_measurement_clearly_contradicts_costs_half():
    verdict = graph_gain(an_evidence("Larger models benefit more from the graph."))
    assert verdict.outcome is Outcome.PARTLY_MET
    assert "clearly smaller for larger models" in verdict.reasons[1].text


def test_a_sentence_is_not_contradicted_by_intervals_that_lie_close():
    close = (a_timing(100, 2.2), a_timing(9_000, 2.0))
    evidence = an_evidence("Larger models benefit more from the graph.", timings=close)
    assert graph_gain(evidence).outcome is Outcome.MET


def test_a_sentence_that_only_the_medians_contradict_is_for_a_person():
    eager = tuple(0.001 * ratio for ratio in (3, 3, 3, 8, 8, 8, 8, 11, 11))  # from 3 to 11, in the middle 8
    wide, narrow = a_timing(100, 8.0, eager=eager), a_timing(9_000, 3.0)
    evidence = an_evidence("Larger models benefit more from the graph.", timings=(wide, narrow))
    verdict = graph_gain(evidence)
    assert verdict.outcome is Outcome.NEEDS_REVIEW
    assert verdict.reasons[1].text == "Timed by us it is smaller for larger models, if not clearly."
    right = an_evidence("Smaller models benefit more from the graph.", timings=(wide, narrow))
    assert graph_gain(right).outcome is Outcome.MET


def test_nothing_of_it_is_not_met_after_a_whole_run_only():
    bare = {"text": "A net.", "prints": "loss 1.0\n", "source": "import tensorflow as tf\n", "functions": ()}
    bare |= {"trainings": (a_training(1, 100, None),), "timings": ()}
    assert graph_gain(an_evidence(**bare)).outcome is Outcome.NOT_MET
    cut = an_evidence(**bare, status=RunStatus.CUT_SHORT)
    assert graph_gain(cut).outcome is Outcome.NEEDS_REVIEW


def test_a_decorator_that_is_commented_out_is_eager_against_eager():
    eager = tuple(a_training(one.id, one.parameters, None) for one in BOTH_SIZES)
    source = "import tensorflow as tf\n# @tf.function\ndef step(): pass\n"
    evidence = an_evidence(source=source, functions=(), trainings=eager, timings=())
    assert graph_gain(evidence).outcome is Outcome.NOT_MET
    assert "eager against eager" in told_of(evidence)


@pytest.mark.parametrize(
    ("functions", "fault"),
    [
        ((a_function(calls=1), a_function(id=2, calls=1)), "its time is that of tracing"),
        ((a_function(traces=18, signatures=("float32[2], int: 3",)), a_function(id=2)), "Python numbers"),
        ((a_function(traces=18, signatures=("float32[2]",)), a_function(id=2)), "arguments of other shapes"),
        (tuple(a_function(id=number, calls=1) for number in range(1, 5)), "a new `tf.function` 4 times"),
        ((a_function(eager_calls=20), a_function(id=2, eager_calls=20)), "never switched off"),
        ((a_function(has_gradients=False),), "no gradients are computed"),
    ],
)
def test_each_fault_is_named_and_left_to_a_person(functions, fault):
    few = tuple(a_training(one.id, one.parameters, one.function, 5) for one in BOTH_SIZES)
    evidence = an_evidence(functions=functions, trainings=few)
    assert graph_gain(evidence).outcome is Outcome.NEEDS_REVIEW
    assert fault in told_of(evidence)


def test_different_amounts_of_work_are_fair_only_per_step():
    uneven = (a_training(1, 100, 1, 250), a_training(2, 100, None, 30), *BOTH_SIZES[2:])
    assert graph_gain(an_evidence(trainings=uneven)).outcome is Outcome.MET
    evidence = an_evidence(prints=PRINTED.replace(" per step", ""), trainings=uneven)
    assert graph_gain(evidence).outcome is Outcome.NEEDS_REVIEW
    assert "30 eagerly, 250 as a graph" in told_of(evidence)


def test_a_graph_slower_than_eager_in_the_outputs_only_is_named():
    prints = PRINTED.replace("small, graph: 1.0", "small, graph: 9.0")
    evidence = an_evidence(prints=prints, timings=(a_timing(100, 4.0), a_timing(9_000, 2.0)))
    assert graph_gain(evidence).outcome is Outcome.NEEDS_REVIEW
    assert "The graph is told to be slower than eager steps" in told_of(evidence)


def test_times_that_the_hand_in_does_not_show_are_for_a_person():
    evidence = an_evidence()
    cleared = evidence.model_copy(update={"saved": read_outputs(Notebook(cells=()))})
    assert graph_gain(cleared).outcome is Outcome.NEEDS_REVIEW


def test_one_size_only_is_for_a_person():
    assert graph_gain(an_evidence(trainings=BOTH_SIZES[:2])).outcome is Outcome.NEEDS_REVIEW


def test_a_table_with_a_column_of_gains_is_no_sentence():
    rows = ("| | eager | graph | speedup |", "|--|--|--|--|", "| small model | 4 s | 1 s | 4 |")
    table = "\n".join((*rows, "| large model | 6 s | 5 s | 1.2 |"))
    assert graph_gain(an_evidence(f"{table}\n\n{SENTENCE}")).outcome is Outcome.MET


@pytest.mark.parametrize("name", ["time.perf_counter", "time.sleep", "tf.function"])
def test_a_notebook_that_patches_clocks_or_tf_function_earns_nothing(name):
    evidence = an_evidence(replaced=(name,))
    assert graph_gain(evidence).outcome is Outcome.NEEDS_REVIEW
    assert graph_loop(evidence).outcome is Outcome.NEEDS_REVIEW


def test_a_loop_beside_fit_may_be_a_comparison():
    source, prints = "import tensorflow as tf", "with fit: 2 s\nwithout: 9 s\n"
    own_loops = an_evidence("Times.", prints, source, functions=())
    assert graph_gain(own_loops).outcome is Outcome.NOT_MET
    by_fit = an_evidence("Times.", prints, source, functions=(a_function(is_own=False),))
    assert graph_gain(by_fit).outcome is Outcome.NEEDS_REVIEW


@pytest.mark.parametrize(
    "text", ["In graph mode this is quicker.", "A speed-up for small ones.", "Im Graphmodus …"]
)
def test_other_words_for_it_are_for_a_person(text):
    assert graph_gain(an_evidence(text, "", "x = 1", functions=())).outcome is Outcome.NEEDS_REVIEW


def test_busy_machines_never_make_met_not_met():
    for factor in (0.5, 0.8, 1.0, 1.3, 2.0):
        timings = (a_timing(100, 4.0 * factor), a_timing(9_000, 1.2))
        assert graph_gain(an_evidence(timings=timings)).outcome is not Outcome.NOT_MET


def test_a_loop_of_another_model_says_nothing_of_the_trend():
    loop = a_timing(90_000, 9.0, name="loop", steps=64)
    assert graph_gain(an_evidence(timings=(*TIMED, loop))).outcome is Outcome.MET
    assert graph_gain(an_evidence(timings=(TIMED[0], loop))).outcome is Outcome.NEEDS_REVIEW


def test_work_that_only_eager_calls_do_is_for_a_person():
    for fields in ({"outside": 0.6}, {"eager_operations": 90, "graph_operations": 40}):
        evidence = an_evidence(timings=(a_timing(100, 4.0, **fields), TIMED[1]))
        assert graph_gain(evidence).outcome is Outcome.NEEDS_REVIEW
    sleeping = an_evidence(source=f"import time\n{CODE}time.sleep(1)\n")
    assert graph_gain(sleeping).outcome is Outcome.NEEDS_REVIEW
    assert "The code sleeps" in told_of(sleeping)


def test_a_whole_loop_with_a_gain_earns_the_bonus():
    loop = a_function(name="loop", calls=2, steps=40)
    timed = (a_timing(100, 3.0, name="loop", steps=16),)
    assert graph_loop(an_evidence(functions=(loop,), timings=timed)).outcome is Outcome.MET
    slow = (a_timing(100, 1.0, name="loop", steps=16),)
    assert graph_loop(an_evidence(functions=(loop,), timings=slow)).outcome is Outcome.NEEDS_REVIEW
    step = (a_timing(100, 3.0, name="loop", steps=1),)
    assert graph_loop(an_evidence(functions=(loop,), timings=step)).outcome is Outcome.NEEDS_REVIEW
    assert graph_loop(an_evidence()).outcome is Outcome.NOT_MET


@pytest.mark.parametrize(
    ("sentence", "trend"),
    [
        ("Je größer das Modell, desto geringer der Vorteil.", Trend.FALLS),
        ("The speedup shrinks with model size.", Trend.FALLS),
        ("Larger models benefit more from the graph.", Trend.GROWS),
        ("The larger network gains hardly anything.", Trend.FALLS),
        ("Kleine Modelle gewinnen mehr.", Trend.FALLS),
        ("With larger models the speedup is less: kernels take most of the time.", Trend.FALLS),
        ("The larger model does not gain more.", Trend.OPEN),
        ("Does the larger model gain more?", Trend.OPEN),
        ("The larger model gains more accuracy.", Trend.OPEN),
        ("The speedup is 8x for the small model and only 2.5x for the large one.", Trend.FALLS),
        ("Das kleine Netz wird 2-fach, das große Netz 4-fach schneller.", Trend.GROWS),
        ("The speedup is 3x for the small model and 3x for the large one.", Trend.OPEN),
        ("The graph is faster.", None),
        ("The larger network is more accurate.", None),
    ],
)
def test_sentences_in_english_and_german(sentence, trend):
    assert trend_of(sentence) is trend


def a_table(*rows: tuple[str, float, float]) -> str:
    """A text with a table of times, as it is typed, and a sentence that holds."""
    lines = [f"| {name} | {eager} s | {graph} s |" for name, eager, graph in rows]
    return "\n".join(["| net | without tf.function | with |", "|--|--|--|", *lines, "", SENTENCE])


TOOK = "took 1.2 s\ntook 0.3 s\ntook 6.0 s\ntook 5.1 s\n"
BORNE_OUT = a_table(("small", 1.2, 0.3), ("large", 6.0, 5.1))


def test_typed_times_count_where_what_was_timed_bears_them_out():
    evidence = an_evidence(BORNE_OUT, TOOK)
    assert graph_gain(evidence).outcome is Outcome.MET
    assert "The text gives times" in told_of(evidence)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ((("small", 9.0, 0.3), ("large", 6.0, 5.1)), "A gain of 30 is told"),
        ((("large", 6.0, 1.5), ("small", 1.2, 1.0)), "A gain of 1.2 is told"),
        ((("small", 0.3, 1.2), ("large", 6.0, 5.1)), "slower than eager steps"),
        ((("small", 1.2, 0.3),), "that say that they are of eager steps: 0"),
    ],
)
def test_other_typed_times_are_for_a_person(rows, why):
    evidence = an_evidence(a_table(*rows), TOOK)
    assert graph_gain(evidence).outcome is Outcome.NEEDS_REVIEW
    assert why in told_of(evidence)


def test_typed_times_that_nothing_can_have_shown_are_for_a_person():
    assert graph_gain(an_evidence(BORNE_OUT, "done\n")).outcome is Outcome.NEEDS_REVIEW
    clocked = f"import time\nstarted = time.time()\n{CODE}"
    assert graph_gain(an_evidence(BORNE_OUT, "done\n", clocked)).outcome is Outcome.MET


def test_typed_times_of_graphs_never_cost_points():
    eager = tuple(a_training(one.id, one.parameters, None) for one in BOTH_SIZES)
    source = "import tensorflow as tf\n# @tf.function\ndef step(): pass\n"
    evidence = an_evidence(BORNE_OUT, TOOK, source, functions=(), trainings=eager, timings=())
    assert graph_gain(evidence).outcome is Outcome.NEEDS_REVIEW


def test_tracing_is_named_where_it_explains_a_slower_graph():
    prints = "small: eager 1.0 s, graph 2.0 s\nlarge: eager 1.1 s, graph 2.2 s\n"
    timings = (a_timing(100, 4.0), a_timing(9_000, 2.0))
    traced = tuple(a_function(id=number, is_own=False, calls=10, tracing_seconds=1.2) for number in (1, 2))
    assert "Tracing is the likely cause: 2 times in 20 calls" in told_of(
        an_evidence(prints=prints, functions=traced, timings=timings)
    )
    quick = tuple(function.model_copy(update={"tracing_seconds": 0.1}) for function in traced)
    assert "likely cause" not in told_of(an_evidence(prints=prints, functions=quick, timings=timings))


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"python_operations": 2}, "goes back to Python"),
        ({"constant_bytes": 50_000_000}, "arrays of 50 MB"),
        ({"graph": (0.0002,) * 9, "eager": (0.00015,) * 9}, "so short that starting them"),
        ({"graph": (0.2,) * 9, "eager": (0.15,) * 9}, None),
    ],
)
def test_why_a_graph_is_not_faster_is_told_only_where_it_was_seen(fields, cause):
    slow = a_timing(9_000, 0.9, **fields)
    told = told_of(an_evidence(timings=(a_timing(100, 4.0), slow)))
    assert (cause in told) if cause else ("may be because" not in told)


def test_steps_of_very_many_kinds_are_compared_in_time():
    """A room may tell of hundreds of trainings with hundreds of counts each, none of them alike."""
    work = [tuple((1, 1 + 200 * n + k, 10**9 + 200 * n + k) for k in range(200)) for n in range(100)]
    many = tuple(
        ObservedTraining(
            id=n, parameters=100 * (1 + n % 2), gradients=20, updates=20, eager_gradients=10, work=one
        )
        for n, one in enumerate(work)
    )
    with bounded():
        prints = PRINTED.replace(" per step", "")
        assert "Steps taken by the model" in told_of(an_evidence(prints=prints, trainings=many))
