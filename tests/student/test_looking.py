"""What is told of a notebook by reading it."""

from __future__ import annotations

import pytest
from student.conftest import finding, told

from grader.checks.previews import Sight
from grader.errors import NotebookError, UsageError
from grader.student.looking import look
from grader.student.own_work import read_own

NAMES = "# %% [markdown]\nAlex Example, Sam Sample\n"
MODEL = """
# %%
import numpy as np
import tensorflow as tf
(x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data()
x_train = x_train.reshape(-1, 784).astype(np.float32) / 255
x_test = x_test.reshape(-1, 784).astype(np.float32) / 255
y_train = y_train.astype(np.int32)
# %%
w1 = tf.Variable(tf.random.normal([784, 100], stddev=0.1))
w2 = tf.Variable(tf.random.normal([100, 10], stddev=0.1))
for step in range(500):
    rows = np.random.randint(0, len(x_train), 128)
    with tf.GradientTape() as tape:
        outputs = {outputs}
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y_train[rows], logits=outputs))
    for v, g in zip([w1, w2], tape.gradient(loss, [w1, w2])):
        v.assign_sub(0.1 * g)
"""
TEST = """
# %%
print("Test accuracy:", np.mean(np.argmax(tf.nn.relu(x_test @ w1) @ w2, 1) == y_test))
#> Test accuracy: 0.9531
"""
PLAIN = "tf.nn.relu(x_train[rows] @ w1) @ w2"


def a_model(outputs: str = PLAIN, test: str = TEST) -> str:
    return NAMES + MODEL.format(outputs=outputs) + test


def test_an_honest_notebook_has_no_fault(look_at):
    looked = look_at(a_model())
    assert looked.likely_faults == ()
    assert finding(looked, "runs").sight is Sight.FOUND


# Likely faults ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["softmax", "relu", "sigmoid"])
def test_an_activation_before_a_loss_from_logits_is_named(look_at, name):
    looked = look_at(a_model(f"tf.nn.{name}({PLAIN})"))
    assert f"`{name}` in cell 3" in told(looked, "squashed-logits")


def test_softmax_before_a_loss_of_probabilities_is_right(look_at):
    text = a_model(f"tf.nn.softmax({PLAIN})").replace(
        "tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y_train[rows], logits=outputs)",
        "tf.keras.losses.sparse_categorical_crossentropy(y_train[rows], outputs)",
    )
    assert look_at(text).likely_faults == ()


def test_labels_in_a_column_are_named(look_at):
    text = a_model(test=TEST.replace("== y_test", "== labels"))
    looked = look_at(text.replace("y_train = y_train", "labels = y_test.reshape(-1, 1)\ny_train = y_train"))
    assert "`labels`" in told(looked, "labels-in-a-column")


def test_labels_in_a_column_beside_predictions_in_a_column_are_right(look_at):
    test = TEST.replace(", 1) ==", ", 1).reshape(-1, 1) ==")
    text = a_model(test=test.replace("== y_test", "== labels"))
    looked = look_at(text.replace("y_train = y_train", "labels = y_test.reshape(-1, 1)\ny_train = y_train"))
    assert looked.likely_faults == ()


def test_a_result_that_is_never_used_beside_a_stale_one_is_named(look_at):
    accuracy = "print(np.mean(np.argmax(outputs, 1) == y_train[rows]))"
    test = f"\n# %%\ntested = tf.nn.relu(x_test @ w1) @ w2\n{accuracy}\n"
    text = told(look_at(a_model(test=test)), "unused-result")
    assert "`tested`" in text
    assert "`outputs`" in text


def test_a_decorator_out_of_use_is_named(look_at):
    cell = "\n# %%\n#@tf.function\ndef fast(x):\n    return x\n"
    assert "`fast`" in told(look_at(a_model() + cell), "decorator-off")


