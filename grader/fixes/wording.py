"""Reads proposals in words: "use ReLU instead of sigmoid", "Lernrate auf 0,01 senken"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.answers.words import normal
from grader.fixes.amounts import constants_in, numbers_in, weights_in
from grader.fixes.forward import ACTIVATIONS
from grader.fixes.wishes import Change, Wish

MAX_CHARS = 8_000  # of one piece of text
MAX_WISHES = 12

_SENTENCE = re.compile(r"[^\n]+?(?:(?<!\n\d)(?<!\A\d)(?<!\n\d\d)[.!?](?=\s)|(?=\n)|\Z)")
_NO_USE = re.compile(
    r"did not (?:help|work|change|improve)|does not help|no effect|without success|(?:made"
    r"|makes) (?:it|things) worse"
    r"|(?:hilft|half|brachte|bringt) (?:\w+ ){0,2}nicht|ohne erfolg|nicht geholfen"
)
_NOT = re.compile(r"\b(?:not|never|nicht|keine?n?|kein|avoid|vermeide\w*)\b(?: \w+){0,3}$")
_REPLACED = re.compile(r"\b(?:instead of|rather than|statt|anstatt|anstelle)\b(?:[^.;,]|\.(?=\w)){0,30}$")
_USE = re.compile(
    r"\b(?:us(?:e|ing)|tr(?:y|ying)|appl(?:y|ying)|choos(?:e|ing)|tak(?:e|ing)|with|to|by|prefer|into"
    r"|set|put|add|adding"
    r"|verwend\w*|benutz\w*|nutz\w*|nehm\w*|nimm|durch|zu|auf|mit|einsetzen|waehl\w*|gegen|like|want"
    r"|need|have|ein|(?:should|must|could) be)\b"
    r"|->|→|=>|[:=]"
)
_CHANGES = re.compile(
    r"\b(?:replac\w+|chang\w+|swap\w*|switch\w*|exchang\w+|substitut\w+|ersetz\w*|tausch\w*|wechs\w*"
    r"|aender\w*)\b|->|→|=>"
)
_ACTIVATION = re.compile(
    r"(?<![\w])(?:tf\.(?:nn|math|keras\.activations)\.)?"
    r"(leaky[ _-]?relu|relu6?|sigmoid\w*|tanh|elu|selu|gelu|silu|swish|softplus|softsign)(?![a-z_])"
)
_BETTER = re.compile(
    r"^\W?(?: \S+){0,3} (?:instead|would|could|should|works?|stattdessen|verwend\w*|benutz\w*|einsetz\w*"
    r"|nutz\w*|waere)\b"
)
_SPOKEN = {"sigmoid": "sigmoid", "leaky": "leaky_relu"}

_SUBJECT = re.compile(
    r"\b(?:learning rate|lernrate|noise|rauschen|weights|gewichte|softmax|bias(?:es)?|layers|schichten)\b"
)
_ONLY_REMOVES = re.compile(r"(?:remov|delet|drop|entfern)\w*\b(?! (?:it|them|the|this|these|all|any)\b)")
_PRONOUN = re.compile(r"\b(?:it|they|them|these|this|sie|ihn|es|dies|diesen?)\b")

_REMOVE = (
    r"(?:remov\w*|drop(?:ping)?|omit\w*|delet\w*|without|leav\w+ out|leave away|no|skip\w*"
    r"|get(?:ting)? rid of"
    r"|take away|taking away|take out|entfern\w*|weglass\w*|wegnehm\w*|streich\w*|loesch\w*|ohne"
    r"|raus\w*|kein\w*|rid"
    r"|(?:do|should|must|does|can) not (?:use|apply|have|call|add)|nicht anwend\w*|not (?:apply"
    r"|applying|use|using))"
)
_SOFTMAX = re.compile(
    rf"\b{_REMOVE}\b(?: \S+){{0,6}}? \W?(?:tf\.nn\.)?softmax|softmax\w*(?: \S+){{0,7}}? {_REMOVE}\b"
    r"|softmax (?:\S+ )?(?:only|just|nur) (?:once|one time|einmal|in the loss|at the)"
    r"|(?:only|just|nur) (?:one|once|einmal|ein\w*) (?:\S+ )?softmax"
    r"|return\w*(?: \S+){0,3} logits|logits (?:zurueck\w*|directly|direkt)|(?:output"
    r"|use)\w* (?:the )?(?:raw )?logits"
)
_ACTIVE_OUTPUT = re.compile(
    rf"\b{_REMOVE}\b(?: \S+){{0,5}} (?:activation|relu|sigmoid|aktivierung\w*)(?: \S+){{0,5}} "
    r"(?:output|last|final|logits?|letzte\w*|ausgabe\w*|ausgangs\w*)"
    r"|\b(?:activation|relu|sigmoid|aktivierung\w*)(?: \S+){0,5} "
    rf"(?:output|last|final|logits?|letzte\w*|ausgabe\w*|ausgangs\w*)(?: \S+){{0,3}} {_REMOVE}\b"
    rf"|(?:last|final|output|letzte\w*|ausgabe\w*)(?: \S+){{0,3}} (?:without|ohne"
    rf"|no)(?: \S+){{0,2}} (?:activation|relu|aktivier\w*)"
)
_LOSS = re.compile(
    r"from_logits ?= ?false|loss\w*(?: \S+){0,6} (?:probabilities|wahrscheinlichkeiten)"
    r"|\b(?:use|with|by|take|verwend\w*|durch)(?: \S+){0,4} (?:\S*\.)?(?:sparse_?)?categorical_?crossentropy"
    r"|loss\w* (?:without|ohne)(?: \S+){0,3} softmax"
)
_NOISE = re.compile(
    rf"\b(?:{_REMOVE}|clean\w*|undo\w*)\b(?: \S+){{0,6}}? \W?\S*(?:noise|noisy|rauschen|verrausch\w*)"
    rf"|(?:noise|noisy|rauschen)\w*(?: \S+){{0,7}}? (?:{_REMOVE})\b"
    r"|\b(?:clean|original|real|unverrauscht\w*|saubere\w*) (?:images?|data|inputs?|bilder\w*|daten)"
)
_DROPOUT = re.compile(
    rf"\b(?:{_REMOVE})\b(?: \S+){{0,4}}? \W?(?:\S+\.)?dropout|\bdropout\w*(?: \S+){{0,7}}? (?:{_REMOVE})\b"
)
_INPUTS = re.compile(
    r"(?<!not )(?<!never )(?<!nicht )\b(?:normali[sz]\w*|(?:re)?scal(?:e|ed|ing)|divid\w+|skalier\w*"
    r"|teil\w*)(?: \S+){0,6}? "
    r"\W?(?:inputs?|images?|pixels?|data|255\w*|bilder\w*|eingabe\w*|daten|pixelwerte)"
    r"|(?:inputs?|images?|pixels?|pixelwerte|bilder|eingaben|daten)"
    r"(?: (?!not\b|never\b|nicht\b|nie\b)\S+){0,6} (?:normali[sz]\w+|scal(?:e|ed)\b"
    r"|skalier\w+|(?:durch|by) 255|/ ?255)"
)
_CLIPPING = re.compile(r"\bclip\w*(?: \S+){0,4} \W?grad\w*|grad\w*(?:[ -]\S+){0,3}[ -]clip\w*|clip_by_\w+")
_OPTIMIZER = re.compile(r"(?<![\w])(adam|rmsprop|adagrad)(?:w|-?optimi[sz]er)?(?![\w])")
_OPTIMIZERS = {"adam": "Adam", "rmsprop": "RMSprop", "adagrad": "Adagrad"}
_BIASES = re.compile(
    r"\bbias\w*(?: \S+){0,8}? (?:to|with|at|as|=|auf|mit|by|be|von) ?(?:all )?\W?(?:0(?:\.0)?|zeros?"
    r"|null|tf\.zeros)(?![\d.]*\d)"
    r"|\b(?:zeros?|null)\b (?:for (?:the )?)?bias\w*"
)


def wishes_in(text: str) -> list[Wish]:
    """What `text` asks to be changed, in order, each once; alternatives stand beside each other."""
    wishes: list[Wish] = []
    plain = plain_of(text[:MAX_CHARS])
    subject = ""
    for found in _SENTENCE.finditer(plain):
        sentence, subject = _resolved(found[0].strip(), subject)
        if sentence and not sentence.endswith("?") and not _NO_USE.search(sentence):
            wishes += [wish for wish in _in_sentence(sentence, subject) if wish not in wishes]
    return wishes[:MAX_WISHES]


def _resolved(sentence: str, subject: str) -> tuple[str, str]:
    """A sentence with what was spoken of before (`subject`) for its first pronoun, and what it speaks of."""
    own = _SUBJECT.findall(sentence)
    if own or not subject:
        return sentence, own[0] if own else subject
    if _ONLY_REMOVES.match(sentence):
        return f"{sentence} {subject}", subject
    return _PRONOUN.sub(subject, sentence, count=1), subject


def plain_of(text: str) -> str:
    """`text` in small letters with plain minus signs, decimal points and single spaces."""
    plain = normal(text).replace("−", "-").replace("`", "")
    plain = re.sub(r"(?<![\d.])(\d),(\d+)(?![\d,]*\))", r"\1.\2", plain)
    return re.sub(r"[ \t]+", " ", plain)


def _in_sentence(sentence: str, subject: str) -> Iterator[Wish]:
    is_of_output = _ACTIVE_OUTPUT.search(sentence) is not None
    if is_of_output:
        yield Wish(Change.OUTPUT_ACTIVATION)
    else:
        yield from _activations(sentence)
    if _SOFTMAX.search(sentence):
        yield Wish(Change.SOFTMAX)
    if _LOSS.search(sentence):
        yield Wish(Change.LOSS)
    yield from weights_in(sentence, is_of_weights=subject in ("weights", "gewichte"))
    if _BIASES.search(sentence):
        yield Wish(Change.BIASES)
    yield from constants_in(sentence)
    if _NOISE.search(sentence):
        yield Wish(Change.NOISE)
    if _DROPOUT.search(sentence):
        yield Wish(Change.DROPOUT)
    if _INPUTS.search(sentence) and "weight" not in sentence and "gewicht" not in sentence:
        yield Wish(Change.INPUTS)
    if _CLIPPING.search(sentence):
        numbers = [number for number in numbers_in(sentence) if number > 0]
        yield Wish(Change.CLIPPING, numbers=(numbers[-1] if numbers else 1.0,), is_vague=not numbers)
    for found in _OPTIMIZER.finditer(sentence):
        is_preferred = re.match(r"\S* (?:optimi[sz]er )?(?:statt|instead)\b", sentence[found.end() :])
        if (is_preferred or _USE.search(sentence[: found.start()])) and not _NOT.search(
            sentence[: found.start()].rstrip()
        ):
            yield Wish(Change.OPTIMIZER, _OPTIMIZERS[found[1]])


def _activations(sentence: str) -> Iterator[Wish]:
    """The activations that a sentence asks for, with those that it says to replace."""
    found = [(one, _name(one[1])) for one in _ACTIVATION.finditer(sentence)]
    found = [(one, name) for one, name in found if name in ACTIVATIONS]
    replaced = {one.start() for one, _ in found if _REPLACED.search(sentence[: one.start()])}
    is_change = len(found) > 1 and not replaced and _CHANGES.search(sentence) is not None
    if is_change and not _is_target(sentence, found[0][0].start()):
        replaced = {found[0][0].start()}
    old = {name for one, name in found if one.start() in replaced}
    for one, name in found:
        before = sentence[: one.start()].rstrip()
        if one.start() in replaced or name in old or _NOT.search(before):
            continue
        if replaced or _USE.search(before[-80:]) or _is_better(sentence[one.end() :]):
            yield Wish(Change.ACTIVATION, name, next(iter(old)) if len(old) == 1 else "")


def _is_target(sentence: str, place: int) -> bool:
    """Whether what stands at `place` is what something is changed to, though another name follows."""
    return re.search(r"\b(?:to|by|with|durch|zu|auf|gegen)\b \S{0,12} ?$", sentence[:place]) is not None


def _is_better(after: str) -> bool:
    return _BETTER.search(after) is not None


def _name(spoken: str) -> str:
    """The name in TensorFlow of an activation as it is spoken of."""
    for beginning, name in _SPOKEN.items():
        if spoken.startswith(beginning):
            return name
    return spoken
