"""Rubrics: a YAML file → `Rubric`, with every name, type and parameter verified before the first student.

`read_rubric` reports all problems of a file at once, one line each, with file, line and the nearest
right word. `rubrics/README.md` tells how a rubric is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializeAsAny,
    ValidationError,
    field_serializer,
)

from grader.checks.registry import Check, all_checks
from grader.errors import UsageError
from grader.fixes.records import Script
from grader.lateness import LatePolicy, Penalty
from grader.model import Limits, OnRerunFailure, Record, Scale, Source, Visibility, plain_amount
from grader.strict_yaml import Material, Place, StrictYaml, did_you_mean, read_yaml

SCHEMA_VERSION = 1


class Criterion(Record):
    """One line of a rubric: what is asked, for how many points, and the check that looks for it.

    `id` never changes once grades were given: decisions hang on it. `check` is bound to the function,
    `parameters` are validated by it. Serialises to JSON (the check by its name), for hashing and
    showing; is built only by `read_rubric` and by tests.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    id: str
    title: str
    points: Decimal
    is_bonus: bool = False
    visibility: Visibility = Visibility.PUBLIC
    accepts: tuple[Source, ...] = tuple(Source)
    on_rerun_failure: OnRerunFailure = OnRerunFailure.REVIEW
    check: Check
    parameters: SerializeAsAny[BaseModel]

    @property
    def asked(self) -> str:
        """All that its verdict rests on beside the evidence, as JSON; neither its words nor its points."""
        return self.model_dump_json(include={"check", "parameters", "accepts", "on_rerun_failure"})

    @field_serializer("check")
    def _by_name(self, check: Check) -> str:
        return check.name

    @field_serializer("points")
    def _canonical(self, points: Decimal) -> str:
        return plain_amount(points)


class Rubric(Record):
    """What one assignment asks for in one year. Totals and the hash are derived."""

    schema_version: int = Field(default=SCHEMA_VERSION, alias="schema")
    assignment: str
    title: str
    edition: int
    scale: Scale
    pass_points: Decimal | None = None
    datasets: tuple[str, ...] = ()
    limits: Limits = Limits()
    late: LatePolicy = LatePolicy()
    criteria: tuple[Criterion, ...]

    @field_serializer("pass_points")
    def _canonical(self, points: Decimal | None) -> str | None:
        return None if points is None else plain_amount(points)

    @property
    def max_points(self) -> Decimal:
        """Points that can be had, bonus aside."""
        return _total(self.criteria)

    @property
    def points_by_criterion(self) -> dict[str, Decimal]:
        """The most points that each criterion can give, by its id, in the rubric's order."""
        return {criterion.id: criterion.points for criterion in self.criteria}

    @property
    def references(self) -> tuple[str, ...]:
        """The experiments of ours that its checks ask for, each once."""
        return tuple(
            dict.fromkeys(name for criterion in self.criteria for name in criterion.check.references)
        )

    @property
    def times_functions(self) -> bool:
        """Whether a check of it wants functions that train timed at the end of each run."""
        return any(criterion.check.times for criterion in self.criteria)

    @property
    def scripts(self) -> dict[str, Script]:
        """The broken scripts that its criteria ask about, by their names."""
        return {script.name: script for script in map(_script_of, self.criteria) if script is not None}

    def asking_about(self, script: str) -> tuple[str, ...]:
        """The ids of the criteria that ask about the script of this name."""
        asked = ((criterion.id, _script_of(criterion)) for criterion in self.criteria)
        return tuple(id_ for id_, told in asked if told is not None and told.name == script)

    @cached_property
    def sha256(self) -> str:
        """Hash of what the rubric says; comments, white space, key order and 0.5 or 0.50 do not change it."""
        content = self.model_dump(mode="json", by_alias=True)
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


