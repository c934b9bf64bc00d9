"""The names of the people who hand in: at the top of a notebook, elsewhere, or nowhere.

A name is taken where it is labelled (`Group members: …`) or where a line holds nothing but one to four
capitalised names, with or without matriculation numbers. Titles are no names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from grader.model import Record
from grader.notebook.markdown import code_texts, plain_blocks
from grader.notebook.records import CellKind, Notebook
from grader.notebook.words import words

MAX_NAMES = 12
TOP_TEXT_CELLS = 4
TOP_CODE_CELLS = 2  # imports, mounting a drive: names in a text cell below them still stand at the top
TOP_LINES = 40
_MAX_LINE = 300

_LABEL = re.compile(
    r"^\W*(?P<label>(?:(?:group|team|student|full|our|gruppen?)\s*-?\s*)?"
    r"(?:names?|namen?|members?|mitglieder(?:n)?|authors?|autor(?:en|in)?|students?|participants?|teilnehmer)"
    r"(?:\s+of\s+(?:the\s+)?(?:all\s+)?(?:group|team)?\s*(?:members?|students?|authors?)?)?"
    r"|group|team|gruppe|gruppen?mitglieder|submitted\s+by|done\s+by|made\s+by|created\s+by|written\s+by|by"
    r"|bearbeitet\s+von|abgabe\s+von|von|abgegeben\s+von)"
    r"(?P<number>\s*(?:no\.?|nr\.?)?\s*#?\(?\d{1,4}\)?)?\s*(?:\(s\))?\s*(?P<mark>[:=\-–—|]|\s(?=[A-ZÄÖÜ])|$)\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_BY = re.compile(r"\b(?:by|(?:bearbeitet|abgegeben|abgabe)\s+von)\b:?\s+(?P<rest>\S.*)$")
_VON = re.compile(r"^(?P<head>.{1,80}?)\s+von\s+(?P<rest>\S.*)$")
_BEFORE_NUMBERED = re.compile(
    r"^(?P<names>[^:|(]{3,120}?)\s*(?:[,:|(]|\s[-–—])\s*"
    r"(?:assignment|exercise|homework|sheet|übung|übungsblatt|aufgabe|hausaufgabe|blatt|abgabe)\s*(?:no\.?|nr\.?)?"
    r"\s*#?\d{1,2}\b",
    re.IGNORECASE,
)
_INNER_LABEL = re.compile(
    r"\b(?:authors?|autor(?:en)?|names?|namen?|(?:group|team)\s?members?|students?)\s*:\s*(?P<rest>\S.*)$",
    re.IGNORECASE,
)
_SELF = re.compile(
    r"\b(?:I'm|I’m|I am|[Mm]y name is|[Ww]e are|[Ii]ch bin|[Ww]ir sind|[Ii]ch heiße)\s+"
    r"(?P<rest>[A-ZÄÖÜ][\w'’.-]*(?:(?:\s+|,\s*|\s+and\s+|\s+und\s+|\s*&\s*)[A-ZÄÖÜ][\w'’.-]*){1,8})"
)
_PARENTHESIS = re.compile(r"\((?P<rest>[^()]{5,200})\)")
_CODE_NAME = re.compile(r"^[a-z]{0,3}\d{1,3}$", re.IGNORECASE)  # A1, 01, DL1
_SPLIT = re.compile(r"\s*(?:[,;&/|+]|\band\b|\bund\b|\s-\s|\s–\s|\s—\s|\t)\s*")
_NOISE = re.compile(
    r"[\w.+-]{1,64}@[\w.-]{1,100}|\(?\b[A-Za-z]{0,3}\s?-?\d{4,9}\b\)?|[(\[][^()\[\]]{0,60}[)\]]"
    r"|\b(?:matr\w*|mat\.?\s?-?(?:nr|no)|student\s?id|id|e-?mail|mail)\b\.?\s*(?:nr|no|number)?\.?\s*:?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<!\d)\d{5,8}(?!\d)")
_BULLET = re.compile(r"^\s*(?:[-*+•]|\(?\d{1,2}[.):])\s+")
_COMMON_ENDING = re.compile(
    r"(?:ing|tions?|ments?|ity|ities|ness|ics|isms?|i[sz]ers?|ive|ize|als|ables?)$", re.IGNORECASE
)
_PARTICLES = words("von van de der den del la le di da dos al el bin ibn zu ter y e")
_NAME_WORD = re.compile(r"^(?:[^\W\d_]\.|[^\W\d_]+(?:['’.-][^\W\d_]+)*\.?)$")
_NOT_NAMES = words(
    "lehrstuhl institut fachbereich ki ai abgabe übung aufgabe hausaufgabe blatt einführung a an the and "
    "or of for in on at to with without from let lets us our your my we i is are be do does how what why "
    "when where which this that these those it its not no yes all any each one two three first second "
    "third part section chapter question questions answer answers ans exercise exercises assignment "
    "assignments homework task tasks sheet week lecture course class tutorial project report notebook "
    "code cell cells colab google drive jupyter python open run download github badge tensorflow tensor "
    "tensors flow keras pytorch torch numpy matplotlib pandas sklearn import imports importing library "
    "libraries module modules package packages deep learning machine neural network networks net nets mlp "
    "mlps cnn cnns rnn perceptron multilayer multi layer layers model models linear logistic regression "
    "classification classifier mnist fashion cifar dataset datasets data loading load preprocessing "
    "preparation train training test testing validation evaluation evaluate accuracy loss error optimizer "
    "optimization gradient gradients descent activation activations function functions sigmoid relu tanh "
    "softmax weights weight bias biases initialization initialisation init random zero zeros hidden size "
    "sizes unit units neuron neurons batch epoch epochs step steps rate rates parameter parameters "
    "hyperparameter hyperparameters experiment experiments experimenting experimentation result results "
    "observation observations discussion conclusion conclusions summary introduction overview setup "
    "setting settings bonus extra additional optional visualization visualisation visualize plot plots "
    "plotting images image misclassified examples building build built basic basics high low level "
    "interface interfaces using use used new old best final main note notes hint references sources "
    "source bibliography appendix university universität magdeburg otto guericke faculty fakultät "
    "institute department informatik computer science winter summer term semester ws ss wintersemester "
    "sommersemester spring fall intro group groups gruppe team teams name names member members author "
    "authors student students matriculation matrikelnummer matrikelnummern matrikelnr matrikel number id "
    "email mail date datum version here todo none january february march april june july august september "
    "october november december monday tuesday wednesday thursday friday saturday sunday hello world "
    "welcome thanks thank good luck define defining definition create creating compute computing "
    "comparison compare comparing different various analysis analyzing performance reflection reflections "
    "helper helpers utility utilities constants configuration config solution solutions submission lab "
    "practical practice artificial intelligence applied advanced foundations fundamentals mini simple "
    "custom manual automatic differentiation variables variable operations forward backward pass "
    "propagation backpropagation confusion matrix hot encoding shallow wide deeper wider left right top "
    "bottom start end begin stop true false null default gpu cpu tpu runtime sgd adam momentum dropout "
    "regularization normalization stack overflow kaggle medium xavier glorot he uniform normal shuffle "
    "repeat pooling min mean average total signals signal vanishing exploding stochastic backprop "
    "relus eins zwei drei nummer übungsblatt handwritten digits technische hochschule prof dr copyright "
    "notice license licence apache wir lernen party"
)


class NamesFound(Record):
    """Names in a notebook. `top` stand at its top (`top_cell` is the first of them), `elsewhere` do not.

    `elsewhere` pairs each name with its cell; `top_text` is the text of the top, for looking up a name
    that is known from elsewhere.
    """

    top: tuple[str, ...] = ()
    top_cell: int | None = None
    elsewhere: tuple[tuple[int, str], ...] = ()
    top_text: str = ""


class _Line(NamedTuple):
    cell: int
    text: str
    is_top: bool


def find_names(notebook: Notebook) -> NamesFound:
    """The names in the text cells and comments of `notebook`, those at its top apart from the others.

    The top is the first text cells, unless more than a few code cells stand before them, and the
    comments before the first code.
    """
    lines = list(_lines(notebook))
    in_use = {
        word for line in lines for word in re.findall(r"(?<![^\W\d_])[^\W\d_]+", line.text) if word.islower()
    }
    top: list[str] = []
    top_cell: int | None = None
    elsewhere: list[tuple[int, str]] = []
    for line, name, is_sure in _names(lines):
        if not is_sure and all(word.lower() in in_use for word in name.split()):
            continue  # a title: its words occur in sentences too
        if line.is_top and name not in top:
            top.append(name)
            top_cell = top_cell or line.cell
        elif not line.is_top and (line.cell, name) not in elsewhere and name not in top:
            elsewhere.append((line.cell, name))
    return NamesFound(
        top=tuple(top[:MAX_NAMES]),
        top_cell=top_cell,
        elsewhere=tuple(elsewhere[:MAX_NAMES]),
        top_text="\n".join(line.text for line in lines if line.is_top)[:20_000],
    )


def _lines(notebook: Notebook) -> Iterator[_Line]:
    """The lines of text, in order, with whether they stand at the top. An empty line ends each block."""
    text_cells = code_cells = top_lines = 0
    for cell in notebook.cells:
        if not cell.source.strip():
            continue
        is_text = cell.kind is not CellKind.CODE
        if is_text:
            blocks = [(block.text, True) for block in plain_blocks(cell.source)]
            text_cells += bool(blocks)
        else:
            found = [text for text in code_texts(cell.source) if text.is_comment]
            blocks = [(text.text, text.is_leading) for text in found]
        for text, is_leading in blocks:
            for piece in [*text.split("\n"), ""]:
                top_lines += 1
                is_near = top_lines <= TOP_LINES or text_cells <= 1
                is_near = is_near and text_cells <= TOP_TEXT_CELLS and code_cells <= TOP_CODE_CELLS
                is_top = is_near and is_leading and (is_text or not code_cells)
                yield _Line(cell.number, piece.strip()[:_MAX_LINE], is_top)
        code_cells += not is_text


def _names(lines: Sequence[_Line]) -> Iterator[tuple[_Line, str, bool]]:
    """Each name with its line, and whether a label or a number says that it is one.

    After a label without names the lines that follow belong to it.
    """
    labelled_until = -1
    for place, line in enumerate(lines):
        if not line.text:
            continue
        text = _BULLET.sub("", line.text)
        label = _LABEL.match(text)
        is_sure = True
        if label is not None:
            is_marked = label["mark"].strip() != "" or not label["rest"]
            names = _people(label["rest"], is_labelled=is_marked) or _people_in_parentheses(label["rest"])
            if not _NOISE.sub(" ", label["rest"]).strip(" |-:"):
                labelled_until = place + 7
        elif place <= labelled_until:
            names = _people(text, is_labelled=True)
            if not names:
                labelled_until = -1
        else:
            names = _people(text, is_labelled=False) or _people_after_title(text)
            is_sure = _NUMBER.search(text) is not None
        for name in names:
            yield line, name, is_sure


def _people_after_title(text: str) -> list[str]:
    """`Assignment 1 - Ada Beispiel, Bo Muster`, `Exercise by Ada Beispiel`, `Ada Beispiel, Assignment 1`."""
    for pattern, is_labelled in ((_INNER_LABEL, True), (_BY, False), (_SELF, False)):
        found = pattern.search(text)
        if found is not None and (names := _people(found["rest"], is_labelled=is_labelled)):
            return names
    von = _VON.match(text)
    if von is not None and _is_title(von["head"]):
        return _people(von["rest"], is_labelled=False)
    for mark in (":", " -- ", " - ", " – ", " — ", "|", "(", ","):
        head, found_mark, rest = text.partition(mark)
        if found_mark and _is_title(head) and (names := _people(_balanced(rest), is_labelled=False)):
            return names
    before = _BEFORE_NUMBERED.match(text)
    return _people(before["names"], is_labelled=False) if before is not None else []


def _balanced(text: str) -> str:
    """`text` without a closing parenthesis at its end that nothing opened."""
    text = text.strip()
    return text[:-1] if text.endswith(")") and text.count("(") < text.count(")") else text


def _people_in_parentheses(text: str) -> list[str]:
    """`Team Rocket (Ada Beispiel, Bo Muster)`."""
    found = _PARENTHESIS.search(text)
    return _people(found["rest"], is_labelled=False) if found is not None else []


def _is_title(text: str) -> bool:
    """Whether `text` has a word in it that names have not, or is a code such as `A1`."""
    parts = text.strip(" #*_:-").split()
    return any(part.lower() in _NOT_NAMES or _CODE_NAME.match(part) for part in parts)


def _people(text: str, *, is_labelled: bool) -> list[str]:
    """The names in `text` if it holds nothing else; labelled ones may be lower case or a single word."""
    has_number = _NUMBER.search(text) is not None
    pieces = [piece.strip(" .:*_#<>\"'") for piece in _SPLIT.split(_NOISE.sub(" ", text))]
    pieces = [piece for piece in pieces if piece]
    if not 1 <= len(pieces) <= 6:
        return []
    is_sure = is_labelled or has_number
    if has_number and len(pieces) == 2 and all(len(piece.split()) == 1 for piece in pieces):
        pieces = [f"{pieces[1]} {pieces[0]}"]  # `Beispiel, Ada 123456`
    names = [piece for piece in pieces if _is_name(piece, is_sure=is_sure)]
    strangers = len(pieces) - len(names)
    return names if strangers == 0 or (len(names) >= (1 if is_sure else 2) and strangers == 1) else []


def _is_name(text: str, *, is_sure: bool) -> bool:
    """Whether `text` is a name; `is_sure` when a label or a matriculation number says that it should be."""
    parts = text.split()
    if not (1 if is_sure else 2) <= len(parts) <= (5 if is_sure else 4) or len(text) > 60:
        return False
    if any(part.lower().strip(".") in _NOT_NAMES for part in parts) or not all(map(_NAME_WORD.match, parts)):
        return False
    if all(len(part.strip(".")) < 2 for part in parts):
        return False
    return is_sure or all(map(_is_capitalised, parts))


def is_name_word(word: str) -> bool:
    """Whether a word may be part of a name, and is no ordinary word of such notebooks."""
    return _is_capitalised(word) and word.lower() not in _NOT_NAMES | _PARTICLES


def _is_capitalised(part: str) -> bool:
    if part.lower() in _PARTICLES:
        return True
    is_acronym = part.isupper() and len(part) > 1 and not part.endswith(".")
    return part[0].isupper() and not is_acronym and not _COMMON_ENDING.search(part)
