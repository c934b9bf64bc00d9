"""Which copies belong together: what one side says alone never binds the other."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from grader.groups.copies import Copy
from grader.groups.finding import find_groups
from grader.model import hand_in_mark

PEOPLE = ("Ada Beispiel", "Bo Muster", "Cy Example", "Dana Nagel")


def a_copy(name, listed, *, owner="", work="x", outputs=1):
    text = Counter([work])
    return Copy(name, owner or None, tuple(listed), text, text, outputs, frozenset(), f"{name}{work}")


def shared(copies):
    return {name for name, group in find_groups(copies).items() if group.is_shared}


def test_names_may_be_written_in_any_order_and_spelling():
    copies = [
        a_copy("a", ["Ada Beispiel", "Jörg Muster"], owner="Ada Beispiel"),
        a_copy("b", ["MUSTER Joerg", "Ada Maria Beispiel"], owner="Jörg Muster"),
    ]
    assert shared(copies) == {"a", "b"}


def test_blind_copies_go_by_their_lists():
    pair = [a_copy(name, PEOPLE[:2]) for name in "ab"]
    assert shared(pair) == {"a", "b"}
    assert shared([*pair, a_copy("c", PEOPLE[:2])]) == set()
    assert shared(pair[:1]) == set()


def test_one_who_is_not_on_their_own_list_shares_nothing():
    copies = [a_copy(str(n), PEOPLE[:2], owner=PEOPLE[n]) for n in range(3)]
    assert shared(copies) == {"0", "1"}


def test_a_copy_without_outputs_is_another_version():
    copies = [a_copy(str(n), PEOPLE[:2], owner=PEOPLE[n], outputs=n) for n in range(2)]
    assert shared(copies) == set()


listed = st.lists(st.sampled_from(PEOPLE), unique=True, max_size=4)


@given(st.lists(st.tuples(st.sampled_from(PEOPLE), listed, st.sampled_from("xy")), max_size=6))
def test_whoever_shares_a_grade_is_listed_by_everybody_who_shares_it(drawn):
    copies = {
        str(number): a_copy(str(number), names, owner=owner, work=work)
        for number, (owner, names, work) in enumerate(drawn)
    }
    groups = find_groups(list(copies.values()))
    for name, group in groups.items():
        if group.is_shared:
            assert not group.doubts
            assert 2 <= len(group.hand_ins) <= 3
            members = [member for member in copies if hand_in_mark(member) in group.hand_ins]
            assert name in members
            owners = {copies[member].owner for member in members}
            assert all(set(copies[member].listed) == owners for member in members)
            assert all(groups[member] == group for member in members)


@given(st.lists(st.tuples(listed, st.sampled_from("xy")), max_size=4))
def test_an_outsider_s_list_takes_nothing_from_a_group_that_agrees(outsiders):
    pair = [a_copy(f"p{n}", PEOPLE[:2], owner=PEOPLE[n]) for n in range(2)]
    others = [
        a_copy(f"o{n}", names, owner=f"Eve{'abcd'[n]} Ingwer", work=work)
        for n, (names, work) in enumerate(outsiders)
    ]
    assert shared([*pair, *others]) >= {"p0", "p1"}