def read_rubric(
    path: Path, *, datasets: Collection[str], checks: Mapping[str, Check] | None = None
) -> Rubric:
    """Read and verify the rubric at `path`.

    `datasets` are the data sets it may name, `checks` the checks (default: all that are installed).
    Raises `RubricError` with all problems of the file, one per line, each with file, line and mend.
    """
    file = read_yaml(path)
    schema = file.value.get("schema") if isinstance(file.value, dict) else None
    if isinstance(schema, int) and schema > SCHEMA_VERSION:
        file.problems.clear()
        sentence = f"this rubric has schema {schema}, this program reads {SCHEMA_VERSION}: update the program"
        file.report(("schema",), sentence)
        raise file.error()
    if not isinstance(file.value, dict):
        file.report((), "a rubric is made of `key: value` lines, the first is `schema: 1`")
        raise file.error()
    header = file.validated(_Header, file.value, ())
    criteria = _criteria(file, all_checks() if checks is None else checks)
    if header is not None:
        _verify_header(header, file, datasets)
        _verify_totals(header, criteria, file)
    if file.problems or header is None:
        raise file.error()
    return Rubric(
        assignment=header.assignment,
        title=header.title,
        edition=header.edition,
        scale=header.scale,
        pass_points=header.pass_points,
        datasets=header.datasets,
        limits=header.limits.as_limits(),
        late=header.late,
        criteria=criteria,
    )


def with_limits(rubric: Rubric, given: Sequence[str]) -> Rubric:
    """`rubric` with the limits that are `given` as `name=value`, by the names that a rubric has for them.

    Raises `UsageError`, which names the limits there are.
    """
    values = {text.partition("=")[0].strip(): text.partition("=")[2].strip() for text in given}
    known = ", ".join(_LimitsPart.model_fields)
    for name in values:
        if name not in _LimitsPart.model_fields:
            nearest = did_you_mean(name, _LimitsPart.model_fields)
            raise UsageError(f"--limit: there is no limit {name!r}{nearest or '.'} There are {known}.")
    try:
        part = _LimitsPart.model_validate_strings(values)
    except ValidationError as error:
        name, fault = str(error.errors()[0]["loc"][0]), error.errors()[0]["msg"]
        raise UsageError(f"--limit {name}={values[name]}: {fault}; write {name}=NUMBER.") from error
    limits = rubric.limits.model_copy(update=part.given())
    limited = rubric.model_copy(update={"limits": limits})
    limited.__dict__.pop("sha256", None)  # of the rubric as it was
    return limited


