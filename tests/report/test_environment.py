import base64
import hashlib
import re

import pytest

from grader.report.environment import page_address


@pytest.mark.parametrize("which", ["page", "class_page"])
def test_the_policy_names_the_one_style_and_the_one_script_by_their_hash(full, which):
    page = getattr(full, which)()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        for text in re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL):
            assert (
                rules[rule] == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
            )
    assert ("script-src" in rules) == (which == "class_page")
    assert {rule: rules[rule] for rule in ("default-src", "img-src", "base-uri", "form-action")} == {
        "default-src": "'none'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_an_address_is_percent_encoded():
    assert page_address("a b#c/../d") == "a%20b%23c%2F..%2Fd/index.html"
