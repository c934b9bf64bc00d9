"""What is known of English and German, whatever the question: little words, negation, doubt, asides."""

from __future__ import annotations

import re

from grader.notebook.words import words as word_set


def phrases(*texts: str) -> re.Pattern[str]:
    """What finds one of `texts` among normal words with single spaces; `*` stands for any letters."""
    words = (re.escape(text).replace(r"\*", r"\w*").replace(r"\ ", " ") for text in texts)
    return re.compile(rf"(?<!\S)(?:{'|'.join(words)})(?!\S)")


NEGATORS = word_set(
    "not no never none neither nor without hardly nothing nobody lack lacks lacking fail fails failed "
    "prevent prevents prevented avoid avoids avoided avoiding impossible unable "
    "nicht nie niemals kein keine keinen keinem keiner keines nichts nix ohne weder kaum verhindert vermeidet"
)
"""Words that turn what they stand with into its opposite."""

AVERTING = word_set("prevent prevents prevented avoid avoids avoided avoiding verhindert vermeidet")
"""Those of them behind which a whole clause may tell of what is not so: `to avoid that …`."""

AFTERWARDS = word_set("nicht nie niemals nichts nix kaum")
"""Those of them that may stand behind what they negate."""

NOT_NEGATING = (
    *("not only", "not just", "not merely", "no matter", "no doubt", "not to mention", "no wonder"),
    *("nicht nur", "nicht bloss", "ohne zweifel", "kein wunder"),
    *("not divisible", "not evenly divisible", "not exactly divisible", "not a multiple", "not divide"),
    *("not fit", "not match", "not work out evenly", "no multiple", "kein vielfaches", "nicht teilbar"),
    *("nicht ohne rest teilbar", "nicht durch die batchgroesse teilbar", "nicht aufgeht", "nicht glatt"),
)
"""Phrases in which such a word negates nothing."""

BREAKS = word_set("and but und sondern aber sowie")
"""Words over which a negation does not reach."""

FILLERS = NEGATORS | word_set(
    "a an the is are am be been being was were will would can could may might must should do does did doing "
    "has have had having get gets got getting it its itself they them their themselves we our us i you your "
    "this that these those there here always also then only just all each every now again still even very "
    "exactly totally completely simply basically already really actually quite more most of in to for on "
    "at mini "
    "as so by own other same-time both any some one ones still thus hence e g "
    "der die das den dem des ein eine einen einem einer eines ist sind war waren wird werden wurde wurden "
    "kann koennen koennte koennten soll sollte muss muesste hat haben hatte es sie er sich ihr ihre ihren "
    "wir man dies diese dieser dieses diesen hier auch dann nur alle alles jede jeder jedes jeden jedem "
    "immer wieder noch sehr genau ganz einfach schon bereits wirklich von vom im in zu zum zur fuer auf am "
    "an als so bei beim jeweils beide dabei dadurch damit somit also"
)
"""Words that may stand between the words of a pattern, and say nothing by themselves."""

FUNCTION_WORDS = FILLERS | word_set(
    "and or but if because since when while with from into than what which who how why after before until "
    "und oder aber wenn weil da waehrend mit aus nach vor bis welche was wie warum dass sodass denn"
)
"""Words without which nobody writes a sentence."""

CONNECTIVES = word_set(
    "because since so therefore thus hence but whereas although though however which otherwise "
    "as if when weil da daher deshalb deswegen sodass aber sondern obwohl jedoch dadurch denn dass "
    "wodurch ansonsten sonst andernfalls else wenn falls"
)
"""Words that begin a clause."""

INSERTED = word_set("therefore thus hence however daher deshalb deswegen dadurch jedoch aber denn")
"""Those of them that may also stand amid a clause."""

PREMISES = frozenset(("if", "when", "whenever", "wenn", "falls"))
"""Words that begin a clause which supposes something."""

CONSEQUENCES = frozenset(("then", "dann"))
"""Words that begin what follows from it, with a comma before them or without."""

HYPOTHETICAL = word_set(
    "would wuerde wuerden waere waeren bliebe blieben gaebe haette haetten kaeme kaemen otherwise else sonst "
    "ansonsten andernfalls"
)
"""Words of a clause that tells what would be if things were otherwise."""

