"""Mutations: changes of a reference's code, made by program, after which named checks must not be met.

Each operator changes all places of its kind at once, for a model left as it was would still earn the points.
An operator that cannot change all of them makes no mutation, so that every label is true.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from grader.model import Record
from grader.notebook.code import CodeIndex
from grader.references import Edit, Notebook
from grader.rewriting import sites
from grader.rewriting.cells import Change, code_of, edits_of
from grader.rewriting.splicing import Splice, end_of, inserted, line_after, replaced, start_of

Changes: TypeAlias = list[Change] | None

_ACCURACY = frozenset({"accuracy-at-least"})
_EVALUATION = frozenset({"evaluated-on-test-data"})
_RESULTS = _EVALUATION | {"experiments"}
_MODEL = frozenset({"hidden-layer", "nonlinear-activation", "random-initialisation", "low-level-tensorflow"})
_TRAINED = _MODEL | _RESULTS | _ACCURACY | {"trained-on"}
_TEST_IMAGES = 10_000


class Operator(NamedTuple):
    """One kind of mutation. `breaks` are names of checks; `changes` gives None where it does not apply."""

    name: str
    title: str
    breaks: frozenset[str]
    changes: Callable[[CodeIndex], Changes]


class Mutation(Record):
    """A mutated notebook, as edits: `name` is the operator's, `breaks` are checks that must not be met."""

    name: str
    title: str
    edits: tuple[Edit, ...]
    breaks: frozenset[str]


def mutations_of(notebook: Notebook) -> Iterator[Mutation]:
    """Every mutation that applies to a notebook, in the order of `OPERATORS`."""
    code = code_of(notebook)
    for operator in OPERATORS:
        changes = operator.changes(code)
        if changes:
            edits = edits_of(code, changes)
            yield Mutation(name=operator.name, title=operator.title, edits=edits, breaks=operator.breaks)


# The model --------------------------------------------------------------------------------------------


def _only_argument(cell: int, call: ast.Call) -> list[Change]:
    """A call becomes its argument in brackets."""
    argument = call.args[0]
    before = Splice(start_of(call), start_of(argument), "(")
    return [Change(cell, before), Change(cell, Splice(end_of(argument), end_of(call), ")"))]


def _activations_left_out(code: CodeIndex) -> Changes:
    return [change for site in sites.applied_activations(code) for change in _only_argument(*site)]


def _activations_left_out_in_training(code: CodeIndex) -> Changes:
    return [
        change for site in sites.applied_activations(code, in_tape=True) for change in _only_argument(*site)
    ]


def _activations_left_out_in_tests(code: CodeIndex) -> Changes:
    if not sites.applied_activations(code, in_tape=True):
        return None
    return [
        change for site in sites.applied_activations(code, in_tape=False) for change in _only_argument(*site)
    ]


def _activations_are_identities(code: CodeIndex) -> Changes:
    library = sites.name_of_library(code, "tf")
    return [
        Change(cell, replaced(node, f"{library}.identity")) for cell, node in sites.named_activations(code)
    ]


def _hidden_layer_times_zero(code: CodeIndex) -> Changes:
    return [Change(cell, inserted(end_of(call), " * 0")) for cell, call in sites.applied_activations(code)]


def _no_hidden_layer(code: CodeIndex) -> Changes:
    return [Change(cell, replaced(node, "[784, 10]")) for cell, node in sites.layer_sizes(code)]


def _starts(code: CodeIndex, function: str, value: str) -> Changes:
    library = sites.name_of_library(code, "tf")
    found = []
    for cell, call in sites.random_starts(code):
        after_shape = Splice(end_of(call.args[0]), end_of(call), f"{value})")
        found += [Change(cell, replaced(call.func, f"{library}.{function}")), Change(cell, after_shape)]
    return found


def _weights_start_at_zero(code: CodeIndex) -> Changes:
    return _starts(code, "zeros", "")


def _weights_start_alike(code: CodeIndex) -> Changes:
    return _starts(code, "fill", ", 0.05")


# The training -----------------------------------------------------------------------------------------


def _no_updates(code: CodeIndex) -> Changes:
    return [Change(update.cell, replaced(update.statement, "pass")) for update in sites.updates(code)]


def _copies_are_updated(code: CodeIndex) -> Changes:
    found = sites.updates(code)
    library = sites.name_of_library(code, "tf")
    if not all(update.is_assignment for update in found):
        return None
    return [
        change
        for update in found
        for change in (
            Change(update.cell, inserted(start_of(update.method.value), f"{library}.Variable(")),
            Change(update.cell, inserted(end_of(update.method.value), ")")),
        )
    ]


def _uphill(code: CodeIndex) -> Changes:
    found = sites.updates(code)
    if any(update.method.attr != "assign_sub" for update in found):
        return None
    return [
        Change(update.cell, Splice(end_of(update.method.value), end_of(update.method), ".assign_add"))
        for update in found
    ]


def _rate_of_zero(code: CodeIndex) -> Changes:
    found = sites.updates(code)
    factors = [(update.cell, update.call.args[0]) for update in found if update.method.attr == "assign_sub"]
    rates = sites.learning_rates(code)
    if len(factors) < len(found) and not rates:
        return None
    return [
        change
        for cell, node in (*factors, *rates)
        for change in (
            Change(cell, inserted(start_of(node), "0.0 * (")),
            Change(cell, inserted(end_of(node), ")")),
        )
    ]


