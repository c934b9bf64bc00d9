from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.notebook.machinery import Reach, files_run, reaches_of_cells, reaches_of_file
from grader.notebook.reading import read_notebook
from grader.notebook.records import Cell, CellKind

REPOSITORY = Path(__file__).resolve().parents[2]
HONEST = [
    *REPOSITORY.glob("reference_solutions/*/**/*.ipynb"),
    *REPOSITORY.glob("submissions/*/*/*.ipynb"),
]


def reaches(source: str) -> list[str]:
    cells = (Cell(number=1, kind=CellKind.CODE, source=source),)
    return [found.what for found in reaches_of_cells(cells)]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import sys\nsys.modules['probes.recorder'].measure = f", "sys.modules"),
        ("import os\nm = os.sys.modules.get('x')", "sys.modules"),
        ("from sys import modules\nmodules['x']", "sys.modules"),
        ("import sys\nf = sys._getframe(1).f_back", "_getframe"),
        ("import gc\ngc.get_objects()", "get_objects"),
        ("get_ipython().ast_transformers.append(x)", "ast_transformers"),
        ("get_ipython().kernel.iopub_socket", "iopub_socket"),
        ("import tensorflow as tf\ntf.GradientTape = Mine", "tf.GradientTape = …"),
        ("import numpy as np\nnp.argmax = f", "np.argmax = …"),
        ("import numpy as np\nsetattr(np, 'arg' + 'max', f)", "setattr on np"),
        ("exec(hidden)", "exec(…)"),
        ("eval(a + b)", "eval(…)"),
        ("__import__('o' + 's')", "__import__(…)"),
        ("import ctypes", "import ctypes"),
        ("from probes import recorder", "import probes"),
        ("open('/proc/self/fd/7', 'w')", "'/proc/self/fd/7'"),
        ("np.load('/run/settings/inputs/mnist.npy')", "'/run/settings/inputs/mnist.npy'"),
        ("import os\nfor n in range(60):\n    os.write(n, b'{}')", "os.write"),
        ("from os import fdopen\nfdopen(7, 'w')", "os.fdopen"),
        ("open(7, 'wb')", "open of a number"),
        ("%%writefile helper.py\nimport sys\nsys.modules['x']", "sys.modules"),
    ],
)
def test_code_that_reaches_into_what_runs_it_is_found(source, what):
    assert what in reaches(source)


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nIN_COLAB = 'google.colab' in sys.modules",
        "get_ipython().system('pip install x')\nget_ipython().run_line_magic('matplotlib', 'inline')",
        "import gc\ngc.collect()",
        "import inspect\nprint(inspect.getsource(f))",
        "import numpy as np\nnp.float = float\nnp.bool = np.bool_",
        "import tensorflow as tf\ntf.logging = tf.compat.v1.logging\ntf.random.set_seed(1)",
        "import numpy as np\nnp.random.seed(1)\nx = np.stack([a, b])",
        "import matplotlib.pyplot as plt\nplt.rcParams['figure.figsize'] = (3, 3)",
        "model.compile('sgd', 'mse')\nfor m in model.modules(): pass",
        "model.optimizer = o\nself.time = 3",
        "import time\nstart = time.time()\ntime_taken = time.time() - start",
        "print(open('/proc/cpuinfo').read())",
        "print('we probe it linearly with linear probes')",
        "import os\nos.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'",
    ],
)
def test_everyday_code_does_not(source):
    assert reaches(source) == []


def test_names_of_libraries_are_known_from_earlier_cells():
    cells = [
        Cell(number=number, kind=CellKind.CODE, source=source)
        for number, source in enumerate(("import numpy as np", "np.argmax = f"), start=1)
    ]
    assert reaches_of_cells(cells) == (Reach(what="np.argmax = …", cell=2),)


@pytest.mark.parametrize("file", HONEST, ids=lambda file: file.name)
def test_no_reference_and_no_sample_does(file):
    assert reaches_of_cells(read_notebook(file.read_bytes()).code_cells) == ()


def test_a_file_that_was_handed_in_is_named():
    assert reaches_of_file("helper.py", "exec(x)\nexec(y)") == (Reach(what="exec(…)", file="helper.py"),)
    assert reaches_of_file("helper.py", "this is no Python (") == ()


def test_a_notebook_that_another_one_runs_is_looked_into_too():
    cells = [{"cell_type": "markdown", "source": "exec(x)"}, {"cell_type": "code", "source": ["exec", "(x)"]}]
    text = json.dumps({"cells": cells})
    assert reaches_of_file("other.ipynb", text) == (Reach(what="exec(…)", file="other.ipynb"),)
    assert reaches_of_file("other.ipynb", '{"cells": [3, {"cell_type": "code"}]}') == ()
    for broken in ("", "[]", "{}", '{"cells": 3}'):
        (reach,) = reaches_of_file("other.ipynb", broken)
        assert reach.what == "a notebook that cannot be read"


def test_what_is_run_is_named_behind_the_magic():
    source = "x = 1\n%run helper.py\n  %run ../other.ipynb -i\n# %run nothing.py"
    named = files_run([Cell(number=1, kind=CellKind.CODE, source=source)])
    assert "helper.py" in named
    assert "other.ipynb" in named
    assert "nothing" not in named
