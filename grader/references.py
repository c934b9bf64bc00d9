"""References: notebooks with known verdicts, and mutants of them, which are kept as edits in YAML.

`reference_solutions/<assignment>/` holds `solution.ipynb`, `variants/*.ipynb`, `controls/*.ipynb`,
`mutants/*.yaml`, and `references.yaml` with what is true of all of them. Cells are counted from 1, as in the
reports.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from grader.errors import RubricError
from grader.model import Outcome, Record
from grader.strict_yaml import Place, StrictYaml, did_you_mean, read_yaml

SETTINGS = "references.yaml"
SOLUTION = "solution"
VARIANTS, CONTROLS = "variants", "controls"
LOST = (Outcome.NOT_MET, Outcome.PARTLY_MET)

Notebook = dict[str, Any]  # as in the file: nbformat 4
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
CellNumber = Annotated[int, Field(ge=1)]


class Expected(StrEnum):
    """What a criterion must come to for a reference."""

    MET = "met"
    LOST = "not met or partly met"
    REVIEW = "left to a person"
    LOST_OR_REVIEW = "lost or left to a person"
    MET_OR_REVIEW = "met or left to a person"

    def fits(self, outcome: Outcome) -> bool:
        """Whether `outcome` is what is expected."""
        if outcome is Outcome.MET or self is Expected.MET:
            return outcome is Outcome.MET and self in (Expected.MET, Expected.MET_OR_REVIEW)
        if self is Expected.MET_OR_REVIEW:
            return outcome not in LOST
        return self is Expected.LOST_OR_REVIEW or (outcome in LOST) == (self is Expected.LOST)


class Edit(Record):
    """One change of a notebook; `cell`, `delete` and `after` are numbers of cells as they were before.

    - `cell`, `replace`, `by`: in the cell's source, a text that stands there once becomes another.
    - `cell`, `source`: the cell gets another source.
    - `cell`, `prints`: the saved outputs of the cell become this printed text.
    - `outputs: clear`: no saved outputs; of one `cell`, or of all.
    - `outputs: keep`: the saved outputs stay those of the notebook that is edited (see `Mutant`).
    - `delete`: the cell goes. `after`, `source`: a new code cell comes after that one (0: on top).
    """

    cell: CellNumber | None = None
    replace: Annotated[str, Field(min_length=1)] | None = None
    by: str | None = None
    source: str | None = None
    prints: str | None = None
    outputs: Annotated[str, Field(pattern=r"^(clear|keep)$")] | None = None
    delete: CellNumber | None = None
    after: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _is_one_of_the_forms(self) -> Self:
        given = self.model_fields_set
        forms = (
            *({"cell", "replace", "by"}, {"cell", "source"}, {"cell", "prints"}),
            *({"cell", "outputs"}, {"outputs"}, {"delete"}, {"after", "source"}),
        )
        if given not in forms or (self.outputs == "keep" and self.cell is not None):
            raise ValueError(
                "should be one of `cell, replace, by`, `cell, source`, `cell, prints`, `[cell,] outputs: "
                "clear`, `outputs: keep`, `delete`, `after, source`"
            )
        return self

    @property
    def is_of_outputs(self) -> bool:
        """Whether it changes saved outputs only."""
        return self.outputs is not None or self.prints is not None


class Verdicts(Record):
    """What a reference must lose, and what may only be left to a person; all else must be met.

    Which of the two it is for `lose_or_review` hangs on the seed or on how long it trains.
    """

    lose: tuple[Name, ...] = ()
    review: tuple[Name, ...] = ()
    lose_or_review: tuple[Name, ...] = ()


class Mutant(Verdicts):
    """A file of `mutants/`: a reference with a known fault, as edits of another one.

    Its saved outputs are those of its own run, as if it had been handed in like that, changed by the edits
    of outputs; with `outputs: keep` they are those of the notebook `of`, which did not come from this code.
    """

    title: Annotated[str, Field(min_length=1)]
    of: Name = SOLUTION
    edits: Annotated[tuple[Edit, ...], Field(min_length=1)]


class Quick(Record):
    """The constant in the code that says how long a notebook trains, and its value for a quick run."""

    constant: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]
    value: Annotated[int, Field(ge=1)]


class Variant(Verdicts):
    """What differs for one of `variants/` or `controls/`; `quick` is its own value for the quick run.

    A control without one runs as it is written: it need not have the constant.
    """

    quick: Annotated[int, Field(ge=1)] | None = None


class Settings(Record):
    """`references.yaml`: how a quick run is made, and which criteria a person judges in every reference.

    Those `on_real_data` are lost there only: on stand-ins they are left to a person. Those in
    `lose_or_review` are met by none of them, unless a reference says otherwise. Those in `met_on_real_data`
    have to be met there; on stand-ins the seed decides whether they are met or left to a person.
    """

    quick: Quick | None = None
    review: tuple[Name, ...] = ()
    on_real_data: tuple[Name, ...] = ()
    met_on_real_data: tuple[Name, ...] = ()
    lose_or_review: tuple[Name, ...] = ()
    variants: dict[Name, Variant] = Field(default_factory=dict)
    controls: dict[Name, Variant] = Field(default_factory=dict)

    def of(self, folder: str, name: str) -> Variant:
        """What differs for a notebook in `variants` or `controls`."""
        return (self.controls if folder == CONTROLS else self.variants).get(name, Variant())


class Reference(Record):
    """A notebook with known verdicts. `notebook` is the file it is made from by `edits`, if there are any.

    `name` is its file's path below `reference_solutions/`; `origin` the file that the edits stand in.
    """

    name: str
    title: str
    assignment: str
    origin: Path
    notebook: Path
    edits: tuple[Edit, ...] = ()
    quick: Quick | None = None
    lose: frozenset[str] = frozenset()
    review: frozenset[str] = frozenset()
    lose_or_review: frozenset[str] = frozenset()
    on_real_data: frozenset[str] = frozenset()
    met_on_real_data: frozenset[str] = frozenset()

    @property
    def shows_other_outputs(self) -> bool:
        """Whether its saved outputs are not those of its code, on purpose."""
        return any(edit.outputs == "keep" for edit in self.edits)

    @property
    def shows_its_own_outputs(self) -> bool:
        """Whether its saved outputs have to come from its own run, since its code was edited."""
        return not self.shows_other_outputs and any(not edit.is_of_outputs for edit in self.edits)

    def expected(self, criterion: str, *, is_real: bool) -> Expected:
        """What a criterion must come to, on real data or on stand-ins."""
        if criterion not in self.lose | self.lose_or_review:
            if criterion in self.review:
                return Expected.REVIEW
            is_open = not is_real and criterion in self.met_on_real_data
            return Expected.MET_OR_REVIEW if is_open else Expected.MET
        if not is_real and criterion in self.on_real_data:
            return Expected.REVIEW
        return Expected.LOST if criterion in self.lose else Expected.LOST_OR_REVIEW


def is_reference(path: Path) -> bool:
    """Whether a file is a reference by its place: `<course>/reference_solutions/<assignment>/…`."""
    match path.parts:
        case (*_, "reference_solutions", _, "solution.ipynb"):
            folder = path.parent.parent
        case (*_, "reference_solutions", _, "variants" | "controls", _) if path.suffix == ".ipynb":
            folder = path.parents[2]
        case (*_, "reference_solutions", _, "mutants", _) if path.suffix == ".yaml":
            folder = path.parents[2]
        case _:
            return False
    return (folder.parent / "rubrics").is_dir()


def read_reference(path: Path, criteria: Collection[str]) -> Reference:
    """The reference at `path`, one for which `is_reference` holds.

    `criteria` are the ids of the assignment's rubric. Raises `RubricError` with file and line of all that
    is wrong in its own file or in `references.yaml`; an edit whose text is not found once is wrong.
    """
    is_solution = path.name == "solution.ipynb"
    folder = path.parent if is_solution else path.parent.parent
    settings = _read_settings(folder / SETTINGS, criteria)
    name = path.relative_to(folder.parent).as_posix()
    if path.suffix == ".yaml":
        return _mutant(path, folder, name, settings, criteria)
    is_control = path.parent.name == CONTROLS
    own = Variant() if is_solution else settings.of(path.parent.name, path.stem)
    kind = "Control" if is_control else "Variant"
    return Reference(
        name=name,
        title="The solution" if is_solution else f"{kind}: {path.stem}",
        assignment=folder.name,
        origin=path,
        notebook=path,
        quick=None if is_control and own.quick is None else _quick(settings, own),
        lose=frozenset(own.lose),
        review=frozenset(settings.review) | frozenset(own.review),
        lose_or_review=_lose_or_review(settings, own),
        on_real_data=frozenset(settings.on_real_data),
        met_on_real_data=frozenset(settings.met_on_real_data),
    )


def notebook_of(reference: Reference, *, is_quick: bool) -> Notebook:
    """The notebook that is handed in, edited, and with the quick run's constant where it is asked for.

    Raises `RubricError` when its file is no notebook, or when the constant is not set exactly once.
    """
    notebook = edited(reference.origin, load_notebook(reference.notebook), reference.edits)
    if is_quick and reference.quick is not None:
        _lower(notebook, reference.quick, reference)
    return notebook


def with_outputs_of(reference: Reference, notebook: Notebook, executed: Notebook) -> Notebook:
    """`notebook` with the outputs of its run (of the same cells), and then the edits of outputs."""
    result = copy.deepcopy(notebook)
    for cell, ran in zip(result["cells"], executed["cells"], strict=True):
        if cell["cell_type"] == "code":
            cell["outputs"] = copy.deepcopy(ran.get("outputs", []))
            cell["execution_count"] = ran.get("execution_count")
    numbers = {old: cell for old, cell in zip(_old_numbers(reference), result["cells"], strict=True) if old}
    for edit in reference.edits:
        if edit.is_of_outputs:
            _edit_outputs(edit, list(result["cells"]) if edit.cell is None else [numbers[edit.cell]])
    return result


def edited(path: Path, notebook: Notebook, edits: Collection[Edit]) -> Notebook:
    """`notebook` after `edits`, which stand in the file `path` under the key `edits`.

    Raises `RubricError` with the lines of all edits that do not fit.
    """
    result, cells, misfits = copy.deepcopy(notebook), notebook["cells"], []
    changed: dict[int, dict[str, Any]] = dict(enumerate(copy.deepcopy(cells), start=1))
    added: dict[int, list[dict[str, Any]]] = {}
    gone: set[int] = set()
    for index, edit in enumerate(edits):
        number = edit.cell or edit.delete or edit.after
        if number is not None and number > len(cells):
            misfits.append((index, f"there is no cell {number}: the notebook has {len(cells)}"))
        elif edit.is_of_outputs:
            _edit_outputs(edit, list(changed.values()) if edit.cell is None else [changed[edit.cell]])
        elif edit.delete is not None:
            gone.add(edit.delete)
        elif edit.after is not None and edit.source is not None:
            added.setdefault(edit.after, []).append(_code_cell(edit.source, f"added-{index + 1}"))
        elif edit.cell is not None and (sentence := _edit_source(edit, changed[edit.cell])):
            misfits.append((index, sentence))
    if misfits:
        raise _located(path, misfits)
    result["cells"] = list(added.get(0, []))
    for number, cell in changed.items():
        result["cells"] += [*([] if number in gone else [cell]), *added.get(number, [])]
    return result


def _old_numbers(reference: Reference) -> list[int | None]:
    """For each cell of the edited notebook its number before the edits, None for cells that were added."""
    count = len(load_notebook(reference.notebook)["cells"])
    gone = {edit.delete for edit in reference.edits}
    added = [edit.after for edit in reference.edits if edit.after is not None]
    result: list[int | None] = [None] * added.count(0)
    for number in range(1, count + 1):
        result += [*([] if number in gone else [number]), *[None] * added.count(number)]
    return result


def _edit_source(edit: Edit, cell: dict[str, Any]) -> str | None:
    """Change a cell's source; a sentence when that is not possible."""
    if edit.source is not None:
        _set_source(cell, edit.source)
        return None
    source, old = source_of(cell), edit.replace or ""
    count = source.count(old)
    if count != 1:
        first = old.strip().split("\n")[0][:60]
        found = "not found" if count == 0 else f"found {count} times"
        hint = did_you_mean(first, [line.strip() for line in source.split("\n")]) if count == 0 else ""
        return f"this text is {found} in cell {edit.cell}: {first!r}{hint}"
    _set_source(cell, source.replace(old, edit.by or ""))
    return None


