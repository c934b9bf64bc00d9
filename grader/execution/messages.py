"""A kernel's messages as far as they may be believed: rebuilt from the few fields that we use, and counted.

Student code shares the kernel's process and can send whatever it likes, signed by the kernel's own key.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

SHOWN = ("text/plain", "text/html", "text/markdown", "image/png", "image/jpeg")
_TEXTS = ("name", "text", "ename", "evalue", "execution_state")
_MESSAGE_BYTES = 256  # what a message counts besides its text: handling it takes time
_MOST_DISPLAYS = 20  # outputs that one display may update
_MOST_NAMES = 200  # displays that may be updated
_IN_FUNCTION = re.compile(r"\w+: in user code:.*\n\s+(\w*(?:Error|Exception): .+)$", re.DOTALL)
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Messages:
    """The messages of one kernel. `bytes` is about what they carried so far."""

    def __init__(self) -> None:
        self.bytes = 0
        self._displays: Counter[str] = Counter()

    def rebuilt(self, message: Mapping[str, Any]) -> dict[str, Any] | None:
        """`message` with a flat content of strings and numbers; None when it is none that a kernel sends."""
        content = message.get("content")
        kind = message.get("msg_type")
        if not isinstance(content, dict) or not isinstance(kind, str):
            return None
        self.bytes += _MESSAGE_BYTES + _length(content)
        plain = {name: content[name] for name in _TEXTS if isinstance(content.get(name), str)}
        if type(content.get("execution_count")) is int:
            plain["execution_count"] = content["execution_count"]
        if isinstance(content.get("wait"), bool):
            plain["wait"] = content["wait"]
        if isinstance(data := content.get("data"), dict):
            shown = {kind: data[kind] for kind in SHOWN if isinstance(data.get(kind), str)}
            plain |= {"data": shown, "metadata": {}}
        if isinstance(lines := content.get("traceback"), list):
            plain["traceback"] = [line for line in lines if isinstance(line, str)]
        if (name := self._display_name(content.get("transient"))) is not None:
            plain["transient"] = {"display_id": name}
        return {**message, "content": plain}

    def _display_name(self, transient: Any) -> str | None:
        """The name by which an output can be updated; None beyond what can be looked through quickly."""
        name = transient.get("display_id") if isinstance(transient, dict) else None
        if not isinstance(name, str) or (name not in self._displays and len(self._displays) >= _MOST_NAMES):
            return None
        self._displays[name] += 1
        return name if self._displays[name] <= _MOST_DISPLAYS else None


def _length(content: Mapping[str, Any]) -> int:
    """The characters of a message's texts, shown or not."""
    parts = [*content.values()]
    for part in (content.get("data"), content.get("traceback")):
        parts += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return sum(len(part) for part in parts if isinstance(part, str))


def error_told(content: Mapping[str, Any]) -> str:
    """The error that a kernel's reply or an output tells of, "Name: message" on one line."""
    return _one_line(f"{content.get('ename', 'Error')}: {content.get('evalue', '')}")


def _one_line(message: str) -> str:
    """A message of student code as one line that can be stored anywhere.

    What is raised in a `tf.function` tells of all the code around it first; the error itself stands last.
    """
    plain = _ANSI.sub("", message[:100_000]).encode("utf-8", "replace").decode("utf-8")
    in_function = _IN_FUNCTION.match(plain)
    return " ".join((in_function[1] if in_function else plain).split())[:600]
