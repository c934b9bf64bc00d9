from __future__ import annotations

import re
from itertools import pairwise

from evidence.watching import a_run, a_watch

from grader.evidence.scripts import Trial, TriedFix, TriedScript
from grader.fixes.records import Fix, FixKind
from grader.report.pictures.curves import Curve, draw_curves
from grader.report.pictures.scripts import pictures_of


def a_script(broken, mended=None) -> TriedScript:
    fix = Fix(script="fail1", kind=FixKind.REDEFINITION, source="x")
    fixes = (
        () if mended is None else (TriedFix(fix=fix, trial=Trial.MENDED, why="It trains.", runs=(mended,)),)
    )
    return TriedScript(name="fail1", title="It explodes", causes=(), broken=broken, fixes=fixes)


BROKEN = a_run(
    0.1,
    bad=3,
    watched=a_watch(
        {"loss": 4e4, "gradient_0": 1e4, "gradient_2": 2e4, "gradient_4": 3e4},
        {"loss": 3e18, "gradient_0": 1e16, "gradient_2": 2e16, "gradient_4": 3e16},
        {"loss": None, "gradient_0": None, "gradient_2": None, "gradient_4": None},
        bad=3,
    ),
)
MENDED = a_run(
    0.95,
    watched=a_watch(
        {"loss": 2.3, "gradient_0": 0.0, "gradient_2": 0.2, "gradient_4": 0.3},
        {"loss": 0.1, "gradient_0": 0.1, "gradient_2": 0.2, "gradient_4": 0.3},
    ),
)


def test_loss_and_gradients_of_the_broken_and_of_the_mended_script_are_drawn():
    losses, gradients = pictures_of(a_script(BROKEN, MENDED))
    assert "as it is, NaN at step 3: from 4e+04 to 3e+18" in losses.description
    assert "with the fix: from 2.3 to 0.1" in losses.description
    assert "10⁻⁹" in gradients.body
    assert "with the fix, first step: from 0 to 0.3" in gradients.description


def test_a_script_that_was_not_run_or_not_seen_has_no_pictures():
    assert pictures_of(a_script(None)) == []
    assert pictures_of(a_script(a_run(0.1))) == []


def test_a_single_number_is_drawn_on_an_axis_of_powers_only():
    curve = Curve(name="one", points=[(1.0, 5.0)], style="saved")
    assert draw_curves([curve], title="", across="", is_share=False) is None
    drawn = draw_curves([curve], title="", across="", is_share=False, is_logarithmic=True)
    assert drawn is not None
    assert "circle" in drawn.body


def test_the_marks_of_an_axis_of_powers_lie_evenly_also_where_a_loss_blew_up():
    curve = Curve(name="lost", points=[(1.0, 0.2), (2.0, 5.4e18)], style="saved")
    drawn = draw_curves([curve], title="", across="", is_share=False, is_logarithmic=True)
    assert drawn is not None
    heights = [float(y) for y in re.findall(r'<text[^>]* y="([\d.]+)"[^>]*>(?:10|1|0)', drawn.body)]
    gaps = {round(low - high) for low, high in pairwise(heights) if low > high}
    assert len(heights) > 3
    assert len(gaps) == 1
