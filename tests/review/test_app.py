"""Who gets in, and whose forms change anything: asked without a browser."""

from __future__ import annotations

import http.client
from urllib.parse import urlencode, urlsplit

import pytest

from grader.gradebook import Gradebook


def ask(server, path, *, method="GET", cookies="", host=None, form=None):
    where = urlsplit(server.root)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
    headers = {"Cookie": cookies} | ({"Host": host} if host else {})
    body = None
    if form is not None:
        body = urlencode(form)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.getheaders()
    connection.close()
    return found


@pytest.fixture
def server(course, serve):
    return serve(course)


@pytest.fixture
def token(server):
    return f"grader-review={server.address.split('token=')[1]}"


def test_without_the_token_nothing_is_shown(server):
    for path in (
        "/",
        "/question/interface",
        "/student/Participant_100",
        "/report/Participant_100",
        "/?token=x",
    ):
        status, page, _ = ask(server, path)
        assert status == 403
        assert "Participant" not in page


def test_another_host_name_is_refused(server, token):
    assert ask(server, "/", cookies=token, host="evil.example")[0] == 421


def test_it_is_bound_to_this_machine_only(server):
    assert urlsplit(server.root).hostname == "127.0.0.1"


@pytest.mark.parametrize("form", [{}, {"csrf": "x"}])
def test_a_form_of_somebody_else_s_changes_nothing(server, token, course, form):
    cookies = f"{token}; grader-review-who=J"
    given = {
        "way": "question",
        "key": "Participant_100",
        "criterion": "interface",
        "give": "2",
        "seen": "",
        **form,
    }
    assert ask(server, "/decide", method="POST", cookies=cookies, form=given)[0] == 404
    group = {"hand_in": "x", "so": "together", "why": "x", **form}
    assert ask(server, "/group", method="POST", cookies=cookies, form=group)[0] == 404
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        assert gradebook.decisions("a1") == ()
        assert gradebook.group_decisions("a1") == {}


@pytest.mark.parametrize("path", ["/question/none", "/student/none", "/report/none", "/report/..%2f..%2fa1"])
def test_what_is_not_there_says_so(server, token, path):
    assert ask(server, path, cookies=f"{token}; grader-review-who=J")[0] == 404


def test_every_answer_forbids_what_pages_do_not_need(server, token):
    _, _, headers = ask(server, "/", cookies=token)
    sent = {name.lower(): value for name, value in headers}
    assert "default-src 'none'" in sent["content-security-policy"]
    assert "unsafe" not in sent["content-security-policy"]
    assert (sent["x-frame-options"], sent["cache-control"]) == ("DENY", "no-store")
