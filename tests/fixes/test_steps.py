from __future__ import annotations

import pytest

from grader.fixes.steps import number_of, steps_constant, with_number

LOOP = "    with tf.GradientTape() as tape:\n        pass\n"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (f"N = 2000\nfor step in range(N):\n{LOOP}", "N"),
        (
            f"SIZES = 3\nSTEPS = 100\nfor i in range(SIZES):\n    print(i)\nfor s in range(STEPS):\n{LOOP}",
            "STEPS",
        ),
        (f"steps: int = 10\nstep = 0\nwhile step < steps:\n{LOOP}    step += 1", "steps"),
        ("def train(n_steps=500):\n    for s in tf.range(n_steps):\n        opt.minimize(f)", "n_steps"),
        (
            "p.add_argument('-s', '--train-steps', type=int, default=2000)\nargs = p.parse_args()\n"
            f"for step in range(args.train_steps):\n{LOOP}",
            "train_steps",
        ),
        (f"for step in range(2000):\n{LOOP}", ""),
        (f"N = int(2e3)\nfor step in range(N):\n{LOOP}", ""),
        ("this is no Python", ""),
        ("", ""),
    ],
)
def test_the_constant_that_bounds_the_training_is_found(source, name):
    assert steps_constant(source) == name


def test_the_number_is_read_and_set_where_it_stands():
    source = 'ä = "€"; N = 2000  # steps\nprint(N)\n'
    assert number_of(source, "N") == 2000
    assert with_number(source, "N", 60) == 'ä = "€"; N = 60  # steps\nprint(N)\n'
    assert number_of(with_number(source, "N", 60), "N") == 60


def test_two_different_numbers_are_no_number():
    assert number_of("N = 1\nN = 2\n", "N") is None
    assert number_of("N = True", "N") is None


def test_an_option_and_a_default_are_set_too():
    source = "p.add_argument('--n', default=5)\ndef f(a, n=5, *, m=1):\n    pass\n"
    assert (
        with_number(source, "n", 7) == "p.add_argument('--n', default=7)\ndef f(a, n=7, *, m=1):\n    pass\n"
    )