def _one_step(code: CodeIndex) -> Changes:
    return [
        Change(cell, line_after(loop.body[-1], "break", like=loop.body[0]))
        for cell, loop in sites.training_loops(code)
    ]


# The data ---------------------------------------------------------------------------------------------


def _after_loading(code: CodeIndex, line: str) -> Changes:
    """A line below each place where data is loaded: `{x}`, `{y}` to train on, `{u}`, `{v}` to test."""
    library = sites.name_of_library(code, "np")
    if library is None:
        return None
    found = []
    for load in sites.data_loads(code):
        names = {"x": load.images.id, "y": load.labels.id, "u": load.test_images.id, "v": load.test_labels.id}
        found.append(Change(load.cell, line_after(load.statement, line.format(**names, np=library))))
    return found


def _labels_shuffled(code: CodeIndex) -> Changes:
    return _after_loading(code, "{y} = {y}[{np}.random.permutation(len({y}))]")


def _labels_off_by_one(code: CodeIndex) -> Changes:
    return _after_loading(code, "{y} = ({y} + 1) % 10")


def _blank_images(code: CodeIndex) -> Changes:
    return _after_loading(code, "{x} = {x} * 0")


def _tested_on_training_data(code: CodeIndex) -> Changes:
    return _after_loading(code, f"{{u}}, {{v}} = {{x}}[:{_TEST_IMAGES}], {{y}}[:{_TEST_IMAGES}]")


def _train_and_test_swapped(code: CodeIndex) -> Changes:
    return [
        Change(load.cell, replaced(place, name.id))
        for load in sites.data_loads(code)
        for place, name in (
            *((load.images, load.test_images), (load.labels, load.test_labels)),
            *((load.test_images, load.images), (load.test_labels, load.labels)),
        )
    ]


def _fashion_is_mnist(code: CodeIndex) -> Changes:
    return [
        Change(cell, Splice(end_of(node.value), end_of(node), ".mnist"))
        for cell, node in sites.named_datasets(code, "fashion_mnist")
    ]


# The evaluation ---------------------------------------------------------------------------------------


def _accuracy_written_down(code: CodeIndex) -> Changes:
    library = sites.name_of_library(code, "tf")
    return [
        Change(cell, replaced(call, f"{library}.constant(0.95)")) for cell, call in sites.accuracies(code)
    ]


def _labels_against_labels(code: CodeIndex) -> Changes:
    return [
        Change(found.cell, replaced(found.predictions, ast.unparse(found.labels)))
        for found in sites.comparisons(code)
    ]


OPERATORS = (
    Operator(
        "activations-left-out",
        "No activation is applied.",
        frozenset({"nonlinear-activation"}),
        _activations_left_out,
    ),
    Operator(
        "activations-are-identities",
        "Every activation is the identity.",
        frozenset({"nonlinear-activation"}),
        _activations_are_identities,
    ),
    Operator(
        "activations-left-out-in-training",
        "No activation is applied in the training, but in the tests.",
        frozenset({"nonlinear-activation"}) | _EVALUATION,
        _activations_left_out_in_training,
    ),
    Operator(
        "activations-left-out-in-tests",
        "No activation is applied in the tests, but in the training.",
        _EVALUATION,
        _activations_left_out_in_tests,
    ),
    Operator(
        "hidden-layer-times-zero",
        "What the hidden layer gives is multiplied by zero.",
        _ACCURACY,
        _hidden_layer_times_zero,
    ),
    Operator(
        "no-hidden-layer",
        "No model has a hidden layer.",
        _MODEL | _RESULTS | _ACCURACY,
        _no_hidden_layer,
    ),
    Operator(
        "weights-start-at-zero",
        "All weights start at zero.",
        _ACCURACY | {"random-initialisation"},
        _weights_start_at_zero,
    ),
    Operator(
        "weights-start-alike",
        "All weights start at the same value.",
        _ACCURACY | {"random-initialisation"},
        _weights_start_alike,
    ),
    Operator("no-updates", "No variable is ever updated.", _TRAINED, _no_updates),
    Operator("copies-are-updated", "Copies of the variables are updated.", _TRAINED, _copies_are_updated),
    Operator("rate-of-zero", "Every update is multiplied by zero.", _TRAINED, _rate_of_zero),
    Operator("one-step", "Every training ends after one step.", _TRAINED, _one_step),
    Operator("uphill", "Every step goes up the gradient.", _ACCURACY, _uphill),
    Operator("labels-shuffled", "The training labels are shuffled.", _ACCURACY, _labels_shuffled),
    Operator(
        "labels-off-by-one", "Every training label is that of the next class.", _ACCURACY, _labels_off_by_one
    ),
    Operator("blank-images", "All training images are black.", _ACCURACY, _blank_images),
    Operator(
        "tested-on-training-data",
        "What is called test data is training data.",
        _EVALUATION,
        _tested_on_training_data,
    ),
    Operator(
        "train-and-test-swapped",
        "The test data is trained on, the training data tested on.",
        _EVALUATION,
        _train_and_test_swapped,
    ),
    Operator("fashion-is-mnist", "Fashion-MNIST is MNIST.", frozenset({"trained-on"}), _fashion_is_mnist),
    Operator(
        "accuracy-written-down", "The accuracy is a number in the code.", _RESULTS, _accuracy_written_down
    ),
    Operator("labels-against-labels", "Labels are held against labels.", _RESULTS, _labels_against_labels),
)
