from __future__ import annotations

import pytest
from bounded import bounded
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.notebook.outputs import DIVERGED, read_outputs
from grader.notebook.records import (
    Cell,
    CellKind,
    Notebook,
    Output,
    OutputKind,
    Quantity,
    Readings,
    Split,
)


def a_notebook(*texts: str, source: str = "train()") -> Notebook:
    """A notebook with one code cell per text, which printed that text."""
    return Notebook(
        cells=tuple(
            Cell(
                number=number,
                kind=CellKind.CODE,
                source=source,
                outputs=(Output(kind=OutputKind.STREAM, text=text),) if text else (),
            )
            for number, text in enumerate(texts, start=1)
        )
    )


def accuracies(text: str, source: str = "train()") -> list[tuple[str, float]]:
    """(split, value) of the accuracies in one output."""
    readings = read_outputs(a_notebook(text, source=source))
    return [(n.split.value, round(n.value, 6)) for n in readings.numbers if n.quantity is Quantity.ACCURACY]


def losses(text: str) -> list[float]:
    return [n.value for n in read_outputs(a_notebook(text)).numbers if n.quantity is Quantity.LOSS]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acc: 0.95", [("unknown", 0.95)]),
        ("Accuracy: tf.Tensor(0.9512, shape=(), dtype=float32)", [("unknown", 0.9512)]),
        ("accuracy <tf.Tensor: shape=(), dtype=float32, numpy=0.9512>", [("unknown", 0.9512)]),
        ("Accuracy: np.float32(0.93)", [("unknown", 0.93)]),
        ("95.12% accuracy", [("unknown", 0.9512)]),
        ("We got 97% test accuracy", [("test", 0.97)]),
        ("Test accuracy = .951", [("test", 0.951)]),
        ("Test Accuracy: 0.9512 (95.12%)", [("test", 0.9512)]),
        ("Genauigkeit auf den Testdaten: 0.93", [("test", 0.93)]),
        ("Testgenauigkeit: 93.1 %", [("test", 0.931)]),
        ("val_acc 0.9, tr_acc 0.91", [("validation", 0.9), ("train", 0.91)]),
        ("train acc: 0.97 test acc: 0.95", [("train", 0.97), ("test", 0.95)]),
        ("Test loss: 0.3, accuracy: 0.93", [("test", 0.93)]),
        ("Train loss: 0.2, accuracy: 0.9 | Test loss: 0.3, accuracy: 0.8", [("train", 0.9), ("test", 0.8)]),
        ("Test set: Average loss: 0.0471, Accuracy: 9850/10000 (98%)", [("test", 0.985)]),
        ("Accuracy of the network on the 10000 test images: 95 %", [("test", 0.95)]),
        ("accuracy on 10,000 test images: 0.95", [("test", 0.95)]),
        ("test loss, test acc: [0.07, 0.97]", [("test", 0.97)]),
        ("accuracy (lr=0.01): 0.95", [("unknown", 0.95)]),
        ("accuracy with lr 0.01: 0.95", [("unknown", 0.95)]),
        ("accuracy for 0.01: 0.95", [("unknown", 0.95)]),
        ("Accuracy with 2 hidden layers: 0.95", [("unknown", 0.95)]),
        (
            "Iteration 300, Loss: 0.48, Accuracy: 85.94, Val Accuracy: 87.0",
            [("unknown", 0.8594), ("validation", 0.87)],
        ),
        ("accuracy: 0.95 (test)", [("test", 0.95)]),
        ("Accuracy: 100.0", [("unknown", 1.0)]),
        ("error rate: 4.9%", [("unknown", 0.951)]),
        ("Test error rate = 0.049", [("test", 0.951)]),
        ("Test accuracy:\n0.9512", [("test", 0.9512)]),
        ("Test set:\nloss: 0.1\naccuracy: 0.95", [("test", 0.95)]),
        ("Test accuracy for 50/100/200 neurons: [0.92, 0.93]", [("test", 0.92), ("test", 0.93)]),
        ("accuracies: [0.91, 0.92]", [("unknown", 0.91), ("unknown", 0.92)]),
        ("train accuracies: [91.1\n 92.2]\n", [("train", 0.911), ("train", 0.922)]),
        (
            "accs [<tf.Tensor: shape=(), dtype=float32, numpy=0.9>, <tf.Tensor: shape=(), numpy=0.8>]",
            [("unknown", 0.9), ("unknown", 0.8)],
        ),
        (
            "{'loss': [0.5], 'accuracy': [0.8], 'val_loss': [0.4], 'val_accuracy': [0.85]}",
            [("train", 0.8), ("validation", 0.85)],
        ),
        ("100%|███| 600/600 [00:10<00:00, 55.3it/s, acc=0.95, loss=0.2]", [("unknown", 0.95)]),
    ],
)
def test_accuracies_are_read_in_every_shape(text: str, expected: list[tuple[str, float]]) -> None:
    assert accuracies(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0.95",
        "[0.07, 0.97]",
        "learning rate: 0.01",
        "Time: 12.3s",
        "took 0.95 seconds",
        "(60000, 784) 0.95",
        "2023-01-05 12:30:45 accuracy",
        'Tensor("Mean:0", shape=(), dtype=float32)',
        'acc Tensor("Mean:0", shape=(), dtype=float32) 0.5',
        "accuracy <tf.Tensor 'Mean:0' shape=() dtype=float32> 0.5",
        "Accuracy: 95",
        "Accuracy: 1",
        "accuracy: 12.3s",
        "accuracy: nan",
        "accuracy 2.30",
        "accuracy: -0.5",
        "accuracy: 1.5e400",
        "Target accuracy: 0.95",
        "accuracy improved by 0.05",
        "accuracy increased from 0.8 to 0.95",
        "accuracy difference: 0.02",
        "top-5 accuracy: 0.99",
        "class 3 accuracy: 0.99",
        "Accuracy for digit 3: 0.98",
        "accuracy, lr = 0.01",
        "accuracy for learning rate: 0.01",
        "accuracy threshold 0.9",
        "accurate to 0.95",
        "the test error: 0.05",
        "loss: 0.95",
        "accuracy; lr 0.5",
        "accuracy_drop: 0.3",
        "Test accuracy > 90%",
        "SUCCESS! Achieved >90% accuracy",
        "we want at least 95% accuracy",
    ],
)
def test_other_numbers_are_not_read_as_accuracies(text: str) -> None:
    assert accuracies(text) == []


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("Accuracy after training: 0.95", "unknown"),
        ("Training finished. Accuracy 0.95", "unknown"),
        ("Training step 100 accuracy 0.93", "unknown"),
        ("Test 1: accuracy 0.93", "unknown"),
        ("Train/Test accuracy: 0.93", "unknown"),
        ("test_acc: 0.95, train_acc: 0.96", "test"),
        ("Training accuracy 0.93", "train"),
        ("acc_test=0.9", "test"),
        ("testAcc 0.9", "test"),
    ],
)
def test_a_split_is_told_only_where_the_text_tells_it(text: str, split: str) -> None:
    assert accuracies(text)[0][0] == split


