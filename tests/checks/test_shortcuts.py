"""Flags on ways to right predictions besides a training."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assess import assess
from grader.checks.shortcuts import flags_of_shortcuts
from grader.datasets.finding import dataset_names
from grader.evidence.record import Evidence
from grader.model import Attachment, Participant, Submission
from grader.notebook.reading import read_notebook
from grader.notebook.records import Cell, CellKind, Notebook, Readings
from grader.references import notebook_of, read_reference, source_of
from grader.rubric import read_rubric

ROOT = Path(__file__).resolve().parents[2]
REFERENCES = ROOT / "reference_solutions" / "a1"
RUBRIC = read_rubric(ROOT / "rubrics" / "a1.yaml", datasets=dataset_names())
SHA = "0" * 64


def evidence(*sources: str, files: dict[str, int] | None = None) -> Evidence:
    cells = tuple(Cell(number=n, kind=CellKind.CODE, source=s) for n, s in enumerate(sources, start=1))
    attachments = [Attachment(name=name, size_bytes=size, sha256=SHA) for name, size in (files or {}).items()]
    submission = Submission(
        id="one",
        assignment="a1",
        participant=Participant(id="1"),
        folder=Path("a1/one"),
        notebook="a1.ipynb",
        notebook_sha256=SHA,
        attachments=tuple(attachments),
    )
    return Evidence(schema=1, submission=submission, notebook=Notebook(cells=cells), saved=Readings())


def flags(*sources: str, files: dict[str, int] | None = None) -> list[str]:
    return list(flags_of_shortcuts(evidence(*sources, files=files)))


NUMBERS = ", ".join(str(n / 7) for n in range(2000))

LARGE = {
    "a string": f"w = '{'A' * 25_000}'",
    "strings in pieces": "w = [" + ", ".join(f"'{'A' * 5_000}'" for _ in range(5)) + "]",
    "strings added up": "w = " + " + ".join(f"'{'A' * 5_000}'" for _ in range(5)),
    "numbers": f"import numpy as np\nw = np.array([{NUMBERS}])",
    "rows of numbers": f"w = [[{NUMBERS}], [{NUMBERS}]]",
    "one number of many digits": f"w = 0x{'f' * 25_000}",
    "a table": "t = {" + ", ".join(f"{n}: -{n}" for n in range(5_000)) + "}",
    "code that cannot be read": "w = (\n" + "A" * 25_000,
    "another language": "%%writefile weights.txt\n" + "A" * 25_000,
}


@pytest.mark.parametrize("what", LARGE)
def test_data_written_out_in_the_code_is_flagged_with_its_cell(what):
    [flag] = flags("x = 1", LARGE[what])
    assert "in cell 2" in flag
    assert "kB" in flag


def test_large_data_spread_over_cells_is_flagged():
    [flag] = flags(*[f"part_{n} = '{'A' * 3_000}'" for n in range(8)])
    assert "24 kB" in flag


def test_much_ordinary_code_is_no_data():
    assert flags("\n".join(f"x_{n} = f({n}, 'a short text')" for n in range(3_000))) == []
    assert flags("'''" + "An answer in words. " * 200 + "'''", "# " + "A" * 30_000) == []


LOADED = {
    "np.load": ("import numpy as np\nw = np.load('weights.npz')['w']", "weights.npz"),
    "a path": ("import numpy as np\nw = np.load(r'C:\\work\\weights.npz')", "weights.npz"),
    "pickle": ("import pickle\nw = pickle.load(open('/content/drive/MyDrive/w.pkl', 'rb'))", "a1/w.pkl"),
    "pickle of an opened file": (
        "import pickle\nwith open('w.pkl', 'rb') as f:\n    w = pickle.load(f)",
        "w.pkl",
    ),
    "load_weights": ("net.load_weights('net.weights.h5')", "net.weights.h5"),
    "load_model": ("from keras.models import load_model\nnet = load_model('net.keras')", "net.keras"),
    "a saved model": ("import tensorflow as tf\nnet = tf.saved_model.load('net/')", "net/saved_model.pb"),
    "a checkpoint": (
        "import tensorflow as tf\ntf.train.Checkpoint(w=w).restore('./ckpt-1')",
        "ckpt-1.index",
    ),
}


@pytest.mark.parametrize("how", LOADED)
def test_weights_loaded_from_what_was_handed_in_are_flagged(how):
    source, file = LOADED[how]
    [flag] = flags("x = 1", source, files={file: 300_000, "picture.png": 10_000})
    assert flag.startswith("Cell 2 loads")
    assert f"`{file}`" in flag
    assert flags("x = 1", source) == []
    assert flags("x = 1", source, files={"picture.png": 10_000}) == []


def test_a_file_that_the_notebook_writes_itself_is_its_own():
    source = "import numpy as np\nnp.save('w.npy', w)\nw = np.load('w.npy')"
    assert flags(source, files={"w.npy": 300_000}) == []


def test_a_large_module_that_was_handed_in_is_flagged_and_a_helper_is_not():
    source = "from helper import data"
    [flag] = flags(source, files={"helper.py": 300_000})
    assert "`helper.py`" in flag
    assert flags(source, files={"helper.py": 3_000, "other.py": 300_000}) == []


NEAREST = {
    "scikit-learn": "from sklearn.neighbors import KNeighborsClassifier\nKNeighborsClassifier(1).fit(x, y)",
    "NumPy": "import numpy as np\nfor i in u:\n    p.append(y[np.argmin(((x - i) ** 2).sum(axis=1))])",
    "a name between": "import numpy as np\nd = np.linalg.norm(x - u[0], axis=1)\np = y[np.argmin(d)]",
    "TensorFlow": "import tensorflow as tf\nd = tf.math.squared_difference(x, u)\ni = tf.argmin(d)",
    "a tree": "from scipy.spatial import cKDTree\ncKDTree(x).query(u)",
}
LOOKED_UP = {
    "bytes": "table = {image.tobytes(): label for image, label in zip(x, y)}",
    "a hash": "import hashlib\nk = hashlib.md5(image).hexdigest()\np = table[k]",
    "Python's hash": "p = table[hash(tuple(image))]",
    "equal pixels": "import numpy as np\np = y[np.where((x == image).all(axis=1))[0][0]]",
    "equal pixels in TensorFlow": "import tensorflow as tf\ntf.where(tf.reduce_all(tf.equal(x, i), 1))",
}


@pytest.mark.parametrize("how", NEAREST)
def test_nearest_neighbours_are_flagged(how):
    [flag] = flags("x = 1", NEAREST[how])
    assert flag.startswith("Cell 2 looks for what is nearest")


@pytest.mark.parametrize("how", LOOKED_UP)
def test_look_ups_are_flagged(how):
    [flag] = flags("x = 1", LOOKED_UP[how])
    assert flag.startswith("Cell 2 finds things by their very content")


THEMSELVES = {
    "labels": "import numpy as np\nprint(np.mean(v == v))",
    "labels made one-hot": "import tensorflow as tf\np = tf.one_hot(v, 10)\na = tf.equal(tf.argmax(p, 1), v)",
    "a copy": "p = v.copy()\nprint((p == v).mean())",
}


@pytest.mark.parametrize("how", THEMSELVES)
def test_labels_held_against_themselves_are_flagged(how):
    [flag] = flags("x = 1", THEMSELVES[how])
    assert flag.startswith("Cell 2 holds `v` against itself")


HONEST = {
    "a test": "import numpy as np\np = np.argmax(net(u), axis=1)\nprint(np.mean(p == v))",
    "a test by hand": "import numpy as np\np = np.argmax(u @ w, axis=1)\nprint(np.mean(p == v))",
    "one-hot labels": "import numpy as np\nv = np.eye(10)[v]\nc = np.argmax(p, 1) == np.argmax(v, 1)",
    "shapes": "assert x.shape[1] == x.shape[2]",
    "a function of both": "p = predict(u, v)\nprint((p == v).mean())",
    "the best setting": "import numpy as np\nbest = settings[np.argmin(losses)]",
    "sorting by confidence": "import numpy as np\norder = np.argsort(-p[wrong, predicted[wrong]])",
    "wrong images": "import numpy as np\nwrong = np.where(predicted != y)[0]\nright = np.flatnonzero(p == y)",
    "exact rows": "import numpy as np\naccuracy = np.mean(np.all(np.round(p) == one_hot, axis=1))",
    "a loss": "import tensorflow as tf\nloss = tf.reduce_mean((p - y) ** 2)\nprint(tf.argmax(p, 1))",
    "saving": "import numpy as np\nnp.savez('w.npz', *weights)",
}


@pytest.mark.parametrize("what", HONEST)
def test_what_honest_notebooks_do_is_not_flagged(what):
    assert flags(HONEST[what], files={"notes.npz": 100}) == []


@pytest.mark.parametrize(
    "path",
    [REFERENCES / "solution.ipynb", *sorted((REFERENCES / "variants").glob("*.ipynb"))],
    ids=lambda p: p.stem,
)
def test_solution_and_variants_take_no_shortcut(path):
    assert flags(*[cell.source for cell in read_notebook(path.read_bytes()).code_cells]) == []


@pytest.mark.parametrize(
    ("mutant", "words"),
    [
        ("nearest-neighbour", "what is nearest"),
        ("nearest-neighbour-in-tensorflow", "what is nearest"),
        ("labels-looked-up", "`test_labels` against itself"),
    ],
)
def test_the_mutants_that_take_a_shortcut_are_flagged(mutant, words):
    path = REFERENCES / "mutants" / f"{mutant}.yaml"
    notebook = notebook_of(read_reference(path, [c.id for c in RUBRIC.criteria]), is_quick=True)
    code = [source_of(cell) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [words in flag for flag in flags(*code)] == [True]


def test_the_flags_stand_in_the_grade_and_cost_no_points():
    plain, flagged = (assess(evidence(f"w = '{'A' * size}'"), RUBRIC) for size in (15_000, 25_000))
    assert len(flagged.flags) == len(plain.flags) + 1
    assert [c.verdict.outcome for c in flagged.criteria] == [c.verdict.outcome for c in plain.criteria]
