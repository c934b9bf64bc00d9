from __future__ import annotations

from typing import Any

import pytest

from grader.rewriting.seeds import other_seeds


def a_notebook(*sources: str) -> dict[str, Any]:
    cells = [{"cell_type": "markdown", "source": "# seed = 1"}]
    return {"cells": cells + [{"cell_type": "code", "source": source} for source in sources]}


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("import numpy as np\nnp.random.seed(1)", "import numpy as np\nnp.random.seed(2001)"),
        (
            "from tensorflow import random as r\nr.set_seed(0)  # 0",
            "from tensorflow import random as r\nr.set_seed(2000)  # 0",
        ),
        ("import numpy\ng = numpy.random.default_rng(7)", "import numpy\ng = numpy.random.default_rng(2007)"),
        ("d.shuffle(100, seed=3)", "d.shuffle(100, seed=2003)"),
        (
            "import numpy as np\nnp.random.default_rng(seed=3)",
            "import numpy as np\nnp.random.default_rng(seed=2003)",
        ),
    ],
)
def test_a_seed_in_the_code_becomes_another_one(source, changed):
    [edit] = other_seeds(a_notebook("x = 1", source), 2)
    assert (edit.cell, edit.source) == (3, changed)


@pytest.mark.parametrize(
    "source",
    [
        "seed = 1",
        "import numpy as np\nnp.random.seed(seed)",
        "import numpy as np\nnp.random.default_rng()",
        "f(1)",
    ],
)
def test_what_is_no_number_that_seeds_stays(source):
    assert other_seeds(a_notebook(source), 1) == ()


def test_all_seeds_of_a_cell_are_changed_in_one_edit():
    source = "import numpy as np\nimport random\nrandom.seed(1); np.random.seed(2)"
    [edit] = other_seeds(a_notebook(source), 1)
    assert edit.source.endswith("random.seed(1001); np.random.seed(1002)")