def test_a_loss_that_stays_and_an_accuracy_of_guessing_are_named(look_at):
    stuck = "\n# %%\nprint(1)\n" + "".join(f"#> step {n}: loss 2.3026\n" for n in (1, 2, 3))
    assert "2.30" in told(look_at(a_model(test=stuck)), "nothing-learned")
    guess = TEST.replace("0.9531", "0.0980")
    assert "0.0980" in told(look_at(a_model(test=guess)), "nothing-learned")


def test_the_warning_of_missing_gradients_and_saved_errors_are_named(look_at):
    cell = "\n# %%\nprint(1)\n#2> WARNING:tensorflow:Gradients do not exist for variables ['b']\n"
    assert "no gradient" in told(look_at(a_model() + cell), "no-gradients")
    cell = "\n# %%\nprint(nothing)\n#! NameError: name 'nothing' is not defined\n"
    assert "NameError" in told(look_at(a_model() + cell), "saved-errors")


# Will it run ------------------------------------------------------------------------------------------


def test_cells_that_are_no_python_and_names_that_are_not_there_are_named_with_their_cells(look_at):
    looked = look_at(NAMES + "# %%\nx = = 1\n# %%\nprint(later)\n# %%\nlater = 1\n")
    assert "Cell 2 is not Python" in told(looked, "runs")
    assert "set only further down, in cell 4" in told(looked, "runs")
    assert finding(looked, "runs").is_failure


@pytest.mark.parametrize("line", ["pip install tensorflow", "ls -l", "cd drive", "%matplotlib inline", "!ls"])
def test_lines_that_only_ipython_understands_are_no_faults(look_at, line):
    assert finding(look_at(f"{NAMES}# %%\n{line}\n"), "runs").sight is Sight.FOUND


def test_files_that_are_not_there_are_named_and_those_beside_are_to_be_handed_in(look_at, tmp_path):
    (tmp_path / "there.npy").write_bytes(b"x")
    (tmp_path / "helper.py").write_text("x = 1", "utf-8")
    cell = "# %%\nimport numpy as np, helper\nnp.load('there.npy')\nnp.load('gone.npy')\n"
    text = told(look_at(NAMES + cell), "files")
    assert "Not beside the notebook: `gone.npy` (cell 2)" in text
    assert "Hand in with it what it uses: `there.npy`, `helper.py`" in text


# The right assignment ---------------------------------------------------------------------------------


def test_a_notebook_of_another_assignment_is_told_apart(look_at):
    text = "# %% [markdown]\n# Assignment 2: Data, Pictures and Problems\n# %% [markdown]\nshuffle -> batch"
    looked = look_at(text, "a1")
    assert finding(looked, "right-assignment").is_failure
    assert "Data, Pictures and Problems" in told(looked, "right-assignment")
    assert finding(look_at(text, "a2"), "right-assignment").sight is Sight.FOUND


def test_a_name_of_another_assignment_alone_is_worth_a_look(look_at):
    looked = look_at(a_model(), "a1", "assignment_3.ipynb")
    assert finding(looked, "right-assignment").sight is Sight.UNCLEAR


# Answers ----------------------------------------------------------------------------------------------

QUESTION = (
    "# %% [markdown]\nInitializing variables to 0 will not work for multilayer perceptrons. You need to "
    "initialize values randomly instead. Why do you think this is the case?\n"
)


def test_an_answer_below_its_question_is_found_whatever_it_says(look_at):
    for answer in ("All neurons would learn the same thing.", "Because the moon is made of green cheese."):
        looked = look_at(f"{a_model()}\n{QUESTION}\n{answer}\n")
        assert told(looked, "question-zeros") == "An answer stands in cell 5."


def test_a_question_without_an_answer_is_missing(look_at):
    looked = look_at(f"{a_model()}\n{QUESTION}")
    assert finding(looked, "question-zeros").is_failure
    assert "The question stands in cell 5" in told(looked, "question-zeros")
    assert finding(look_at(a_model()), "question-zeros").sight is Sight.MISSING