ASSURED = word_set(
    "guarantee guarantees guaranteed promise promised ensure ensures ensured sure certain assured "
    "garantie garantiert sicher sichergestellt gewaehrleistet gesichert"
)
"""Words with which somebody says that something is sure to be so; what is not, is denied."""

TEMPORAL = word_set("before until bevor bis ehe while waehrend")
"""Words that go on with a clause, though a comma stands before them."""

CONTRASTS = frozenset(("while", "waehrend"))
"""Those of them that may also begin what is so elsewhere."""

REPLACED = (
    *("instead of", "rather than", "as opposed to", "than with", "than in", "anstatt", "anstelle", "statt"),
)
"""Phrases after which a clause tells of what is not so."""

FINITE = word_set(
    "is are was were can cannot may might will would could should stay stays remain remains keep keeps get "
    "gets "
    "come comes change changes has have had contain contains appear appears belong belongs do does "
    "ist sind war waren kann koennen wird werden bleibt bleiben kommt kommen hat haben enthaelt enthalten "
    "aendert aendern gibt"
)
"""Verbs by which a clause is told."""

RESULTS = word_set("so thus hence therefore because since daher deshalb deswegen sodass dadurch weil da")
"""Words that begin the reason or the result of what stands before."""

TURNS = word_set(
    "but however although though except yet whereas aber jedoch allerdings obwohl ausser sondern"
)
"""Words that begin a clause which takes back a part of what was said before."""

INSTEAD = frozenset(("but", "sondern"))
"""Words that begin what is so instead of what was denied."""

OTHERWISE = phrases(
    *("otherwise", "else", "conversely", "vice versa", "the other way round", "the other way around"),
    *("in the other case", "in the opposite case", "if not", "in the reverse case", "if it is done after*"),
    *("in the other order", "with the other order"),
    *("in der anderen reihenfolge", "bei der anderen reihenfolge", "ansonsten", "sonst", "andernfalls"),
    *("umgekehrt", "andersherum", "im anderen fall", "wird danach"),
)
"""What begins that which holds where the condition before does not."""

EQUATING = phrases(
    *("same as", "identical to", "identical with", "equal to", "equivalent to", "equals", "dasselbe wie"),
    *("gleich wie", "genau wie", "identisch mit", "identisch zu", "exactly like", "just like"),
)
"""What says that two things are the same."""

RATING = phrases(
    *("good", "better", "best", "bad", "worse", "worst", "useless", "useful", "fine", "ok", "same"),
    *("similar", "difference*", "different", "gut", "gute", "besser", "schlecht", "schlechter", "gleich"),
    *("unterschied*", "sinnvoll*", "sensible", "like", "wie", "see above", "siehe oben"),
)
"""What rates a thing, or compares it, and may say by that what it does."""

OTHERS = phrases(
    *("the others", "all others", "the other orders", "the other orderings", "other orders"),
    *("the rest of them", "the other three", "the other two", "the other four", "the other five"),
    *("the remaining*", "die anderen", "the rest of the orders", "the rest of the orderings", "alle anderen"),
    *("die uebrigen", "die restlichen", "andere reihenfolgen", "bei den anderen"),
)
"""What begins a sentence about all that was not spoken of before."""

UNSURE = phrases(
    *("not sure", "unsure", "not certain", "have no idea", "no clue", "i do not know", "we do not know"),
    *("dunno", "no idea why", "no idea what", "no idea how", "no idea which", "no idea ,", "no idea ."),
    *("no idea maybe", "i do not understand", "we do not understand", "did not understand"),
    *("do not really know", "i guess", "we guess", "am guessing", "could not figure", "confused", "idk"),
    *("keine ahnung", "nicht sicher", "unsicher", "weiss nicht", "weiss es nicht", "weiss ich nicht"),
    *("wissen wir nicht", "wissen nicht", "nicht verstanden", "verstehe nicht", "verstehe ich nicht"),
    *("habe geraten", "haben geraten", "nur geraten", "geraten haben"),
)
"""What somebody says who does not know."""

EITHER = re.compile(
    r"(?<!\S)(?:either .* or|entweder .* oder"
    r"|(?<!than )(?<!only )(?<!before )(?<!until )(?<!any )one of (?:the two|these|them)"
    r"|eins von beiden)(?!\S)"
)
"""What leaves open which of two things is so."""

