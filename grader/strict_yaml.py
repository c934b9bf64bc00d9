"""Plain YAML read with the line of every value, and held against pydantic models in sentences.

No anchors, no aliases, no tags, no duplicate keys, one document, bounded in size and depth. Words like
`yes` and `on` stay words; only `true` and `false` are truth values. All problems of a file are gathered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails
from rapidfuzz import process

from grader.errors import RubricError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 12
MAX_DIGITS = 15  # what a float keeps exactly, so that 0.1 in the file is Decimal("0.1")

Place = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)
Named = TypeVar("Named")


class Problem(NamedTuple):
    """One thing that is wrong, and the line it stands in."""

    line: int
    sentence: str


def _on_one_line(sentence: str) -> str:
    """A sentence that may quote the file, with line ends and other control characters written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in sentence)


class StrictYaml:
    """A file as plain values, the line of each of them by its place, and what is wrong with it.

    A place is the path of keys and indices that leads to a value, e.g. `("criteria", 0, "points")`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.value: Any = None
        self.lines: dict[Place, int] = {(): 1}
        self.problems: list[Problem] = []

    def report(self, place: Place, sentence: str) -> None:
        """Note a problem at `place`, or at the nearest place around it that has a line."""
        while place not in self.lines:
            place = place[:-1]
        self.problems.append(Problem(self.lines[place], sentence))

    def error(self) -> RubricError:
        """All problems, in the order of their lines, one line each."""
        problems = sorted(set(self.problems))
        return RubricError(
            "\n".join(f"{self.path}, line {line}: {_on_one_line(sentence)}" for line, sentence in problems)
        )

    def validated(
        self,
        model: type[Model],
        raw: Any,
        place: Place,
        where: str = "",
        context: Mapping[str, Any] | None = None,
    ) -> Model | None:
        """`raw`, which stands at `place`, as a `model`, without coercing types.

        None when it does not fit, which is then reported; `where` ends each sentence. `context` is what the
        model's own validators are told.
        """
        try:
            return model.model_validate_json(json.dumps(raw), strict=True, context=context)
        except ValidationError as error:
            for detail in error.errors():
                inner = place + (detail["loc"][:-1] if detail["type"] == "missing" else detail["loc"])
                self.report(inner, _sentence(detail, model, where))
            return None

    def read(self, events: Iterator[yaml.Event]) -> None:
        """Fill `value` and `lines` from the parser's events; raises what the parser raises, or `error()`."""
        while isinstance(event := next(events), yaml.StreamStartEvent | yaml.DocumentStartEvent):
            pass
        if isinstance(event, yaml.StreamEndEvent):
            return
        self.value = self._build(event, events, ())
        next(events)  # the document's end
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            line = _line(after)
            self.problems.append(Problem(line, "a file holds one document: remove this second one"))

    def _build(self, event: yaml.Event, events: Iterator[yaml.Event], place: Place) -> Any:
        line = _line(event)
        self.lines.setdefault(place, line)
        if len(place) > MAX_DEPTH:
            self.problems.append(Problem(line, "this is nested too deeply"))
            raise self.error()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            sentence = (
                "anchors (&) and aliases (*) are not used here: write it out, or put the text in quotes"
            )
            self.problems.append(Problem(line, sentence))
        elif getattr(event, "tag", None) is not None:
            self.problems.append(
                Problem(line, "tags (!) are not used here: remove it, or put the text in quotes")
            )
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, place)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(item := next(events), yaml.SequenceEndEvent):
                items.append(self._build(item, events, (*place, len(items))))
            return items
        return self._scalar(event) if isinstance(event, yaml.ScalarEvent) else None

    def _mapping(self, events: Iterator[yaml.Event], place: Place) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(key := next(events), yaml.MappingEndEvent):
            line = _line(key)
            if not isinstance(key, yaml.ScalarEvent):
                self.problems.append(
                    Problem(line, "a key must be one word: put text with {, [ or * in quotes")
                )
                self._build(key, events, (*place, "?"))
                self._build(next(events), events, (*place, "?"))
                continue
            if key.value in mapping:
                first = self.lines[*place, key.value]
                self.problems.append(
                    Problem(line, f"`{key.value}` stands here twice (first in line {first})")
                )
            self.lines.setdefault((*place, key.value), line)
            value = self._build(next(events), events, (*place, key.value))
            mapping.setdefault(key.value, value)
        return mapping

    def _scalar(self, event: yaml.ScalarEvent) -> str | int | float | bool | None:
        text = event.value
        if not event.implicit[0]:  # it was quoted
            return text
        if text.lower() in ("", "~", "null"):
            return None
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        if re.fullmatch(rf"[-+]?\d{{1,{MAX_DIGITS}}}", text, re.ASCII):
            return int(text)
        if re.fullmatch(r"[-+]?(\d+\.\d*|\.\d+|\d+(?=e))(e[-+]?\d{1,2})?", text, re.IGNORECASE | re.ASCII):
            if len(re.sub(r"e.*|\D", "", text.lower()).lstrip("0")) > MAX_DIGITS:
                sentence = f"{text[:40]} has more than {MAX_DIGITS} digits: round it"
                self.problems.append(Problem(_line(event), sentence))
            return float(text)
        return text


