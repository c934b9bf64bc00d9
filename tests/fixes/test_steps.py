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
        (f"steps = 100\nfor step, (x, y) in zip(range(steps), data):\n{LOOP}", "steps"),
        (f"N = 9\nfor step, x in enumerate(data.take(N)):\n{LOOP}", "N"),
        (f"N = 9\nfor step, x in enumerate(data):\n    if step >= N:\n        break\n{LOOP}", "N"),
        (
            f"N = 9\ndef train(steps=N):\n    for step in range(steps):\n{LOOP.replace('    ', '        ')}",
            "N",
        ),
        (
            "LAYERS = 8\nS = 9\nfor i in range(LAYERS):\n    print(i)\n"
            "def train_step(x):\n    opt.minimize(x)\nfor step, x in zip(range(S), data):\n    train_step(x)",
            "S",
        ),
        (f"LAYERS = 8\nfor i in range(LAYERS):\n    print(i)\nfor step in range(2000):\n{LOOP}", ""),
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