def test_a_group_lends_its_split_once() -> None:
    assert accuracies("test_acc: 0.95, acc: 0.99") == [("test", 0.95), ("unknown", 0.99)]


def test_a_keras_log_is_training_until_its_last_epoch_is_over() -> None:
    log = (
        "Epoch 1/2\n1875/1875 [====] - 3s 1ms/step - loss: 0.29 - accuracy: 0.91\n"
        "Epoch 2/2\n1875/1875 ━━━━━━━━ 3s 1ms/step - accuracy: 0.94 - loss: 0.19\n"
        "313/313 [====] - 0s 1ms/step - loss: 0.07 - accuracy: 0.97\n"
    )
    readings = read_outputs(a_notebook(log))
    found = [(n.split.value, n.step, n.value) for n in readings.numbers if n.quantity is Quantity.ACCURACY]
    assert found == [("train", 1, 0.91), ("train", 2, 0.94), ("unknown", None, 0.97)]


def test_validation_beside_it_makes_a_plain_accuracy_one_of_training() -> None:
    line = "1875/1875 - 3s - loss: 0.2 - accuracy: 0.91 - val_loss: 0.1 - val_accuracy: 0.94 - 3s/epoch"
    assert accuracies(line) == [("train", 0.91), ("validation", 0.94)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "  activation  units  accuracy\n0       relu    128     0.951\n1    sigmoid     64     0.921\n",
            [("unknown", 0.951), ("unknown", 0.921)],
        ),
        (
            "| model | test acc (%) | loss |\n|---|---|---|\n| relu | 95.1 | 0.1 |\n| tanh | 94 | 0.2 |\n",
            [("test", 0.951), ("test", 0.94)],
        ),
        ("model\tTest accuracy\nrelu\t0.95\n", [("test", 0.95)]),
        ("epoch loss acc\n1 0.5 0.8\n2 0.4 0.9\n", [("unknown", 0.8), ("unknown", 0.9)]),
        ("       accuracy  loss\ncount  5.0       5.0\nstd    0.01      0.1\n", []),
        ("lr    accuracy\nthe end of it all, 0.95\n", []),
    ],
)
def test_tables_are_read_by_column(text: str, expected: list[tuple[str, float]]) -> None:
    assert accuracies(text) == expected