class _Part(BaseModel):
    """A part of the file, as it is written there."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _LimitsPart(_Part):
    wall_seconds: Decimal | None = Field(default=None, gt=0)
    reserve_seconds: Decimal | None = Field(default=None, gt=0)
    cpu_seconds: Decimal | None = Field(default=None, gt=0)
    memory_bytes: int | None = Field(default=None, gt=0)
    memory_mib: int | None = Field(default=None, gt=0)
    disk_bytes: int | None = Field(default=None, gt=0)
    disk_mib: int | None = Field(default=None, gt=0)
    output_bytes: int | None = Field(default=None, gt=0)
    output_mib: int | None = Field(default=None, gt=0)
    processes: int | None = Field(default=None, gt=0)
    open_files: int | None = Field(default=None, ge=256)

    def as_limits(self) -> Limits:
        """The limits, with the defaults filled in."""
        return Limits(**self.given())

    def given(self) -> dict[str, Any]:
        """The limits that are given, by their names in `Limits`: MiB are turned into bytes."""
        given: dict[str, Any] = {}
        for name, value in self.model_dump(exclude_none=True).items():
            if name.endswith("_mib"):
                given[name.removesuffix("mib") + "bytes"] = value * 1024**2
            else:
                given[name] = float(value) if name.endswith("_seconds") else value
        return given


class _Header(_Part):
    schema_version: Literal[1] = Field(alias="schema")
    assignment: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    title: str = Field(min_length=1)
    edition: int = Field(ge=2000, le=2100)
    scale: Scale
    pass_points: Decimal | None = Field(default=None, gt=0, max_digits=6, decimal_places=2)
    datasets: tuple[str, ...] = ()
    limits: _LimitsPart = _LimitsPart()
    late: LatePolicy = LatePolicy()
    criteria: list[JsonValue] = Field(min_length=1)


class _CriterionPart(_Part):
    id: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
    title: str = Field(min_length=1)
    points: Decimal = Field(gt=0, max_digits=6, decimal_places=2)
    check: str
    accepts: tuple[Source, ...] = Field(default=tuple(Source), min_length=1)
    on_rerun_failure: OnRerunFailure = OnRerunFailure.REVIEW
    visibility: Visibility = Visibility.PUBLIC
    bonus: bool = False
    with_: dict[str, JsonValue] = Field(default={}, alias="with")


def _criteria(file: StrictYaml, checks: Mapping[str, Check]) -> tuple[Criterion, ...]:
    """The criteria that are right; what is wrong with the others is reported."""
    raw = file.value.get("criteria")
    found: list[Criterion] = []
    places: dict[str, Place] = {}
    context = {"material": Material(file.path.with_suffix(""))}
    for index, part in enumerate(raw if isinstance(raw, list) else ()):
        place: Place = ("criteria", index)
        criterion = _criterion(part, file, place, checks, context)
        name = part.get("id") if isinstance(part, dict) else None
        if isinstance(name, str) and name in places:
            line = file.lines[places[name]]
            file.report((*place, "id"), f"the id {name!r} is already taken by the criterion in line {line}")
        elif isinstance(name, str):
            places[name] = (*place, "id")
        if criterion is not None:
            found.append(criterion)
    return tuple(found)


def _criterion(
    raw: Any, file: StrictYaml, place: Place, checks: Mapping[str, Check], context: Mapping[str, Any]
) -> Criterion | None:
    part = file.validated(_CriterionPart, raw, place)
    name, given = (raw.get("check"), raw.get("with", {})) if isinstance(raw, dict) else (None, None)
    if not isinstance(name, str):
        return None
    if name not in checks:
        file.report((*place, "check"), f"there is no check {name!r}{did_you_mean(name, checks)}")
        return None
    if not isinstance(given, dict):
        return None
    where = f" (with: of the check {name!r})"
    parameters = file.validated(checks[name].parameters, given, (*place, "with"), where, context)
    if part is None or parameters is None:
        return None
    return Criterion(
        id=part.id,
        title=part.title,
        points=part.points,
        is_bonus=part.bonus,
        visibility=part.visibility,
        accepts=tuple(source for source in Source if source in part.accepts),
        on_rerun_failure=part.on_rerun_failure,
        check=checks[name],
        parameters=parameters,
    )


def _verify_header(header: _Header, file: StrictYaml, datasets: Collection[str]) -> None:
    if header.assignment != file.path.stem:
        sentence = (
            f"the assignment {header.assignment!r} does not fit the file name: {file.path.stem!r} would"
        )
        file.report(("assignment",), sentence)
    for index, name in enumerate(header.datasets):
        if name not in datasets:
            file.report(("datasets", index), f"there is no data set {name!r}{did_you_mean(name, datasets)}")
    if header.scale is Scale.PASS_FAIL and header.pass_points is None:
        file.report(("scale",), "`scale: pass_fail` needs `pass_points`: the points from which it is passed")
    if header.scale is not Scale.PASS_FAIL and header.pass_points is not None:
        file.report(("pass_points",), "`pass_points` belongs to `scale: pass_fail` only: remove it")
    if (header.late.penalty is Penalty.PER_DAY) != (header.late.percent_per_day > 0):
        file.report(
            ("late",), "`penalty: per-day` and `percent_per_day` belong together: give both or neither"
        )
    for name in header.limits.model_fields_set:
        if (
            name.endswith("_mib")
            and (other := name.removesuffix("mib") + "bytes") in header.limits.model_fields_set
        ):
            file.report(("limits", name), f"`{name}` says again what `{other}` says: keep one")


def _verify_totals(header: _Header, criteria: tuple[Criterion, ...], file: StrictYaml) -> None:
    """Look at the sums, once every criterion is right."""
    if len(criteria) < len(header.criteria):
        return
    total = _total(criteria)
    if total == 0:
        file.report(("criteria",), "every criterion is a bonus: at least one must not be")
    elif header.pass_points is not None and header.pass_points > total:
        file.report(
            ("pass_points",), f"nobody can pass: {header.pass_points} of {total} points are asked for"
        )


def _script_of(criterion: Criterion) -> Script | None:
    script = getattr(criterion.parameters, "script", None)
    return script if isinstance(script, Script) else None


def _total(criteria: tuple[Criterion, ...]) -> Decimal:
    return sum((criterion.points for criterion in criteria if not criterion.is_bonus), Decimal(0))
