"""Times with and without `tf.function`, as students print them and type them into their text."""

from __future__ import annotations

import pytest

from grader.notebook.mode_times import printed_times, typed_times
from grader.notebook.modes import Mode, mode_of
from grader.notebook.prose import read_prose
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind

E, G = Mode.EAGER, Mode.GRAPH
TIMED = "import time\nstarted = time.perf_counter()"


def printed(text: str, source: str = TIMED) -> list[tuple[Mode | None, float]]:
    outputs = (Output(kind=OutputKind.STREAM, text=text),)
    cell = Cell(number=1, kind=CellKind.CODE, source=source, outputs=outputs)
    return [(time.mode, pytest.approx(time.seconds)) for time in printed_times(cell)]


def typed(*sources: str) -> list[tuple[Mode | None, float, str]]:
    cells = tuple(
        Cell(number=at, kind=CellKind.MARKDOWN, source=source) for at, source in enumerate(sources, start=1)
    )
    return [
        (time.mode, pytest.approx(time.seconds), time.label)
        for time in typed_times(read_prose(Notebook(cells=cells)))
    ]


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("with tf.function", G),
        ("without tf.function", E),
        ("w/o @tf.function", E),
        ("no graph", E),
        ("not compiled", E),
        ("ohne die tf.function", E),
        ("mit tf.function", G),
        ("ohne", E),
        ("mit", G),
        ("tf_function: off", E),
        ("run_eagerly=False", G),
        ("run_eagerly=True", E),
        ("train_step_eager", E),
        ("time_graph", G),
        ("eager vs. graph", None),
        ("batch size 32", None),
        ("without dropout, as a graph", G),
    ],
)
def test_words_for_the_mode(text, mode):
    assert mode_of(text) is mode


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("small, eager: 4.0 ms per step\nsmall, graph: 1,5 ms per step", [(E, 0.004), (G, 0.0015)]),
        ("growth 3: eager 1.17 s, graph 2.19 s", [(E, 1.17), (G, 2.19)]),
        ("1.2 s eager, 0.4 s in graph mode", [(E, 1.2), (G, 0.4)]),
        ("eager: 123 ms ± 4.5 ms per loop (mean ± std. dev. of 7 runs)", [(E, 0.123)]),
        ("graph: 1.5 ± 0.1 s", [(G, 1.5)]),
        ("Eager execution: 0.6814722160052042 seconds", [(E, 0.6814722160052042)]),
        ("Eager execution: 0.2029\nGraph execution: 0.0253", [(E, 0.2029), (G, 0.0253)]),
        ("eager took 1min 5s", [(E, 65.0)]),
        (
            "--- eager ---\nepoch 1 took 3.2 s\nepoch 2 took 3.1 s\n--- graph ---\nepoch 1 took 0.9 s",
            [(E, 3.2), (E, 3.1), (G, 0.9)],
        ),
        ("Without tf.function\n20/20 - 3s - 150ms/step - loss: 1.2", [(E, 0.15)]),
        ("epoch 1 took 3.2 s", [(None, 3.2)]),
        ("Wall time: 3.2 s", [(None, 3.2)]),
        ("CPU times: user 3 s, sys: 1 s, total: 4 s\nWall time: 3.2 s", [(None, 3.2)]),
        ("eager and graph both took 3 s", [(None, 3.0)]),
        ("eager accuracy: 0.93", []),
        ("speedup of the graph: 3.12", []),
        ("tf.function: traced 3 times", []),
    ],
)
def test_printed_lines(text, times):
    assert printed(text) == times


def test_bare_numbers_are_times_only_where_a_clock_is_read():
    assert printed("Eager: 0.93\nGraph: 0.95", "print(accuracy)") == []


FRAME = """\
   model  eager  graph
0  small   1.20   0.40
1  large   9.50   7.25
"""
INDEXED = """\
       eager [ms]  graph [ms]
model
small       120.0        40.0
large       950.0       725.5
"""
LONG = """\
| model | mode  | epochs | time (s) | accuracy |
|-------|-------|--------|----------|----------|
| small | eager | 3      | 1.2      | 0.5      |
| small | graph | 3      | 0.4      | 0.5      |
"""


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (FRAME, [(E, 1.2), (G, 0.4), (E, 9.5), (G, 7.25)]),
        (INDEXED, [(E, 0.12), (G, 0.04), (E, 0.95), (G, 0.7255)]),
        (LONG, [(E, 1.2), (G, 0.4)]),
        ("model\twithout\twith\nsmall\t1.2 s\t0.4 s\n", [(E, 1.2), (G, 0.4)]),
    ],
)
def test_printed_tables(text, times):
    assert printed(text) == times


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (
            "| Modell | ohne tf.function | mit tf.function | Beschleunigung |\n|---|---|---|---|\n"
            "| klein | 1,2 s | 0,4 s | 3 |\n| groß | 9,5 s | 7,2 s | 1,3 |",
            [(E, 1.2, "klein"), (G, 0.4, "klein"), (E, 9.5, "groß"), (G, 7.2, "groß")],
        ),
        (
            "Seconds per epoch:\n\n| | small | large |\n|--|--|--|\n"
            "| eager | 1.2 | 9.5 |\n| graph | 0.4 | 7.2 |",
            [(E, 1.2, "small"), (E, 9.5, "large"), (G, 0.4, "small"), (G, 7.2, "large")],
        ),
        (
            "| model | time per step (ms) |\n|--|--|\n| small, eager | 12 |\n| small, graph | 4 |",
            [(E, 0.012, "small"), (G, 0.004, "small")],
        ),
        (
            "| parameters | eager [s] | graph [s] |\n|--|--|--|\n| 12345 | 1.2 | 0.4 |",
            [(E, 1.2, "12345"), (G, 0.4, "12345")],
        ),
        (
            "Without tf.function the small model\ntook 1.2 s per epoch and with it 0.4 s.",
            [(E, 1.2, ""), (G, 0.4, "")],
        ),
        (
            "- small: eager 1.2 s, graph 0.4 s\n- large: eager 9 s, graph 7 s",
            [(E, 1.2, ""), (G, 0.4, ""), (E, 9.0, ""), (G, 7.0, "")],
        ),
        ("| model | eager | graph |\n|--|--|--|\n| small | 0.93 | 0.95 |", []),
        ("| model | eager accuracy | graph accuracy |\n|--|--|--|\n| small, 1.2 s | 0.93 | 0.95 |", []),
        ("| mode | eager | graph |\n|--|--|--|\n| graph | 1 s | 2 s |", []),
        ("The graph needs 3 s less than eager steps.", []),
        ("Training took 40 s with batch size 32, 50 s without.", []),
        ("Training took 40 s.", []),
    ],
)
def test_typed_tables_lists_and_sentences(text, times):
    assert typed(*text.split("\n\n")) == times
