"""How a class stands in one assignment: what of the points it has, to be held beside other assignments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import quantiles

from grader.model import Grade, Scale


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One assignment: how many handed in, how many grades are settled, and how these are spread.

    `quarters` are the shares of the points, in [0, 1] but for bonus, that a quarter, half and three quarters
    of the settled ones do not exceed; None while none is. `passed` is None but where grades are pass or fail.
    """

    assignment: str
    hand_ins: int
    settled: int
    quarters: tuple[float, float, float] | None
    passed: int | None


def standing_of(assignment: str, grades: Iterable[Grade]) -> Standing:
    """How the class stands by these grades."""
    every = list(grades)
    settled = [grade for grade in every if grade.is_settled]
    shares = [float(grade.final_score / grade.max_points) for grade in settled if grade.max_points]
    is_pass_fail = any(grade.scale is Scale.PASS_FAIL for grade in every)
    return Standing(
        assignment=assignment,
        hand_ins=len(every),
        settled=len(settled),
        quarters=_quarters(shares),
        passed=sum(grade.is_passed is True for grade in every) if is_pass_fail else None,
    )


def _quarters(shares: list[float]) -> tuple[float, float, float] | None:
    if not shares:
        return None
    if len(shares) == 1:
        return shares[0], shares[0], shares[0]
    low, middle, high = quantiles(shares, n=4, method="inclusive")
    return low, middle, high