def _edit_outputs(edit: Edit, cells: Collection[dict[str, Any]]) -> None:
    for cell in cells:
        if edit.outputs == "keep" or cell["cell_type"] != "code":
            continue
        cell["outputs"] = []
        if edit.prints is not None:
            text = edit.prints.splitlines(keepends=True)
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]
        else:
            cell["execution_count"] = None


def _lower(notebook: Notebook, quick: Quick, reference: Reference) -> None:
    """Set the constant of the quick run."""
    pattern = re.compile(rf"^({re.escape(quick.constant)}\s*=\s*)\d[\d_]*\b", re.MULTILINE)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    found = [cell for cell in code for _ in pattern.finditer(source_of(cell))]
    if len(found) != 1:
        raise RubricError(
            f"{reference.origin}: the code should set `{quick.constant} = <a number>` exactly once, and does "
            f"so {len(found)} times: {SETTINGS} names it as the constant of the quick run."
        )
    _set_source(found[0], pattern.sub(rf"\g<1>{quick.value}", source_of(found[0])))


def source_of(cell: Mapping[str, Any]) -> str:
    """The source of a cell, which a notebook may keep as a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _set_source(cell: dict[str, Any], source: str) -> None:
    cell["source"] = source.splitlines(keepends=True)


def _code_cell(source: str, cell_id: str) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": "code",
        "id": cell_id,
        "metadata": {},
        "execution_count": None,
        "outputs": [],
    }
    return cell | {"source": source.splitlines(keepends=True)}


def _mutant(path: Path, folder: Path, name: str, settings: Settings, criteria: Collection[str]) -> Reference:
    yaml = read_yaml(path)
    mutant = yaml.validated(Mutant, yaml.value, ())
    if mutant is None:
        raise yaml.error()
    _check_criteria(yaml, (), mutant, criteria)
    of = folder / f"{SOLUTION}.ipynb" if mutant.of == SOLUTION else folder / "variants" / f"{mutant.of}.ipynb"
    if not of.is_file():
        known = [SOLUTION, *(file.stem for file in sorted((folder / "variants").glob("*.ipynb")))]
        yaml.report(("of",), f"there is no notebook {mutant.of!r}{did_you_mean(mutant.of, known)}")
    if yaml.problems:
        raise yaml.error()
    own = settings.variants.get(mutant.of, Variant())
    reference = Reference(
        name=name,
        title=mutant.title,
        assignment=folder.name,
        origin=path,
        notebook=of,
        edits=mutant.edits,
        quick=_quick(settings, own),
        lose=frozenset(mutant.lose),
        review=frozenset(settings.review) | frozenset(mutant.review),
        lose_or_review=_lose_or_review(settings, mutant),
        on_real_data=frozenset(settings.on_real_data),
        met_on_real_data=frozenset(settings.met_on_real_data),
    )
    notebook_of(reference, is_quick=False)
    return reference


def _lose_or_review(settings: Settings, own: Verdicts) -> frozenset[str]:
    return (frozenset(settings.lose_or_review) - {*own.lose, *own.review}) | frozenset(own.lose_or_review)


def _quick(settings: Settings, own: Variant) -> Quick | None:
    if settings.quick is None or own.quick is None:
        return settings.quick
    return settings.quick.model_copy(update={"value": own.quick})


def _read_settings(path: Path, criteria: Collection[str]) -> Settings:
    if not path.is_file():
        return Settings()
    yaml = read_yaml(path)
    settings = yaml.validated(Settings, {} if yaml.value is None else yaml.value, ())
    if settings is None:
        raise yaml.error()
    for key in ("review", "on_real_data", "met_on_real_data", "lose_or_review"):
        for index, criterion in enumerate(getattr(settings, key)):
            _check_criterion(yaml, (key, index), criterion, criteria)
    for folder in (VARIANTS, CONTROLS):
        known = sorted(file.stem for file in (path.parent / folder).glob("*.ipynb"))
        told: Mapping[str, Variant] = getattr(settings, folder)
        for name, verdicts in told.items():
            if name not in known:
                kind = folder.removesuffix("s")
                yaml.report((folder, name), f"there is no {kind} {name!r}{did_you_mean(name, known)}")
            _check_criteria(yaml, (folder, name), verdicts, criteria)
    if yaml.problems:
        raise yaml.error()
    return settings


def _check_criteria(yaml: StrictYaml, place: Place, verdicts: Verdicts, criteria: Collection[str]) -> None:
    told: set[str] = set()
    for key in ("lose", "review", "lose_or_review"):
        for index, criterion in enumerate(getattr(verdicts, key)):
            _check_criterion(yaml, (*place, key, index), criterion, criteria)
            if criterion in told:
                yaml.report((*place, key, index), f"`{criterion}` can stand in one of these lists only")
            told.add(criterion)


def _check_criterion(yaml: StrictYaml, place: Place, criterion: str, criteria: Collection[str]) -> None:
    if criterion not in criteria:
        hint = did_you_mean(criterion, criteria)
        yaml.report(place, f"the rubric has no criterion `{criterion}`{hint}")


def _located(path: Path, misfits: Collection[tuple[int, str]]) -> RubricError:
    """The sentences about edits, by their index, with the lines that these stand in."""
    yaml = read_yaml(path)
    for index, sentence in misfits:
        yaml.report(("edits", index), sentence)
    return yaml.error()


def load_notebook(path: Path) -> Notebook:
    """The notebook in a file, as it is there; `RubricError` when it cannot be read as one."""
    try:
        notebook: Notebook = json.loads(path.read_text("utf-8"))
        if not isinstance(notebook["cells"], list):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RubricError(f"{path}: this reference cannot be read as a notebook of format 4.") from error
    return notebook
