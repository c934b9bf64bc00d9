"""Changing single values of a YAML file in place, with notes above them; all else stays byte for byte."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

import yaml

from grader.strict_yaml import Place

_BYTE_ORDER_MARK = "\ufeff"


def edited_yaml(text: str, values: Mapping[Place, str], notes: Mapping[Place, str], mark: str) -> str:
    """`text` with other `values`, and with one line of comment above the line of each place in `notes`.

    A comment begins with `mark`; one with it that stands there already is replaced. Values that are equal as
    numbers are left as they are written. Raises KeyError for a place that the text does not have.
    """
    if text.startswith(_BYTE_ORDER_MARK):  # libyaml does not count it
        return _BYTE_ORDER_MARK + edited_yaml(text.removeprefix(_BYTE_ORDER_MARK), values, notes, mark)
    root = yaml.compose(text, Loader=yaml.CSafeLoader) or yaml.MappingNode("", [])
    parts, at = [], 0
    for node, value in sorted(
        ((_found(root, place)[1], value) for place, value in values.items()),
        key=lambda pair: pair[0].start_mark.index,
    ):
        if not _is_equal(node, value):
            parts += [text[at : node.start_mark.index], value]
            at = node.end_mark.index
    lines = "".join([*parts, text[at:]]).splitlines(keepends=True)  # a value never has a line end in it
    by_line: defaultdict[int, list[str]] = defaultdict(list)
    for place, note in notes.items():
        by_line[_found(root, place)[0].start_mark.line].append(note)
    for line in sorted(by_line, reverse=True):
        _put_above(lines, line, by_line[line], mark)
    return "".join(lines)


def _put_above(lines: list[str], line: int, notes: list[str], mark: str) -> None:
    first = line
    while first and lines[first - 1].lstrip().startswith(f"# {mark}"):
        first -= 1
    indent = re.match(r"[ ]*", lines[line])
    end = "\r\n" if lines[line].endswith("\r\n") else "\n"
    lines[first:line] = [f"{indent[0] if indent else ''}# {mark}{note}{end}" for note in notes]


def _found(root: yaml.Node, place: Place) -> tuple[yaml.Node, yaml.Node]:
    """The key (for an item of a list: the item) and the value at a place."""
    key = value = root
    for part in place:
        if isinstance(value, yaml.MappingNode):
            pairs = {pair[0].value: pair for pair in value.value}
            if part not in pairs:
                raise KeyError(place)
            key, value = pairs[part]
        elif isinstance(value, yaml.SequenceNode) and isinstance(part, int) and part < len(value.value):
            key = value = value.value[part]
        else:
            raise KeyError(place)
    return key, value


def _is_equal(node: yaml.Node, value: str) -> bool:
    try:
        return float(node.value) == float(value)
    except (TypeError, ValueError):
        return bool(node.value == value)
