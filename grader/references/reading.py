"""References from their files: a notebook or a mutant, with what `references.yaml` says of all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from grader.references.editing import notebook_of
from grader.references.records import (
    CONTROLS,
    SETTINGS,
    SOLUTION,
    VARIANTS,
    Mutant,
    Quick,
    Reference,
    Settings,
    Variant,
    Verdicts,
)
from grader.strict_yaml import Place, StrictYaml, did_you_mean, read_yaml


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
        met_or_review=frozenset(settings.met_or_review),
        lose_or_review=_lose_or_review(settings, own),
        on_real_data=frozenset(settings.on_real_data),
        met_on_real_data=frozenset(settings.met_on_real_data),
    )


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
        met_or_review=frozenset(settings.met_or_review),
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
    for key in ("review", "met_or_review", "on_real_data", "met_on_real_data", "lose_or_review"):
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
