"""What a hand-in tells besides its running code: of experiments that are gone, of work in other files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from grader.evidence.record import Evidence
from grader.model import Reason, Source

_TRIED = re.compile(
    r"\b(?:tr(?:y|ied|ying)|experiment|compar|var(?:y|ied|ying|iat)|differ|instead|another|others?\b|chang|increas"
    r"|decreas|larger|smaller|more\b|fewer|better|worse|versuch|ausprobier|vergleich|verschieden|unterschied"
    r"|geänder|änder|erhöh|besser|schlechter|größer|kleiner|andere|statt|seconds? model|configurations?"
    r"|tested\b|getestet|replac|switch|ersetz|mehr\b|weniger|bringt|zweite|play(?:ed|ing)|explor"
    r"|tun(?:e|ed|ing)\b|search|sweep|by hand|siehe"
    r"|see (?:the|also|fig|tab))",
    re.IGNORECASE,
)
_SETTING = re.compile(
    r"\b(?:sizes?|widths?|wid(?:e|er)|units?|neuron\w*|nodes?|layers?|depth|deep(?:er)?|activations?|\w*relu|tanh|sigmoid"
    r"|elu|softplus|initiali[sz]\w*|init|learning.?rates?|lr|optimi[sz]\w*|adam|sgd|momentum|batch\w*|epochs?|steps?"
    r"|hyper.?parameter\w*|settings?|net(?:work|z)?\w*|models?|modell\w*|schicht\w*|einheiten|lernrate\w*|aktivierung\w*"
    r"|breite|tiefe)\b",
    re.IGNORECASE,
)
_OUTCOME = re.compile(
    r"\b(?:best|good|bad|well|poor\w*|slow\w*|fast\w*|quick\w*|diverg\w*|conver\w*|under.?fit\w*|over.?fit\w*"
    r"|explod\w*|vanish\w*|matter\w*|works?|fails?|failed|helps?|helped|stuck|unstable|cho(?:se|sen|ice)|found"
    r"|reach\w*|achiev\w*|results?|accura\w*|lead\w*|perform\w*|too (?:small|big|large|low|high|slow)"
    r"|zu (?:klein|groß|langsam|hoch)|gut\w*"
    r"|schlecht\w*|langsam\w*|schnell\w*|konverg\w*|führt\w*|ergibt|erreich\w*|genauigkeit\w*|optimal\w*|fine\b)\b",
    re.IGNORECASE,
)
_ACCURACY = re.compile(r"\d[\d.,]{0,20}\s?%|(?<![\d.,])0?[.,]\d{2,}\b")
_FIGURES = re.compile(r"(?<![\d.,])[5-9]\d(?![\d])")  # per cents without their sign, in a list or a table
_IN_A_COMMENT = re.compile(r"#.*(?:=|\btf\.|relu|tanh|sigmoid|random|zeros|assign)", re.IGNORECASE)
_ASKS = frozenset({"input", "interact", "interactive", "interactive_output"})
_LINE_CHARS = 4_000
_NOTED_NUMBERS = 3  # accuracies or so in one list that somebody typed in
_MAY_HOLD_WORK = frozenset(
    {
        ".ipynb",
        ".py",
        ".pdf",
        ".html",
        ".htm",
        ".doc",
        ".docx",
        ".odt",
        ".md",
        ".txt",
        ".png",
        ".jpg",
        ".jpeg",
    }
)
_COURSE_FILES = frozenset({"datasets.py", "requirements.txt", "readme.md", "readme.txt"})


def tells_of_experiments(evidence: Evidence) -> bool:
    """Whether text, typed-in numbers, or code put out of use may tell of configurations that are gone.

    One cell is often overwritten for each experiment, and only the words about it are left.
    """
    lines = [line for _, line in _lines(evidence)]
    if any(_TRIED.search(line) for line in lines) or evidence.prose.pictures:
        return True
    if any(_SETTING.search(line) and _OUTCOME.search(line) for line in lines):
        return True
    if any(sum(len(figure.findall(line)) for line in lines) > 1 for figure in (_ACCURACY, _FIGURES)):
        return True
    return _code_tells(evidence)


def tells_of(evidence: Evidence, *about: re.Pattern[str]) -> int | None:
    """The cell of the first line of text that speaks of all of `about` and of a trial or a result."""
    for cell, line in _lines(evidence):
        is_result = any(told.search(line) for told in (_OUTCOME, _TRIED, _ACCURACY))
        if is_result and all(words.search(line) for words in about):
            return cell
    return None


def _lines(evidence: Evidence) -> Iterator[tuple[int, str]]:
    for passage in evidence.prose.passages:
        for line in passage.text.split("\n"):
            yield passage.cell, line[:_LINE_CHARS]


def _code_tells(evidence: Evidence) -> bool:
    """Commented-out code, results noted as numbers or loaded, a setting that is asked for."""
    lines = (line for cell in evidence.notebook.code_cells for line in cell.source.split("\n"))
    if any(_IN_A_COMMENT.search(line) for line in lines):
        return True
    if any(not load.dataset for load in evidence.facts.loads):
        return True
    return any(_is_noted(node) or _asks_for_a_setting(node) for _, node in evidence.code.nodes)


def _is_noted(node: ast.AST) -> bool:
    """`[0.91, 0.93, 0.95]`, or the same as values of a dict."""
    values = (
        node.elts
        if isinstance(node, (ast.List, ast.Tuple))
        else node.values
        if isinstance(node, ast.Dict)
        else []
    )
    numbers = [v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, float)]
    return sum(0.1 < number < 100 for number in numbers) >= _NOTED_NUMBERS


def _asks_for_a_setting(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ASKS


def work_elsewhere(evidence: Evidence) -> Reason | None:
    """Another file of the hand-in, or a text given online, that may hold what the notebook lacks."""
    for attachment in evidence.submission.attachments:
        path = PurePosixPath(attachment.name)
        is_hidden = any(part.startswith((".", "__")) for part in path.parts)
        if path.suffix.lower() in _MAY_HOLD_WORK and path.name.lower() not in _COURSE_FILES and not is_hidden:
            text = (
                f"It is not in the notebook, but {attachment.name} was handed in beside it and may hold it."
            )
            return Reason(text=text, source=Source.SOURCE)
    if evidence.submission.online_text and evidence.submission.online_text.strip():
        text = "It is not in the notebook, but a text was handed in online beside it and may tell of it."
        return Reason(text=text, source=Source.SOURCE)
    return None