def test_a_series_keeps_its_steps_and_splits_apart() -> None:
    log = "\n".join(f"Step {s}: train loss {v}, test acc {a}" for s, v, a in [(0, 2.3, 0.1), (100, 0.5, 0.9)])
    readings = read_outputs(a_notebook(log))
    assert [(s.quantity, s.split, s.steps, s.values) for s in readings.series] == [
        (Quantity.LOSS, Split.TRAIN, (0, 100), (2.3, 0.5)),
        (Quantity.ACCURACY, Split.TEST, (0, 100), (0.1, 0.9)),
    ]


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("Epoch 3: acc 0.5", 3),
        ("Epoch [3/10], acc: 0.5", 3),
        ("epoch: 3 acc 0.5", 3),
        ("100: acc 0.5", 100),
        ("[ 200/800] acc 0.5", 200),
        ("Test accuracy after epoch 5 is 0.5", 5),
        ("step=7 acc=0.5", 7),
        ("acc 0.5", None),
        ("3 layers: acc 0.5", None),
    ],
)
def test_the_step_is_read_beside_the_number(text: str, step: int | None) -> None:
    assert [number.step for number in read_outputs(a_notebook(text)).numbers] == [step]


def test_a_loss_of_nan_is_recorded_and_survives_storage() -> None:
    readings = read_outputs(
        a_notebook("step 0 loss: 2.3\nstep 1 loss: nan\nstep 2 loss: inf\nstep 3 acc: nan")
    )
    assert [number.value for number in readings.numbers] == [2.3, DIVERGED, DIVERGED]
    assert Readings.model_validate_json(readings.model_dump_json()) == readings


def test_losses_are_read() -> None:
    assert losses("Loss: 1.2e-05\ncross entropy: 0.3\nLoss at step 100: 2.3\nloss = 2\nVerlust: 0.4") == [
        1.2e-05,
        0.3,
        2.3,
        2.0,
        0.4,
    ]
    assert losses("loss function: cross entropy, learning rate 0.1") == []


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("acc = f()\ntest_accuracy.numpy()", "0.9512", [("test", 0.9512)]),
        ("accuracy(y_test, model(x_test))", "tf.Tensor(0.95, shape=(), dtype=float32)", [("test", 0.95)]),
        ("accuracy_threshold", "0.9", []),
        ("x", "0.9", []),
        ("accuracy == best", "0.9", []),
    ],
)
def test_a_bare_value_gets_its_meaning_from_the_expression_that_shows_it(
    source: str, text: str, expected: list[tuple[str, float]]
) -> None:
    assert accuracies(text, source=source) == expected


