"""Reads how weights are to begin and what settings are to be: ranges, rates, numbers of layers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.fixes.wishes import Change, Wish

_N = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?"
_NUMBER = re.compile(rf"(?<![\w.]){_N}(?![\w]|\.\d)(?!\s?%)")
_POWER = re.compile(r"10 ?(?:\^|\*\*) ?\(?\{?(-\d+)\)?\}?")
_FRACTION = re.compile(r"(?<![\w.])1 ?/ ?(\d{1,6})(?![\w.])")
_RANGE = re.compile(
    rf"(?:between|zwischen|from|von|in|range|bereich|intervall?|uniform\w*)?[\s(\[]{{0,3}}(?P<low>{_N}) ?"
    rf"(?:,|;|and|und|to|bis|\.\.\.?|…) ?(?P<high>[-+]?{_N})(?![\w]|\.\d)"
)
_PLUS_MINUS = re.compile(rf"(?:±|\+ ?/ ?-|\+-) ?(?P<b>{_N})")
_BOUND = re.compile(
    rf"\b(?:range|bereich)\b (?:(?:from|von) {_N} )?(?:to|of|=|auf|von) ?(?P<b>{_N})"
    r"(?![\w]|\.\d| ?(?:to|bis|and|und|,|;)\b)"
)
_OF_WEIGHTS = re.compile(
    r"weight|gewicht|initiali|w_range|\bvariables?\b|uniform|random\.\w*normal|kernel|matri[xz]|\bw\b|\binit\b"
)
_OF_INPUTS = re.compile(r"\b(?:pixel|image|input|label|bild|eingabe)\w*")
_DEVIATION = re.compile(
    rf"(?:std(?:dev|\.?dev\.?)?|standard deviation|standardabweichung|sigma)\W{{0,3}}(?:of|von|to|auf"
    rf"|is|be|=|:)?\W{{0,2}}(?P<n>{_N})"
    rf"|normal\w*\(\W*(?:mean ?= ?)?0(?:\.0)?, ?(?:stddev ?= ?)?(?P<m>{_N})"
)
_DESCRIBES = re.compile(
    r"\b(?:is|are|was|were|being|ist|sind|war|waren|wird|werden|wurden)\b(?: (?!should|now|jetzt|nun"
    r"|then|dann|instead)\w+){0,4} "
    r"(?:initiali[sz]\w*|set|drawn|sampled|gezogen|gesetzt|chosen|gewaehlt)|too (?:large|big|high|wide"
    r"|small|low|far)"
    r"|zu (?:gross|hoch|breit|klein|niedrig|weit)"
    r"|\b(?:initialisiert|gezogen|gesetzt|gewaehlt) (?:werden|wird|wurden|sind)\b|\bcomes? from\b"
    r"|\bstamm\w+ aus\b"
    r"|\bkommen aus\b"
)
_PROPOSES = re.compile(
    r"should|could|\bcan\b|must|\bneed|instead|\bnow\b|better|fix|solution|loesung|soll|koenn|muss"
    r"|statt|jetzt|\bnun\b|\bto be\b"
    r"|reduc|lower|decreas|chang|adjust|verringer|reduzier|aender|verkleiner|smaller range|kleinere"
    r"|we (?:set|init|use)|\buse\b"
)
_OLD = re.compile(
    r"(?:instead of|rather than|statt|anstatt|anstelle|from|von|than|als|currently|was|war|were|waren"
    r"|original\w*|before)\b"
    r"(?:(?! to | auf |->|→)[^,;]){0,24}$"
)
_IS_OLD = re.compile(r"\W{0,2} ?(?:(?:is|was|ist|war)\b|->|→|to \d|auf \d)")
_NOT_TOO = r"(?<!too )(?<!zu )"  # "too small" asks for no less
_LESS = (
    rf"{_NOT_TOO}(?:small(?:er)?|lower(?:ed|ing)?|reduc\w+|decreas\w+|less|narrow\w*|shrink\w*|klein(?:er\w*|e)?"
    r"|verkleiner\w*"
    r"|verringer\w*|reduzier\w*|niedriger\w*|geringer\w*|senk\w*|scal\w+ down|halv\w+|divid\w+)"
)
_MORE = (
    rf"{_NOT_TOO}(?:larger|bigger|higher|increas\w+|rais\w+|groesser\w*|hoeher\w*|erhoeh\w*|wider"
    r"|vergroesser\w*)"
)
_W = r"(?:weights?|gewichte?n?|initiali[sz]\w+|w_range|range|variance|varianz|bereich|init)"
_VAGUE_LESS = re.compile(rf"\b{_LESS}(?: \S+){{0,5}}? {_W}\b|\b{_W}(?: \S+){{0,7}}? {_LESS}\b")
_VAGUE_MORE = re.compile(rf"\b{_MORE}(?: \S+){{0,5}}? {_W}\b|\b{_W}(?: \S+){{0,7}}? {_MORE}\b")
_SYMMETRIC = re.compile(
    r"symmetri|around (?:zero|0)|centered|centred|zero[- ]mean|mean (?:of )?(?:zero|0)|positive and negative"
    r"|negative and positive|both signs|um (?:die )?(?:null|0)|positive und negative|auch positive"
    r"|also positive"
    r"|(?<!no )positive weights|some positive|mittelwert (?:von )?(?:null|0)|both positive|sowohl positive"
)
_GLOROT = re.compile(r"\b(?:glorot|xavier)")
_HE = re.compile(r"\bkaiming|\bhe[ _-](?:normal|uniform|init\w*)|\bhe et al")

_RATE = r"(?:learning[ _-]?rate|lern[ -]?rate|\blr\b|step ?size|schrittweite|lernrate)"
_SETTINGS = {
    "learning-rate": re.compile(_RATE),
    "layers": re.compile(r"\b(?:hidden )?(?:layers?|schichten|lagen|n_layers)\b|\bdepth\b|\btiefe\b"),
    "noise": re.compile(r"noise|rauschen"),
    "dropout": re.compile(r"dropout"),
}
_COUNTS = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "eine": 1,
    "zwei": 2,
    "drei": 3,
    "vier": 4,
    "a single": 1,
}
_LAYERS = re.compile(
    rf"\b(?P<n>\d{{1,2}}|{'|'.join(_COUNTS)}) (?:\w+ )?(?:hidden )?(?:layers?|schichten)"
    r"|(?:layers?|schichten|n_layers|depth|tiefe)\W{0,3}(?:\w+ ){0,2}?(?:to|of|=|auf|von"
    r"|bis) ?(?P<m>\d{1,2})(?![\w.]\d)"
)
_FEWER = re.compile(
    r"\b(?:fewer|less|weniger) (?:hidden |of the )?(?:layers?|schichten)"
    r"|\b(?:reduc\w+|decreas\w+|lower\w*|verringer\w*|reduzier\w*) (?:\S+ ){0,4}(?:layers|schichten"
    r"|depth|tiefe)\b"
    r"|\b(?:smaller|shallower|less deep|kleineres|flacheres|weniger tiefes) (?:network|model|netz\w*)"
    r"|\b(?:remov\w+|drop\w*|entfern\w*)(?: \S+){0,3} (?:hidden )?(?:layers|schichten)\b"
)


def numbers_in(text: str) -> list[float]:
    """The numbers of a text in order, written as `0.01`, `1e-3`, `10^-3` or `1/100`."""
    spelled = _POWER.sub(lambda found: f"1e{max(-12, int(found[1]))}", text)
    spelled = _FRACTION.sub(lambda found: f"{1 / max(1, int(found[1])):.10f}", spelled)
    return [number for found in _NUMBER.finditer(spelled) if abs(number := float(found[0])) < 1e9]


def weights_in(sentence: str, *, is_of_weights: bool = False) -> Iterator[Wish]:
    """How a sentence asks for the weights to begin; nothing where it only tells how they do.

    `is_of_weights`: they were spoken of before, and nothing else since.
    """
    if not is_of_weights and not _OF_WEIGHTS.search(sentence) and " range " not in sentence:
        return
    is_proposed = _PROPOSES.search(sentence) is not None or not _DESCRIBES.search(sentence)
    if _GLOROT.search(sentence):
        yield Wish(Change.WEIGHTS, "glorot")
    if _HE.search(sentence):
        yield Wish(Change.WEIGHTS, "he")
    named = False
    ranges = list(_ranges(sentence)) if is_proposed else []
    for low, high in ranges:
        named = True
        yield Wish(Change.WEIGHTS, "uniform", numbers=(low, high))
    for found in _DEVIATION.finditer(sentence) if is_proposed else ():
        number = float(found["n"] or found["m"])
        if 0 < number < 1e3 and "noise" not in sentence and not _OLD.search(sentence[: found.start()]):
            named = True
            yield Wish(Change.WEIGHTS, "normal", numbers=(number,))
    if named:
        return
    if _SYMMETRIC.search(sentence):
        yield Wish(Change.WEIGHTS, "symmetric", is_vague=True)
    elif _VAGUE_LESS.search(sentence) and not re.search(_RATE, sentence):
        bounds = [number for number in numbers_in(sentence) if 0 < number < 1]
        if len(bounds) == 1:
            yield Wish(Change.WEIGHTS, "uniform", numbers=(-bounds[0], bounds[0]))
            return
        yield Wish(Change.WEIGHTS, "scaled", numbers=(0.1,), is_vague=True)
    elif _VAGUE_MORE.search(sentence) and not re.search(_RATE, sentence):
        yield Wish(Change.WEIGHTS, "scaled", numbers=(10.0,), is_vague=True)


def _ranges(sentence: str) -> Iterator[tuple[float, float]]:
    for found in _RANGE.finditer(sentence):
        low, high = float(found["low"]), float(re.sub(r"^[+-](?=[+-])", "", found["high"]))
        near = sentence[max(0, found.start() - 40) : found.start()]
        is_of_inputs = _OF_INPUTS.search(near) and not _OF_WEIGHTS.search(near)
        is_old = re.search(r"(?:instead of|rather than|statt|anstatt)\b[^,;]{0,24}$", near)
        if -1e6 < low <= 0 and low < high < 1e6 and not is_of_inputs and not is_old:
            yield low, high
    for found in (*_PLUS_MINUS.finditer(sentence), *_BOUND.finditer(sentence)):
        bound = abs(float(found["b"]))
        if bound:
            yield -bound, bound


def constants_in(sentence: str) -> Iterator[Wish]:
    """The settings that a sentence asks to change, to a number or in a direction."""
    if found := _SETTINGS["learning-rate"].search(sentence):
        yield from _setting("learning-rate", sentence, found)
    for name in ("noise", "dropout"):
        if found := _SETTINGS[name].search(sentence):
            yield from _setting(name, sentence, found)
    for found in _LAYERS.finditer(sentence):
        count = _COUNTS.get(found["n"] or "") or int(found["n"] or found["m"])
        before = sentence[: found.start()]
        is_asked = _PROPOSES.search(sentence) or re.search(r"\b(?:only|just|nur|mit|with)\b", before)
        if 0 < count < 50 and is_asked and not _OLD.search(before):
            yield Wish(Change.CONSTANT, "layers", numbers=(float(count),))
    if _FEWER.search(sentence) and not _LAYERS.search(sentence):
        yield Wish(Change.CONSTANT, "layers", numbers=(2.0,), is_vague=True)


def _setting(name: str, sentence: str, found: re.Match[str]) -> Iterator[Wish]:
    """What the setting named at `found` is to be: a number not told as the old one, or a direction."""
    after = sentence[found.end() : found.end() + 120]
    spelled = _POWER.sub(lambda power: f"1e{max(-12, int(power[1]))}", after)
    kept = []
    for one in _NUMBER.finditer(spelled):
        is_old = _OLD.search(spelled[: one.start()]) or _IS_OLD.match(spelled[one.end() :])
        if not is_old and 0 <= float(one[0]) < 1e6:
            kept.append(float(one[0]))
    if kept:
        yield Wish(Change.CONSTANT, name, numbers=(kept[0],))
        return
    around = sentence[max(0, found.start() - 60) : found.end() + 60]
    if re.search(rf"\b{_LESS}\b", around):
        yield Wish(Change.CONSTANT, name, "*", (0.1,), is_vague=True)
    elif re.search(rf"\b{_MORE}\b", around) and name == "learning-rate":
        yield Wish(Change.CONSTANT, name, "*", (10.0,), is_vague=True)
