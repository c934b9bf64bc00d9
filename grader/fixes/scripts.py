"""`scripts.yaml` beside a rubric: the broken scripts of an assignment, why they fail, and what mends them.

`docs/broken-scripts.md` tells how it is written. Only `file` and `causes` must be there; all that is wrong
with the file is reported at once, with line and mend.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from grader.fixes.causes import KNOWN_CAUSES
from grader.fixes.parsing import parse
from grader.fixes.records import Bar, Cause, KeyFix, Script, Symptom
from grader.fixes.splicing import splice
from grader.fixes.steps import number_of, steps_constant
from grader.model import Attachment
from grader.strict_yaml import Place, StrictYaml, did_you_mean, named_in_material, read_yaml

FILE = "scripts.yaml"
FOLDER = "scripts"

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
_Text = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _FixPart(_Part):
    says: _Text | None = None
    code: _Text | None = None
    replace: _Text | None = None
    by: str | None = None
    file: _Text | None = None

    @model_validator(mode="after")
    def _is_one_of_the_forms(self) -> Self:
        given = self.model_fields_set - {"says"}
        if given not in ({"code"}, {"replace", "by"}, {"file"}):
            raise ValueError("should be one of `code`, `replace` and `by`, or `file`")
        return self


class _ScriptPart(_Part):
    file: _Text
    title: _Text | None = None
    steps: _Text | None = None
    fails: tuple[Symptom, ...] = ()
    causes: Annotated[list[JsonValue], Field(min_length=1)]
    fixes: dict[_Name, _FixPart] = Field(default_factory=dict)
    bar: Bar | None = None


class _FilePart(_Part):
    schema_version: Annotated[int, Field(alias="schema", ge=1, le=1)]
    scripts: Annotated[tuple[_ScriptPart, ...], Field(min_length=1)]


def read_scripts(path: Path) -> dict[str, Script]:
    """The scripts that the file at `path` describes, by name; they lie in the folder `scripts` beside it.

    Raises `RubricError` with all that is wrong, one line each, with file, line and mend.
    """
    file = read_yaml(path)
    if not isinstance(file.value, dict):
        file.report((), "a file of scripts is made of `key: value` lines, the first is `schema: 1`")
        raise file.error()
    part = file.validated(_FilePart, file.value, ())
    if part is None:
        raise file.error()
    folder = path.parent / FOLDER
    taken: dict[str, int] = {}
    found: dict[str, Script] = {}
    named = {told.file for told in part.scripts} | {
        fix.file for told in part.scripts for fix in told.fixes.values() if fix.file is not None
    }
    beside = _beside(folder, named)
    for index, told in enumerate(part.scripts):
        place: Place = ("scripts", index)
        name = Path(told.file).stem
        if name in taken:
            file.report(
                (*place, "file"), f"the script {name!r} stands here twice (first in line {taken[name]})"
            )
        taken.setdefault(name, file.lines[(*place, "file")])
        script = _script(file, place, told, folder, beside)
        if script is not None:
            found[name] = script
    if file.problems:
        raise file.error()
    return found


NamedScript = Annotated[Script, BeforeValidator(named_in_material("script", FILE, read_scripts))]
"""A check's parameter that a rubric gives as a script's name."""


def _script(
    file: StrictYaml, place: Place, told: _ScriptPart, folder: Path, beside: tuple[Attachment, ...]
) -> Script | None:
    source = _read(file, (*place, "file"), folder, told.file)
    causes = tuple(_causes(file, place, told.causes))
    if source is None:
        return None
    if told.steps is not None and number_of(source, told.steps) is None:
        file.report((*place, "steps"), f"`{told.steps}` is given no whole number in {told.file}, or several")
    fixes = tuple(_fixes(file, place, told, source, folder))
    if file.problems:
        return None
    return Script(
        name=Path(told.file).stem,
        source=source,
        title=told.title or Path(told.file).stem,
        steps=told.steps or steps_constant(source),
        fails=told.fails,
        causes=causes,
        fixes=fixes,
        bar=told.bar,
        folder=folder,
        beside=beside,
    )


def _read(file: StrictYaml, place: Place, folder: Path, name: str) -> str | None:
    """The Python source called `name` in `folder`; None, and a report, when there is none."""
    path = folder / name
    try:
        if path.parent.resolve() != folder.resolve() or path.suffix != ".py":
            file.report(place, f"`{name}` should be a Python file in the folder {FOLDER}/, named without one")
            return None
        source = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        there = [other.name for other in sorted(folder.glob("*.py"))]
        hint = did_you_mean(name, there) or f": there are {', '.join(there) or 'none'}"
        file.report(place, f"{FOLDER}/{name} cannot be read as UTF-8 text{hint}")
        return None
    if parse(source) is None:
        file.report(place, f"{FOLDER}/{name} is not valid Python 3: mend its syntax")
        return None
    return source


def _causes(file: StrictYaml, place: Place, told: list[JsonValue]) -> Iterator[Cause]:
    """Causes by their known names, or written out."""
    for index, one in enumerate(told):
        here: Place = (*place, "causes", index)
        if isinstance(one, str):
            if one in KNOWN_CAUSES:
                yield KNOWN_CAUSES[one]
                continue
            hint = did_you_mean(one, KNOWN_CAUSES) or f": known are {', '.join(KNOWN_CAUSES)}"
            file.report(here, f"there is no cause {one!r}{hint}; others are written as {{id, says, words}}")
        else:
            cause = file.validated(Cause, one, here, " (a cause)")
            if cause is not None:
                yield cause


def _fixes(file: StrictYaml, place: Place, told: _ScriptPart, source: str, folder: Path) -> Iterator[KeyFix]:
    for name, fix in told.fixes.items():
        here: Place = (*place, "fixes", name)
        mended: str | None
        if fix.file is not None:
            mended = _read(file, (*here, "file"), folder, fix.file)
        elif fix.code is not None:
            spliced = splice(source, fix.code)
            mended = None if spliced is None else spliced.source
            if mended is None:
                sentence = f"`code` is not Python, or changes nothing that is in {told.file}"
                file.report(
                    (*here, "code"), f"{sentence}: write the changed lines, or use `replace` and `by`"
                )
        else:
            mended = _replaced(file, here, fix, source, told.file)
        if mended is not None:
            yield KeyFix(id=name, says=fix.says or name.replace("-", " "), source=mended)


def _replaced(file: StrictYaml, here: Place, fix: _FixPart, source: str, name: str) -> str | None:
    old, new = fix.replace or "", fix.by or ""
    count = source.count(old)
    if count != 1:
        often = "not" if count == 0 else f"{count} times"
        file.report((*here, "replace"), f"this text stands {often} in {name}: it must stand there once")
        return None
    return source.replace(old, new)


def _beside(folder: Path, named: set[str]) -> tuple[Attachment, ...]:
    """The modules in the folder of scripts that are no scripts themselves, such as `datasets.py`."""
    modules = [path for path in sorted(folder.glob("*.py")) if path.name not in named]
    return tuple(
        Attachment(name=path.name, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        for path in modules
        for data in [path.read_bytes()]
    )
