"""What a mistake looks like: pieces of hand-ins that show it, without names, comments or anything of whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from grader.evidence.record import Evidence
from grader.model import Reason
from grader.notebook.records import CellKind
from grader.report.excerpts import piece_of_code
from grader.report.highlighting import without_comments
from grader.report.pseudonyms import remover_of_names
from grader.report.sanitise import sanitise_markdown
from grader.report.visible import cut

_SHOWN = 2
_TRIED = 8  # hand-ins, of which the shortest are shown
_TEXT_SHOWN = 400  # characters
_SENTENCE_SHOWN = 240
_CODE_SHOWN = 4_000


@dataclass(frozen=True, kw_only=True)
class Example:
    """A piece of code, or (`is_code` False) of a text, as it may be shown to a class."""

    is_code: bool
    body: Markup


class ExampleTaker:
    """Takes examples from the evidence on hand-ins, by their ids; `names` are those of everybody."""

    def __init__(self, evidence: Mapping[str, Evidence], names: Iterable[str] = ()) -> None:
        self._evidence = evidence
        self._names = tuple(names)
        self._removers: dict[str, Callable[[str], str]] = {}

    def pieces(self, reasons: Mapping[str, Reason]) -> tuple[Example, ...]:
        """The shortest of the cells that these reasons, by hand-in, speak of; at most `_SHOWN`."""
        tried = (self._piece(name, reason) for name, reason in list(reasons.items())[:_TRIED])
        found = {example.body: example for example in tried if example is not None and example.body.strip()}
        return tuple(sorted(found.values(), key=lambda example: len(example.body))[:_SHOWN])

    def sentences(self, reasons: Mapping[str, Reason]) -> tuple[str, ...]:
        """The first of these reasons, each once, with their particulars but without names."""
        known = [name for name in reasons if name in self._evidence]
        said = (self.text(name, reasons[name].text, _SENTENCE_SHOWN) for name in known[:_TRIED])
        return tuple(dict.fromkeys(said))[:_SHOWN]

    def text(self, submission: str, text: str, limit: int) -> str:
        """A text of a hand-in without names, cut to `limit` characters; "" without its evidence."""
        if submission not in self._evidence:
            return ""
        nameless = self._remover(submission)(text)
        return nameless if len(nameless) <= limit else f"{nameless[: limit - 1]}…"

    def evidence(self, submission: str) -> Evidence | None:
        """The evidence on a hand-in, where it is at hand."""
        return self._evidence.get(submission)

    def _piece(self, submission: str, reason: Reason) -> Example | None:
        evidence = self._evidence.get(submission)
        cells = evidence.notebook.cells if evidence is not None else ()
        cell = next((cell for cell in cells if cell.number == reason.cell), None)
        if cell is None:
            return None
        source = self._remover(submission)(cut(cell.source, _CODE_SHOWN).head)
        if cell.kind is not CellKind.CODE:
            return Example(is_code=False, body=sanitise_markdown(source, limit=_TEXT_SHOWN))
        body, _ = piece_of_code(without_comments(source), [reason])
        return Example(is_code=True, body=body)

    def _remover(self, submission: str) -> Callable[[str], str]:
        if submission not in self._removers:
            self._removers[submission] = remover_of_names(self._evidence[submission], self._names)
        return self._removers[submission]


def everybodys_names(names: Iterable[str | None]) -> Sequence[str]:
    """The names that are known, each once."""
    return list(dict.fromkeys(name for name in names if name))
