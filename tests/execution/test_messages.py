from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from grader.execution.messages import Messages, error_told

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("data", "traceback", "transient", "execution_count", "text", "name", "ename", "wait", "metadata")


def a_message(kind="display_data", **content):
    return {"msg_type": kind, "content": content, "parent_header": {"msg_id": "1"}}


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_whatever_is_sent_becomes_flat_strings_and_numbers(content):
    rebuilt = Messages().rebuilt(a_message(**content))["content"]
    for value in rebuilt.values():
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        assert all(isinstance(part, str | int | bool) for part in inner)


@given(JSON)
def test_what_is_no_message_is_none(content):
    if not isinstance(content, dict):
        assert Messages().rebuilt({"msg_type": "stream", "content": content}) is None
    assert Messages().rebuilt({"msg_type": content, "content": None}) is None


def test_what_a_kernel_sends_stays_as_it_is():
    messages = Messages()
    for content in (
        {"name": "stdout", "text": "x"},
        {"data": {"text/plain": "1"}, "metadata": {}, "execution_count": 3},
        {"ename": "E", "evalue": "v", "traceback": ["a", "b"]},
        {"data": {"image/png": "aGk="}, "metadata": {}, "transient": {"display_id": "x"}},
        {"wait": True},
        {"execution_state": "idle"},
    ):
        assert messages.rebuilt(a_message(**content))["content"] == content


def test_every_text_counts_whether_it_is_shown_or_not():
    messages = Messages()
    messages.rebuilt(a_message(data={"x/y": "x" * 1000}, other="y" * 500, traceback=["z" * 50]))
    assert 1550 < messages.bytes < 2000


def test_displays_that_are_updated_without_end_cost_no_time():
    messages = Messages()
    begin = time.monotonic()
    named = 0
    for number in range(40_000):
        content = messages.rebuilt(a_message(data={}, transient={"display_id": str(number % 1000)}))[
            "content"
        ]
        named += "transient" in content
    assert named == 200 * 20
    assert time.monotonic() - begin < 5


def test_an_error_inside_a_function_of_tensorflow_is_told_by_itself():
    message = (
        'in user code:\n\n    File "/tmp/1.py", line 6, in train_step  *\n        apply(pairs)\n'
        '    File "/opt/keras/base_optimizer.py", line 503, in apply\n        self._check(variables)\n\n'
        "    ValueError: Unknown variable: <Variable path=w>.\n    This optimizer can only be called for w.\n"
    )
    told = error_told({"ename": "ValueError", "evalue": message})
    assert told.startswith("ValueError: Unknown variable: <Variable path=w>. This optimizer")


def test_an_error_is_told_on_one_line_whatever_it_lacks():
    assert error_told({"ename": "NameError", "evalue": "name 'x' is\n not defined"}) == (
        "NameError: name 'x' is not defined"
    )
    assert error_told({}) == "Error:"
