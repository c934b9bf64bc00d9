"""What is known of English and German, whatever the question: little words, negation, doubt, asides."""

from __future__ import annotations

from grader.answers.words import WordPattern


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEGATORS = _set(
    "not no never none neither nor without hardly nothing nobody lack lacks lacking fail fails failed "
    "prevent prevents prevented avoid avoids avoided avoiding impossible unable "
    "nicht nie niemals kein keine keinen keinem keiner keines nichts ohne weder kaum verhindert vermeidet"
)
"""Words that turn what they stand with into its opposite."""

AFTERWARDS = _set("nicht nie niemals nichts kaum")
"""Those of them that may stand behind what they negate."""

NOT_NEGATING = (
    *("not only", "not just", "not merely", "no matter", "no doubt", "not to mention", "no wonder"),
    *("nicht nur", "nicht bloss", "ohne zweifel", "kein wunder"),
)
"""Phrases in which such a word negates nothing."""

BREAKS = _set("and or but und oder sondern aber sowie")
"""Words over which a negation does not reach."""

FILLERS = NEGATORS | _set(
    "a an the is are am be been being was were will would can could may might must should do does did doing "
    "has have had having get gets got getting it its itself they them their themselves we our us i you your "
    "this that these those there here always also then only just all each every now again still even very "
    "exactly totally completely simply basically already really actually quite more most of in to for on at "
    "as so by own other same-time both any some one ones still thus hence e g "
    "der die das den dem des ein eine einen einem einer eines ist sind war waren wird werden wurde wurden "
    "kann koennen koennte koennten soll sollte muss muesste hat haben hatte es sie er sich ihr ihre ihren "
    "wir man dies diese dieser dieses diesen hier auch dann nur alle alles jede jeder jedes jeden jedem "
    "immer wieder noch sehr genau ganz einfach schon bereits wirklich von vom im in zu zum zur fuer auf am "
    "an als so bei beim jeweils beide dabei dadurch damit somit also"
)
"""Words that may stand between the words of a pattern, and say nothing by themselves."""

FUNCTION_WORDS = FILLERS | _set(
    "and or but if because since when while with from into than what which who how why after before until "
    "und oder aber wenn weil da waehrend mit aus nach vor bis welche was wie warum dass sodass denn"
)
"""Words without which nobody writes a sentence."""

CONNECTIVES = _set(
    "because since so therefore thus hence but whereas while although though however which otherwise instead "
    "as if when weil da daher deshalb deswegen sodass aber sondern obwohl waehrend jedoch dadurch denn dass "
    "wodurch ansonsten sonst wenn falls statt anstatt"
)
"""Words that begin a clause."""

REPLACED = ("instead of", "rather than", "as opposed to", "anstatt", "anstelle", "statt")
"""Phrases after which a clause tells of what is not so."""


def _phrases(*texts: str) -> tuple[tuple[WordPattern, ...], ...]:
    return tuple(tuple(WordPattern.read(word) for word in text.split()) for text in texts)


HEDGES = _phrases(
    *("not sure", "unsure", "not certain", "no idea", "no clue", "do not know", "not know", "dunno"),
    *(
        "do not understand",
        "not understand",
        "did not understand",
        "maybe",
        "perhaps",
        "i guess",
        "am guessing",
    ),
    *("possibly", "not really", "could not figure", "confused", "idk", "not entirely"),
    *("keine ahnung", "nicht sicher", "unsicher", "weiss nicht", "weiss es nicht", "weiss ich nicht"),
    *(
        "vielleicht",
        "vermutlich nicht",
        "nicht verstanden",
        "verstehe nicht",
        "verstehe ich nicht",
        "geraten",
    ),
)
"""What somebody says who does not know."""

REJECTIONS = _phrases(
    *(
        "wrong",
        "incorrect",
        "false",
        "not true",
        "untrue",
        "myth",
        "misconception",
        "mistake*",
        "one might think",
    ),
    *("one may think", "one could think", "you might think", "you would think", "some people", "people say"),
    *("some say", "it is said", "one would expect", "i expected", "we expected", "i thought", "we thought"),
    *("i first thought", "contrary", "not because", "not the reason", "nothing to do with", "pretend*"),
    *(
        "as if",
        "falsch",
        "stimmt nicht",
        "nicht wahr",
        "irrtum*",
        "nicht weil",
        "nicht der grund",
        "erwartet*",
    ),
    *("koennte man denken", "koennte man meinen", "man koennte meinen", "manche sagen", "angeblich"),
    *("supposedly", "allegedly", "not the case", "nicht der fall"),
)
"""What stands by a claim that is told, but not made."""

CORRECTIONS = _phrases(
    *("correction", "edit", "update :", "scratch that", "no wait", "i was wrong", "we were wrong", "oops"),
    *("on second thought", "korrektur", "berichtigung", "nachtrag", "moment ,", "doch nicht", "strike that"),
)
"""What announces that something said before does not hold."""

ADDRESSES = _phrases(
    *("ignore all", "ignore your", "ignore previous", "ignore the previous", "ignore any", "disregard"),
    *("language model", "chatgpt", "gpt*", "llm", "llms", "system prompt", "as an ai", "ai grader", "grader"),
    *(
        "autograder",
        "grading script",
        "full marks",
        "full points",
        "all points",
        "full credit",
        "mark this as",
    ),
    *("grade this", "mark as correct", "award", "volle punktzahl", "alle punkte", "sprachmodell"),
    *("ignoriere", "instructions to", "answer key"),
)
"""What is said to whoever grades, a program above all."""