def test_a_question_without_an_answer_beside_other_text_is_worth_a_look(look_at):
    """The answer may stand there in words of its own, and the grading may know it."""
    looked = look_at(
        f"{a_model()}\n{QUESTION}\n# %% [markdown]\n## All answers\n1) They all learn the same.\n"
    )
    assert finding(looked, "question-zeros").sight is Sight.UNCLEAR
    assert "The question stands in cell 5, and no answer right below it" in told(looked, "question-zeros")


def test_words_of_a_right_answer_elsewhere_are_not_what_finds_it(look_at):
    """Else the check could be asked for the words of the key, one by one."""
    right = "By symmetry all units would get the same gradient and stay alike."
    other = "By chance all colours would get the same picture and stay green."
    for text in (right, other):
        looked = look_at(f"{a_model()}\n# %% [markdown]\n{text}\n")
        assert finding(looked, "question-zeros").sight is Sight.UNCLEAR
        assert told(looked, "question-zeros").startswith("No text was found that clearly answers it")


def test_orders_that_are_named_are_found_and_others_are_missing(look_at):
    looked = look_at(
        f"{NAMES}# %% [markdown]\nshuffle -> batch -> repeat does whatever it does to the data.\n", "a2"
    )
    assert finding(looked, "order-shuffle-batch-repeat").sight is Sight.FOUND
    assert finding(looked, "order-repeat-batch-shuffle").is_failure


def test_a_notebook_that_is_none_gets_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        read_own(tmp_path / "gone.ipynb")
    (tmp_path / "script.py").write_text("x = 1", "utf-8")
    with pytest.raises(UsageError, match="is no notebook"):
        read_own(tmp_path / "script.py")
    (tmp_path / "page.ipynb").write_text("<html>", "utf-8")
    with pytest.raises(NotebookError, match="web page"):
        read_own(tmp_path / "page.ipynb")


# As other systems write things ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "sight"),
    [
        (r"C:\\Users\\me\\there.npy", Sight.UNCLEAR),
        ("/Users/me/Desktop/there.npy", Sight.UNCLEAR),
        (r".\\there.npy", Sight.FOUND),
        ("/content/drive/My Drive/there.npy", Sight.FOUND),
    ],
)
def test_a_file_beside_the_notebook_is_found_by_its_name(look_at, tmp_path, path, sight):
    (tmp_path / "there.npy").write_bytes(b"x")
    looked = look_at(f"{NAMES}# %%\nimport numpy as np\nnp.load('{path}')\n")
    assert finding(looked, "files").sight is sight
    assert "Hand in with it what it uses: `there.npy`" in told(looked, "files")
    assert ("open it as `there.npy`" in told(looked, "files")) is (sight is Sight.UNCLEAR)


def test_a_drive_of_windows_is_no_folder_below_the_notebook(look_at, tmp_path):
    (tmp_path / "C:" / "data").mkdir(parents=True)
    (tmp_path / "C:" / "data" / "away.npy").write_bytes(b"x")
    looked = look_at(f"{NAMES}# %%\nimport numpy as np\nnp.load('C:/data/away.npy')\n")
    assert "Not beside the notebook: `C:/data/away.npy`" in told(looked, "files")


@pytest.mark.parametrize(
    "as_saved",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\\n", "\\r\\n"),
        lambda text: "\ufeff" + text,
    ],
    ids=["CRLF in the file", "CRLF in the cells", "byte order mark"],
)
def test_what_an_editor_does_to_line_ends_changes_nothing(write, editions, as_saved):
    path = write(f"{a_model()}\n# %%\n%matplotlib inline\n!pip install x\nprint(later)\n{QUESTION}\nIt is.\n")
    before = look(read_own(path), editions["a1"])
    path.write_bytes(as_saved(path.read_text("utf-8")).encode("utf-8"))
    assert look(read_own(path), editions["a1"]) == before