@pytest.mark.parametrize(
    ("source", "split"),
    [
        ('print("Accuracy:", accuracy(x_test, y_test))', "test"),
        ("print(f'Accuracy: {net.accuracy(test_images, test_labels)}')", "test"),
        ('print("Accuracy:", acc(xtr, ytr))', "train"),
        ('print("Accuracy:", acc(test_model, x_train))', "unknown"),
        ('print("Accuracy:", acc)', "unknown"),
        ('print("Accuracy:", acc(x_test))\nprint("Accuracy:", a)', "unknown"),
        ('print("Loss:", loss(x_test))', "unknown"),
    ],
)
def test_the_print_that_wrote_a_line_may_tell_its_split(source: str, split: str) -> None:
    assert accuracies("Accuracy: 0.95", source=source) == [(split, 0.95)]


def test_figures_errors_and_cells_are_counted() -> None:
    shown = Output(kind=OutputKind.DISPLAY, text="<Figure>", image="aGk=", image_type="image/png")
    failed = Output(kind=OutputKind.ERROR, error_name="ValueError", error_value="no\nmore", text="acc: 0.9")
    notebook = Notebook(
        cells=(
            Cell(number=1, kind=CellKind.MARKDOWN, source="acc: 0.5"),
            Cell(number=2, kind=CellKind.CODE, source="", outputs=(shown, shown, failed)),
            Cell(number=3, kind=CellKind.CODE, source=""),
        )
    )
    readings = read_outputs(notebook)
    assert readings.figures == (2, 2)
    assert readings.errors == ((2, "ValueError: no"),)
    assert (readings.cells_with_output, readings.code_cells) == (1, 2)
    assert readings.numbers == ()


@pytest.mark.parametrize(
    "piece",
    [
        "acc ",
        "acc [",
        "acc: [1 ",
        "acc: 0.5 ",
        "test ",
        "0.5 test ",
        "tf.Tensor(",
        "array(1",
        "<tf.numpy=",
        'Tensor("" ',
        "acc,",
        "((((((((((",
        "1",
        "1.1.1.",
        "1,111",
        "acc  loss  \n",
        "acc: [\n",
        "accuracy",
        "| acc ",
    ],
)
def test_hostile_megabytes_are_read_in_bounded_time(piece: str) -> None:
    text = piece * (10_000_000 // len(piece))
    with bounded():
        read_outputs(a_notebook(text))


VOCABULARY = (
    "acc accuracy test train val_accuracy loss nan inf : = [ ] ( ) | , . - 0.95 95 % 1/2 epoch step lr "
    "tf.Tensor( shape=() error rate cross entropy { } ' 1e999 ١٢ ² accuracies 10s and"
)
WORDS = st.sampled_from([*VOCABULARY.split(), "\n", "\t"])


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS | st.text(max_size=5), max_size=40).map(" ".join))
def test_no_text_crashes_the_reader_and_accuracies_stay_fractions(text: str) -> None:
    readings = read_outputs(a_notebook(text))
    assert all(0 <= n.value <= 1 for n in readings.numbers if n.quantity is Quantity.ACCURACY)
    assert Readings.model_validate_json(readings.model_dump_json()) == readings


@given(st.floats(0, 1), st.sampled_from(["test", "train", "val"]))
def test_a_printed_accuracy_is_read_back(value: float, split: str) -> None:
    names = {"test": "test", "train": "train", "val": "validation"}
    assert accuracies(f"{split}_accuracy: {value:.4f}") == [(names[split], round(value, 4))]


def test_bare_values_are_kept_as_lines_and_two_of_them_are_not_taken_for_one_accuracy() -> None:
    cell = Cell(
        number=3,
        kind=CellKind.CODE,
        source="for h in [5, 20]:\n    print(h, accuracy(h))",
        outputs=(Output(kind=OutputKind.STREAM, text="5 0.7129\n20 0.8157\n20 0.8157\nnothing\n"),),
    )
    readings = read_outputs(Notebook(cells=(cell,)))
    assert readings.lines == ((3, "5 0.7129"), (3, "20 0.8157"))
    one = cell.model_copy(update={"outputs": (Output(kind=OutputKind.STREAM, text="0.0 0.1917"),)})
    assert read_outputs(Notebook(cells=(one,))).numbers == ()
