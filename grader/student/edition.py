"""The student edition: what of a rubric everybody may read, as one YAML file.

Only what is public by name gets into it: criteria that are not `staff`, and of their checks' parameters those
that the check itself calls public. No key, no threshold, no material of the assignment.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, JsonValue

from grader.model import Limits, Record, Visibility
from grader.rubric import Criterion, Rubric
from grader.strict_yaml import read_yaml

SUFFIX = ".student.yaml"
SCHEMA = 1
_ON_TOP = """\
# {title}: what is looked at, and how to see it before you hand in:
#
#     grade check my.ipynb
#
# Made by `grade student-edition {assignment}`. Nothing that decides about right and wrong stands in here.

"""


class Item(Record):
    """One criterion as students see it. `public` holds the public parameters of its check."""

    id: str
    title: str
    points: Annotated[Decimal, Field(gt=0)]
    bonus: bool = False
    check: str
    public: dict[str, JsonValue] = Field(default_factory=dict)


class Edition(Record):
    """The student edition of one assignment.

    `others` are the titles of the course's other assignments, and `given_out` hashes of the lines of code in
    which students of the course are to find faults (`grader.student.given_out`).
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    assignment: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    title: str
    edition: int
    datasets: tuple[str, ...] = ()
    limits: Limits = Limits()
    items: tuple[Item, ...]
    others: dict[str, str] = Field(default_factory=dict)
    given_out: tuple[str, ...] = ()

    @property
    def times_functions(self) -> bool:
        """Never: before handing in nothing is timed."""
        return False


def student_edition(rubric: Rubric, others: Mapping[str, str], given_out: tuple[str, ...] = ()) -> Edition:
    """What students may know of `rubric`; `others` are the titles of all assignments, by name."""
    public = [one for one in rubric.criteria if one.visibility is Visibility.PUBLIC]
    return Edition(
        assignment=rubric.assignment,
        title=rubric.title,
        edition=rubric.edition,
        datasets=rubric.datasets,
        limits=rubric.limits,
        items=tuple(_item(criterion) for criterion in public),
        others={name: title for name, title in others.items() if name != rubric.assignment},
        given_out=given_out,
    )


def _item(criterion: Criterion) -> Item:
    side = criterion.check.public
    return Item(
        id=criterion.id,
        title=criterion.title,
        points=criterion.points,
        bonus=criterion.is_bonus,
        check=criterion.check.name,
        public={} if side is None else dict(side.parameters(criterion.parameters)),
    )


def edition_in_yaml(edition: Edition) -> str:
    """The file that students get; `read_edition` reads it back."""
    content = edition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    content = {"schema": edition.schema_version, **content}
    content["items"] = [_plain(item) for item in edition.items]
    body = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    return _ON_TOP.format(title=" ".join(edition.title.split()), assignment=edition.assignment) + body


def _plain(item: Item) -> dict[str, Any]:
    shown = item.model_dump(mode="json", exclude_defaults=True)
    return {**shown, "points": float(item.points)}


def read_edition(path: Path) -> Edition:
    """The student edition in the file at `path`; `RubricError` with all that is wrong, with line and mend."""
    file = read_yaml(path)
    if not isinstance(file.value, dict) or not _is_edition(file.value):
        file.report((), f"this is no student edition: take the one that your course gives out (*{SUFFIX})")
        raise file.error()
    version = file.value.get("schema", SCHEMA)
    if version != SCHEMA:
        sentence = (
            f"this student edition has the format {version}, and this program reads {SCHEMA}: take the "
            "edition and the program that your course gives out now"
        )
        file.report(("schema",), sentence)
        raise file.error()
    edition = file.validated(Edition, file.value, ())
    if edition is None or file.problems:
        raise file.error()
    return edition


def _is_edition(content: dict[str, Any]) -> bool:
    """Whether a file is meant as a student edition; a rubric has criteria, and a notebook neither."""
    return "criteria" not in content and not content.keys().isdisjoint(("schema", "items"))