def read_yaml(path: Path) -> StrictYaml:
    """Read the file at `path`; problems that leave the rest readable are gathered, not raised.

    Raises `RubricError` when the file cannot be read, is too large, or is not YAML. It is parsed by libyaml
    always, and never by PyYAML's own parser: that is slower and refuses files which libyaml reads, and a
    rubric must be the same everywhere.
    """
    if not yaml.__with_libyaml__:
        raise RubricError(
            f"{path}: this file cannot be read, because PyYAML was built without libyaml here: install "
            "one of its wheels (pip install --force-reinstall --only-binary :all: pyyaml)"
        )
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        others = ", ".join(sorted(other.stem for other in path.parent.glob("*.yaml")))
        hint = f": there are {others}" if others else ""
        raise RubricError(f"{path}: this file cannot be read ({error.strerror}){hint}") from error
    if len(raw) > MAX_BYTES:
        raise RubricError(f"{path}: this file is larger than {MAX_BYTES // 1024} KiB: is it the right one?")
    result = StrictYaml(path)
    try:
        result.read(yaml.parse(raw.decode("utf-8-sig"), Loader=yaml.CSafeLoader))
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise RubricError(f"{path}, line {line}: this is not UTF-8 text: save the file as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part)
        result.problems.append(Problem(mark.line + 1 if mark else 1, f"this is not valid YAML ({problem})"))
        raise result.error() from error
    except yaml.YAMLError as error:
        raise RubricError(f"{path}: this is not valid YAML ({' '.join(str(error).split())})") from error
    return result


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`: did you mean 'x'?` with the nearest of the `known` words, or nothing when none is near."""
    nearest = process.extractOne(word, list(known), score_cutoff=60)
    return f": did you mean {nearest[0]!r}?" if nearest else ""


class Material:
    """The files of the folder beside a rubric, each of which is read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._found: dict[str, Mapping[str, Any]] = {}

    def found_in(self, file: str, read: Callable[[Path], Mapping[str, Named]]) -> Mapping[str, Named]:
        """What `read` finds in `file`, by name; raises what it raises."""
        if file not in self._found:
            self._found[file] = read(self.folder / file)
        return self._found[file]


def named_in_material(
    kind: str, file: str, read: Callable[[Path], Mapping[str, Named]]
) -> Callable[[object, ValidationInfo], object]:
    """A validator that turns a name in a rubric into what it names in `file` of the assignment's material.

    `kind` is what is named, for the sentence that says that there is none of that name. The validation's
    context holds the `Material` as "material".
    """

    def by_name(value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        material: Material = (info.context or {})["material"]
        found = material.found_in(file, read)
        if value not in found:
            hint = did_you_mean(value, found).removeprefix(": ") or f"there are {', '.join(found)}"
            raise ValueError(f"should be a {kind} of {material.folder.name}/{file} ({hint})")
        return found[value]

    return by_name


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _sentence(detail: ErrorDetails, model: type[BaseModel], where: str) -> str:
    """One of pydantic's errors, in words for the author of the file."""
    loc, given = detail["loc"], detail["input"]
    name = f"`{loc[-1]}`" if loc else "this"
    if loc and isinstance(loc[-1], int):
        name = f"item {loc[-1] + 1}" + (f" of `{loc[-2]}`" if len(loc) > 1 else "")
    if detail["type"] == "missing":
        return f"{name}{where} is missing"
    if detail["type"] == "extra_forbidden":
        known = _known_keys(model, loc[:-1])
        hint = did_you_mean(str(loc[-1]), known) or f": known are {', '.join(known) or 'none'}"
        return f"unknown key {name}{where}{hint}"
    words = re.sub(r"^.*?\b(?=should )", "", detail["msg"].removeprefix("Value error, "))
    words = words.replace("a valid array", "a list").replace(
        "a valid dictionary or instance", "`key: value` lines"
    )
    if detail["type"] == "string_pattern_mismatch":
        words = "should be lower-case letters, digits and hyphens, starting with a letter"
    shown = json.dumps(given, ensure_ascii=False, default=str)
    shown = shown if len(shown) <= 60 else shown[:57] + "…"
    hint = ""
    if detail["type"] in ("enum", "literal_error") and isinstance(given, str):
        hint = did_you_mean(given, re.findall(r"'([^']*)'", words))
    return f"{name}{where}: {words}, not {shown}{hint}"


def _known_keys(model: Any, loc: Place) -> list[str]:
    """The keys that may stand at `loc` of `model`, as far as its types tell."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
        return list(fields) if not loc else _known_keys(fields.get(str(loc[0])), loc[1:])
    arguments = [argument for argument in get_args(model) if argument is not ...]
    if isinstance(get_origin(model), type) and issubclass(get_origin(model), Mapping | list | tuple):
        return _known_keys(arguments[-1], loc[1:]) if loc and arguments else []
    return [key for argument in arguments for key in _known_keys(argument, loc)]
