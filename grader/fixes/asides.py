"""Clauses that do not say what is wrong with a script: fixes, and how things are otherwise or elsewhere."""

from __future__ import annotations

from grader.answers.clauses import Clause, Sentence, holds
from grader.answers.language import phrases
from grader.notebook.words import words

_LEADS = words(
    "so therefore thus hence daher deshalb and und then dann also we i wir ich one you man please to just "
    "simply einfach fix solution loesung possible by can could should must kann koennte sollte muss better"
)
"""Words before the verb of a proposal."""

_PROPOSES = phrases(
    *(
        "fix*",
        "solution*",
        "loesung*",
        "use",
        "used",
        "using",
        "remov*",
        "replac*",
        "initialise",
        "initialize",
    ),
    *("initialising", "initializing", "set", "setting", "chang*", "reduce", "reduced", "reducing", "lower"),
    *(
        "lowered",
        "lowering",
        "decrease",
        "decreased",
        "increase",
        "increased",
        "normali*",
        "scale",
        "scaling",
    ),
    *("make", "making", "add", "adding", "try", "tried", "trying", "take", "taking", "switch*", "clip*"),
    *("choos*", "verwende*", "benutz*", "ersetz*", "entfern*", "setz*", "nimm", "nehmen", "aender*"),
    *("reduzier*", "verringer*", "senk*", "initialisiere", "initialisieren"),
)
"""Verbs that a proposal begins with."""

_DEMANDS = phrases(
    *("should", "sollte*", "must", "muss", "muessen", "instead", "stattdessen", "avoid*", "prevent*"),
    *("vermeid*", "verhinder*"),
)

_OTHERWISE = phrases(
    *("after the fix", "after this fix", "after our fix", "after the change", "after this change"),
    *("after fixing", "after changing", "after replacing", "after removing", "after mending"),
    *("with the fix", "with this fix", "with our fix", "with this change", "now", "jetzt", "nun", "danach"),
    *("would", "wuerde*", "could", "might", "may", "koennte*", "unlike", "as opposed", "im gegensatz"),
    *("compared", "other script*", "andere* skript*", "usually", "normally", "in general", "generally"),
    *("normalerweise", "at first", "zuerst dachte*", "we first", "expected", "not because", "rather than"),
    *("earlier we thought", "zunaechst dachte*"),
)


def is_aside(sentence: Sentence, clause: Clause) -> bool:
    """Whether a clause proposes a fix, or its sentence tells how things would be, or are elsewhere or now."""
    if sentence.words[0].text in ("if", "falls") or holds(sentence.words, _OTHERWISE):
        return True
    return _is_proposal(clause)


def proposes(sentence: Sentence) -> bool:
    """Whether a clause of a sentence proposes a fix."""
    return any(_is_proposal(clause) for clause in sentence.clauses)


def _is_proposal(clause: Clause) -> bool:
    own = list(clause.words)
    while len(own) > 1 and own[0].text in _LEADS:
        own = own[1:]
    return holds(own[:1], _PROPOSES) or holds(clause.words, _DEMANDS)
