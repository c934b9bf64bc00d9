"""Hooks on classes, without TensorFlow."""

from __future__ import annotations

from grader.probes.hearing import Hearing, heard
from grader.probes.hooks import Hooks


class Base:
    def greet(self, name):
        """Says hello."""
        return f"hello {name}"


class Derived(Base):
    pass


def louder(original):
    return lambda self, name: original(self, name).upper()


def test_a_replaced_method_is_ours_until_somebody_puts_another_in_its_place():
    class Own(Base):
        def greet(self, name):
            """Says goodbye."""
            return f"goodbye {name}"

    hooks = Hooks()
    hooks.replace(Own, "greet", louder)
    assert (Own().greet("you"), Own.greet.__doc__) == ("GOODBYE YOU", "Says goodbye.")
    assert hooks.replaced() == []
    Own.greet = lambda self, name: name
    assert hooks.replaced() == ["recorder: Own.greet"]


def test_an_inherited_method_is_replaced_for_the_class_alone():
    hooks = Hooks()
    hooks.replace(Derived, "greet", louder)
    assert (Derived().greet("you"), Base().greet("you")) == ("HELLO YOU", "hello you")
    del Derived.greet
    assert hooks.replaced() == ["recorder: Derived.greet"]


def test_what_a_release_does_not_have_is_passed_over():
    hooks = Hooks()
    hooks.replace_in(__import__("sys"), "NoSuchClass", "greet", louder)
    hooks.replace_in(__import__(__name__), "Base", "no_such_method", louder)
    assert hooks.replaced() == []


class Listening:
    def __init__(self):
        self.hearing = Hearing()
        self.heard = []

    @heard
    def note(self, what):
        self.heard.append(what)
        self.note("what we do ourselves")
        return 1 / what


def test_nothing_is_heard_before_it_begins_nor_of_itself_and_nothing_is_raised():
    listening = Listening()
    assert listening.note(2) is None
    listening.hearing.is_deaf = False
    assert listening.note(2) == 0.5
    assert listening.note(0) is None
    assert (listening.heard, listening.hearing.failures) == ([2, 0], 1)
    assert "ZeroDivisionError" in listening.hearing.first_failure
    with listening.hearing.closed():
        assert listening.note(2) is None
    assert listening.note(4) == 0.25