HEDGES = phrases(
    *("maybe", "perhaps", "possibly", "probably", "or so", "or something", "or whatever", "somehow"),
    *("vielleicht", "eventuell", "vermutlich", "oder so", "oder sowas", "oder so was", "irgendwie"),
)
"""What makes one sentence doubtful."""

EXAMPLES = phrases("for example", "e . g", "z . b", "zum beispiel", "example :", "beispiel :")
"""What begins an example."""

OWN_RUN = phrases(
    *("we tried", "we tested", "we ran", "we printed", "we checked", "wir haben * ausprobiert"),
    *("i tried", "i tested", "i ran", "i printed", "i checked", "ich habe * ausprobiert"),
)
"""What tells of one's own run."""

REJECTIONS = phrases(
    *("wrong", "incorrect", "is false", "are false", "was false", "false that", "false to", "not true"),
    *("untrue", "myth", "misconception", "mistake*", "one might think", "one may think", "one could think"),
    *("you might think", "you would think", "some people", "people say", "some say", "it is said"),
    *("one would expect", "i expected", "we expected", "i thought", "we thought", "i first thought"),
    *("contrary", "not because", "not the reason", "nothing to do with", "pretend*", "as if", "falsch"),
    *("stimmt nicht", "nicht wahr", "irrtum*", "nicht weil", "nicht der grund", "erwartet*"),
    *("koennte man denken", "koennte man meinen", "man koennte meinen", "manche sagen", "angeblich"),
    *("supposedly", "allegedly", "not the case", "nicht der fall"),
)
"""What stands by a claim that is told, but not made."""

CORRECTIONS = re.compile(
    r"(?:^|[\n.!?*_>(] )(?:correction|edit|update|korrektur|berichtigung|nachtrag) ?(?:$|[:.,;!(*_\n–-])"
    r"|(?<!\S)(?:correction :|korrektur :|scratch that|no wait|i was wrong|we were wrong|oops"
    r"|on second thought|moment ,|doch nicht|strike that)(?!\S)"
)
"""What announces that something said before does not hold."""

ADDRESSES = phrases(
    *("ignore all", "ignore your", "ignore previous", "ignore the previous", "ignore any", "disregard"),
    *("language model", "chatgpt", "gpt*", "llm", "llms", "system prompt", "prompt", "as an ai", "ai grader"),
    *("grader", "autograder", "grading", "grading script", "grade this", "automatic marking", "assistant"),
    *("marker", "examiner", "evaluator", "corrector", "korrektor*", "bewerter*", "pruefer*", "an die ki"),
    *("instruction", "instructions to", "instructions for", "anweisung", "ignoriere", "sprachmodell"),
    *("note to the", "note for the", "message to the", "message for the", "hinweis an", "notiz an"),
    *("mark this as", "mark this task", "mark as correct", "as solved", "as passed", "als geloest"),
    *("als bestanden", "award", "full mark", "full marks", "full points", "all points", "full credit"),
    *("highest mark", "highest score", "best mark", "top mark*", "maximum points", "max points", "bestnote"),
    *("volle punktzahl", "hoechste punktzahl", "maximale punktzahl", "hoechstpunktzahl", "volle punkte"),
    *("alle punkte", "automatische bewertung", "bewertungs*", "benotung*", "korrekturprogramm"),
    *("answer key", "sample solution", "model solution", "model answer", "musterloesung"),
)
"""What is said to whoever grades, a program above all."""

DEMANDS = re.compile(
    r"(?:^|[\n.!?:;>\[(*_] )(?:please |bitte )?"
    r"(?:(?:ignore|disregard|respond|grade|mark|rate|score|bewerte|werte|benote|markiere|vergiss)"
    r"|output (?:the|only|full|max\w*))(?!\S)"
)
"""What is asked of whoever reads a text: a sentence that begins with what graders and programs do."""

ALTERNATIVES = re.compile(
    r"(?<!\S)(?:or|oder) (?:because|since|rather|maybe|perhaps|weil|eher|vielmehr|vielleicht|doch)(?!\S)"
    r"|(?:^|[\n.,;:!(–—-] )(?:one|either|eins|eines|einer|eine) (?:of|von|der) "
    r"(?:them|both|these|those|the two|the three|beiden|beidem|diesen|denen)"
    r"(?: (?:is|ist) (?:right|true|correct|it|richtig|wahr|es))?(?: ?$| [\n.,;:!)])"
)
"""What gives several explanations, or answers, to choose from."""
