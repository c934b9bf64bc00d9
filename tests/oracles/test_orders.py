"""Facts about orders, derived from pipelines in plain Python, and once from those of tf.data in a room."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from oracles.plain import Makers, Pipeline, batched, found_with, makers, shuffled

from grader.execution.local import LocalExecutor
from grader.execution.running import run_jobs
from grader.execution.scripts import plan_script, printed_by
from grader.execution.store import RunStore
from grader.oracles.order_facts import FACTS
from grader.oracles.orders import MARK, Found, orders_found, read_orders
from grader.oracles.references import EXPERIMENTS, read_references
from grader.oracles.scripts import orders as script
from grader.oracles.traces import Trace
from grader.sandbox.sources import ForkedRooms


def found(using: Makers) -> dict[str, dict[str, Found]]:
    return {
        order: {name: fact.found for name, fact in told.facts.items()}
        for order, told in found_with(using).items()
    }


@pytest.fixture(scope="module")
def plain() -> dict[str, dict[str, Found]]:
    return found(makers())


ORDERS = (
    *("shuffle-batch-repeat", "shuffle-repeat-batch", "batch-shuffle-repeat", "batch-repeat-shuffle"),
    *("repeat-shuffle-batch", "repeat-batch-shuffle"),
)


@pytest.mark.parametrize(
    ("fact", "orders"),
    [
        ("examples-shuffled", (0, 1, 4)),
        ("batches-shuffled", (2, 3, 5)),
        ("batches-mix-epochs", (1, 4, 5)),
        ("epochs-separate", (0, 1, 2)),
        ("twice-before-once", (3, 4, 5)),
        ("twice-in-a-batch", (1, 4)),
        ("batch-twice-before-once", (3, 5)),
        ("short-at-epoch-ends", (0,)),
        ("short-only-at-end", (1, 4)),
        ("short-within-epoch", (2, 3, 5)),
        ("one-short-per-epoch", (0, 2, 3)),
        ("new-order-each-epoch", (0, 1, 2, 3, 4, 5)),
        ("same-batches-each-epoch", (2, 3)),
    ],
)
def test_a_fact_holds_for_these_orders(
    plain: dict[str, dict[str, Found]], fact: str, orders: tuple[int, ...]
) -> None:
    holding = {order for order, facts in plain.items() if facts[fact] is Found.YES}
    assert holding == {ORDERS[number] for number in orders}


def test_what_depends_on_the_sizes_is_neither_yes_nor_no(plain: dict[str, dict[str, Found]]) -> None:
    facts = plain["repeat-batch-shuffle"]
    assert facts["same-batches-each-epoch"] is Found.DEPENDS  # where the batch size divides, they are
    assert facts["twice-in-a-batch"] is Found.DEPENDS  # where a batch holds more than all the data


def test_without_reshuffling_every_epoch_has_the_same_order() -> None:
    def same(data: Pipeline, settings: Mapping[str, int]) -> Pipeline:
        return shuffled(data, settings, is_new_each_time=False)

    facts = found(makers(shuffle=same))
    for order in ("shuffle-batch-repeat", "shuffle-repeat-batch", "batch-shuffle-repeat"):
        assert facts[order]["new-order-each-epoch"] is Found.NO
    assert facts["shuffle-batch-repeat"]["same-batches-each-epoch"] is Found.YES


def test_without_shuffling_nothing_is_shuffled() -> None:
    facts = found(makers(shuffle=lambda data, settings: data))
    assert {told["examples-shuffled"] for told in facts.values()} == {Found.NO}
    assert {told["batches-shuffled"] for told in facts.values()} == {Found.NO}
    assert {told["epochs-separate"] for told in facts.values()} == {Found.YES}


def test_without_short_batches_none_is_found() -> None:
    def full(data: Pipeline, settings: Mapping[str, int]) -> Pipeline:
        return batched(data, settings, drops_remainder=True)

    facts = found(makers(batch=full))
    assert {told["short-within-epoch"] for told in facts.values()} == {Found.NO}
    assert facts["shuffle-batch-repeat"]["short-at-epoch-ends"] is Found.NO


def test_a_fact_comes_with_batches_that_show_it() -> None:
    batches = ((0, 1, 2, 3), (4, 5, 0, 1), (2, 3, 4, 5))
    trace = Trace(order="x", examples=6, batch_size=4, buffer=1, epochs=2, seed=1, passes=(batches,))
    fact = orders_found([trace])["x"].facts["batches-mix-epochs"]
    assert fact.found is Found.YES
    assert fact.witness is not None
    assert fact.witness.in_words == "[0 1 2 3] →[4 5 0 1] …"
    assert fact.sentence == FACTS["batches-mix-epochs"].yes


def test_nothing_is_said_about_what_was_not_tried() -> None:
    trace = Trace(order="x", examples=4, batch_size=2, buffer=1, epochs=1, seed=1, passes=(((0, 1), (2, 3)),))
    assert "short-only-at-end" not in orders_found([trace])["x"].facts


@pytest.mark.parametrize(
    "printed", ["", "Traceback …", MARK + "[", MARK + '[{"order": 1}]', MARK + "{}", MARK + "[]"]
)
def test_what_is_no_trace_gives_no_facts(printed: str) -> None:
    assert read_orders(printed) == {}


def test_traces_are_found_among_other_output() -> None:
    traces = script.run(makers())
    assert set(read_orders(f"a warning\n{MARK}{json.dumps(traces)}\n")) == set(ORDERS)


def test_tf_data_in_a_room_does_what_plain_python_does(
    plain: dict[str, dict[str, Found]], tmp_path: Path, kernel_parent: ForkedRooms
) -> None:
    executor = LocalExecutor(1, kernel_parent)
    job = plan_script("orders", EXPERIMENTS["orders"].read_text("utf-8"))
    runs = RunStore(tmp_path)
    assert run_jobs([job], runs, executor, lambda doing, done, total: None).executed == 1
    references = read_references({"orders": printed_by(job, runs)})
    told = {
        order: {name: fact.found for name, fact in facts.facts.items()}
        for order, facts in references.orders.items()
    }
    assert told == plain
    assert run_jobs([job], runs, executor, lambda doing, done, total: None).executed == 0
