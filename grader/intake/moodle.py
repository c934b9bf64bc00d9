"""What Moodle's names and online texts say: whose a file is, and what was typed into the page."""

from __future__ import annotations

import html
import re
from pathlib import Path

from grader.intake.naming import encodable, person_name
from grader.model import Participant, Record

ONLINE_TEXT = "onlinetext"
"""The plugin that holds what was typed into Moodle's page instead of uploaded."""

_NAME = re.compile(
    r"(?P<who>.*?)_(?P<id>[0-9]{1,20})_assignsubmission_(?P<plugin>[a-z]+)(?:_(?P<rest>.*))?", re.DOTALL
)
_NAME_WITHOUT_ID = re.compile(
    r"(?P<who>.+?)_assignsubmission_(?P<plugin>[a-z]+)(?:_(?P<rest>.*))?", re.DOTALL
)
# Moodle translates "Participant" and strips what file names may not hold ("Teilnehmer/in"); with separate
# groups the group's name and a hyphen stand before it.
_BLIND = re.compile(
    r"(?:.*-)?\s*(?:participant|participante|partecipante|deelnemer|teilnehmer(?:/?\s?\*?in|ende)?)",
    re.IGNORECASE,
)
_GROUP = re.compile(
    r"(?:default (?:group|team)|standard(?:gruppe|team)|group|gruppe|team|groupe|grupo|gruppo)\b",
    re.IGNORECASE,
)

_WRAPPERS = 2  # folders that somebody may have packed around Moodle's

_LINE_TAGS = {
    *("p", "div", "br", "li", "ul", "ol", "tr", "table", "pre", "blockquote", "section", "article", "hr"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
}
_UNSEEN_TAGS = {"script", "style", "head", "title", "template"}
_TAG = re.compile(r"/?\s*([a-zA-Z][a-zA-Z0-9]*)")
_LINK = re.compile(r"""\bhref\s*=\s*["']?(https?://[^"'\s>]+)""", re.IGNORECASE)


class MoodleName(Record):
    """The name of a file or folder in Moodle's "Download all submissions", taken apart.

    `label` is what stands before `_assignsubmission_` (`Participant_101`): the same for all that one
    participant or group handed in. `rest` is the file's own name in flat mode, "" in folder mode.
    """

    label: str
    participant: Participant
    plugin: str
    rest: str = ""


def parse_moodle_name(name: str) -> MoodleName | None:
    """Take `name` apart as MOODLE.md tells, None when Moodle did not make it.

    The first `_<digits>_assignsubmission_` counts: Moodle leaves no `_` in the names before it, while
    what follows is the student's to choose. Whether a name is a group's is told by its first word only.
    """
    name = encodable(name)
    found = _NAME.fullmatch(name) or _NAME_WITHOUT_ID.fullmatch(name)
    if found is None:
        return None
    parts = found.groupdict()
    who, identifier = parts["who"], parts.get("id")
    is_blind = identifier is not None and _BLIND.fullmatch(who.replace("_", " ")) is not None
    shown_name = None if is_blind else person_name(who)
    is_group = shown_name is not None and (identifier is None or _GROUP.match(shown_name) is not None)
    return MoodleName(
        label=who if identifier is None else f"{who}_{identifier}",
        participant=Participant(id=identifier, name=shown_name, is_group=is_group, is_blind=is_blind),
        plugin=parts["plugin"],
        rest=parts["rest"] or "",
    )


def has_moodle_name(name: str) -> bool:
    """Whether Moodle made the name of this file or folder."""
    return parse_moodle_name(name) is not None


def is_inside_hand_in(path: Path) -> bool:
    """Whether `path` is, or lies in, a folder or file that Moodle named after one hand-in."""
    return any("_assignsubmission_" in part for part in path.parts)


def owner_of_entry(entry: str) -> MoodleName | None:
    """Whose an entry of a class's zip is, None where that cannot be told.

    Only the first folders count, which Moodle and unzip programs name: what follows is the student's.
    """
    parts = [part for part in entry.split("/") if part != "."]
    for part in parts[: _WRAPPERS + 1]:
        if part in ("", ".."):
            return None
        if "_assignsubmission_" in part and (named := parse_moodle_name(part)) is not None:
            return named
    return None


def plain_text(markup: str) -> str:
    """The text of an HTML fragment as a reader sees it: tags gone, lines kept, web addresses after links.

    Takes time in proportion to the length, whatever the markup: an unfinished tag is read as text, an
    unfinished comment or script ends the text.
    """
    pieces: list[str] = []
    position = 0
    while (start := markup.find("<", position)) >= 0:
        pieces.append(_unescaped(markup[position:start]))
        if markup.startswith("<!--", start):
            end = markup.find("-->", start + 4) + 3
            if end < 3:
                position = len(markup)
                break
            position = end
            continue
        end = markup.find(">", start)
        if end < 0:
            position = start
            break
        tag = markup[start + 1 : end]
        pieces.append(_in_place_of(tag))
        position = _after_unseen(markup, tag, end + 1)
    pieces.append(_unescaped(markup[position:]))
    lines = (" ".join(line.split()) for line in "".join(pieces).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _in_place_of(tag: str) -> str:
    """What stands in the text where a tag stood: a line's end, a bullet, a link's address, or nothing."""
    found = _TAG.match(tag)
    if found is None:
        return ""
    name = found.group(1).lower()
    if name == "a" and (link := _LINK.search(tag[:4_000])):
        return f"[{_unescaped(link.group(1))}] "
    if name == "li" and not tag.startswith("/"):
        return "\n- "
    return "\n" if name in _LINE_TAGS else ""


def _after_unseen(markup: str, tag: str, position: int) -> int:
    """Where to go on after `tag`, which ends before `position`: behind the whole element if it is unseen."""
    found = _TAG.match(tag)
    if found is None or tag.startswith("/") or found.group(1).lower() not in _UNSEEN_TAGS:
        return position
    closing = re.compile(f"</{found.group(1)}", re.IGNORECASE).search(markup, position)
    return closing.start() if closing else len(markup)


def _unescaped(text: str) -> str:
    """`text` with its HTML entities resolved; as it is when one of them is an absurd number."""
    try:
        return html.unescape(text)
    except ValueError:  # Python refuses to convert numbers of thousands of digits
        return text
