"""The registry of checks, filled through the entry points `grader.checks`.

Built-in checks use the same door as anybody else's: a module named in the entry-point group is
imported, and its functions decorated with `@check("name")` become available to rubrics.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue, create_model

from grader.checks.previews import Preview, PublicSide, preview_of, public
from grader.evidence.record import Evidence
from grader.model import Verdict

CheckFunction = Callable[..., Verdict]
AsksForRepeats = Callable[[Evidence, BaseModel], bool]


class Check:
    """A named check: a pure function `(evidence, **parameters) -> Verdict` and its parameters' types.

    The function's keyword-only arguments are the parameters that a rubric may give under `with:`.
    `title` is the first line of its docstring. `repeats` tells whether it can only be settled when the
    notebook is run with other seeds too; None for checks that never ask for that. `references` names the
    experiments of ours that it asks `evidence.references` for, `times` is for one that wants functions that
    train timed at the end of a run. `saved` judges by code and saved outputs
    where our run failed; None for checks that do so anyway when there was no run. `public` is what students
    may know of it before they hand in; a check without parameters has nothing to hide, of any other nothing
    is told unless it says what.
    """

    def __init__(
        self,
        name: str,
        function: CheckFunction,
        repeats: AsksForRepeats | None = None,
        references: tuple[str, ...] = (),
        saved: CheckFunction | None = None,
        public_side: PublicSide | None = None,
        times: bool = False,
    ) -> None:
        self.name = name
        self.function = function
        self.repeats = repeats
        self.references = references
        self.saved = saved
        self.times = times
        self.title = (inspect.getdoc(function) or name).splitlines()[0]
        self.parameters = _parameters_of(function, name)
        self.public = public_side if public_side or self.parameters.model_fields else public()

    def __call__(self, evidence: Evidence, parameters: BaseModel) -> Verdict:
        """Run the check with parameters that `self.parameters` has validated."""
        return self.function(evidence, **_values(parameters))

    def as_handed_in(self, evidence: Evidence, parameters: BaseModel) -> Verdict:
        """What it says by code and outputs as handed in alone, as if there had been no run."""
        if self.saved is not None:
            return self.saved(evidence, **_values(parameters))
        return self.function(evidence.as_handed_in(), **_values(parameters))

    def public_parameters(self, given: Mapping[str, JsonValue]) -> BaseModel | None:
        """The public parameters for `preview`; None where nothing is to be told.

        Raises `ValidationError` when `given` is not what the check's public side takes.
        """
        if self.public is None:
            return None
        function = self.public.preview
        expected = self.parameters if function is None else _parameters_of(function, self.name)
        return expected.model_validate(given)

    def preview(self, evidence: Evidence, values: BaseModel) -> Preview:
        """What a student can be told, by parameters that `public_parameters` has validated."""
        assert self.public is not None
        function = self.public.preview
        if evidence.run is None and self.public.before_run is not None:
            return self.public.before_run(evidence, **_values(values))
        if function is None:
            return preview_of(self(evidence, values))
        return function(evidence, **_values(values))


def _parameters_of(function: Callable[..., object], name: str) -> type[BaseModel]:
    """The keyword-only arguments of a function as a model that validates them."""
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[parameter.name] = (parameter.annotation, default)
    return create_model(f"Parameters of {name}", __config__=ConfigDict(extra="forbid", frozen=True), **fields)


def _values(parameters: BaseModel) -> dict[str, Any]:
    return {name: getattr(parameters, name) for name in type(parameters).model_fields}


_declared: dict[str, Check] = {}


def check(
    name: str,
    repeats: AsksForRepeats | None = None,
    references: tuple[str, ...] = (),
    saved: CheckFunction | None = None,
    public_side: PublicSide | None = None,
    times: bool = False,
) -> Callable[[CheckFunction], CheckFunction]:
    """Declare the decorated function as the check `name`; a name can be taken only once."""

    def declare(function: CheckFunction) -> CheckFunction:
        if name in _declared and _declared[name].function.__module__ != function.__module__:
            raise ValueError(f"two checks are called {name!r}: rename one of them")
        _declared[name] = Check(name, function, repeats, references, saved, public_side, times)
        return function

    return declare


@cache
def all_checks() -> Mapping[str, Check]:
    """Every check of every installed `grader.checks` entry point, by name."""
    for entry in entry_points(group="grader.checks"):
        entry.load()
    return dict(sorted(_declared.items()))
