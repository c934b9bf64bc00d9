"""Builders of what is seen of a script's training."""

from __future__ import annotations

from grader.evidence.observed import ForwardOp, ObservedTraining
from grader.evidence.scripts import ScriptRun
from grader.evidence.watched import Watched, WatchedPoint
from grader.fixes.records import Symptom, Symptoms
from grader.model import RunStatus, Source

SHAPES = ((784, 20), (20,), (20, 20), (20,), (20, 10), (10,))


def a_training(**fields: object) -> ObservedTraining:
    forward = [ForwardOp(op="MatMul", weight=slot) for slot in (0, 2, 4)]
    given = {"id": 1, "updates": 2000, "gradients": 2000, "shapes": SHAPES, "forward": forward}
    return ObservedTraining.model_validate(given | fields)


def a_watch(*points: dict[str, float | None], layers=("", "Relu", "Relu"), bad=None) -> Watched:
    """What was seen at steps 1, 2 …; columns are written with underscores."""
    return Watched(
        training=1,
        steps=2000,
        not_finite_from=bad,
        layers=layers,
        points=tuple(
            WatchedPoint(step=step, columns={name.replace("_", " "): value for name, value in point.items()})
            for step, point in enumerate(points, 1)
        ),
    )


def a_run(accuracy: float | None = 0.96, **fields: object) -> ScriptRun:
    """A run of a script that ended well; `loss`, `steps` and `bad` are its symptoms'."""
    bad, steps = fields.pop("bad", None), fields.pop("steps", 2000)
    loss = fields.pop("loss", 0.15)
    symptoms = Symptoms.model_validate(
        {
            "shown": frozenset({Symptom.LOSS_NOT_FINITE} if bad else ()),
            "steps": steps,
            "last_loss": None if bad else loss,
            "not_finite_from": bad,
            "last_gradients": (0.1, 0.2, 0.3),
            "accuracy": accuracy,
        }
    )
    given = {
        "key": "0" * 64,
        "status": RunStatus.COMPLETED,
        "is_real_data": True,
        "is_trusted": True,
        "symptoms": symptoms,
        "accuracy_from": None if accuracy is None else Source.MEASURED,
        "shapes": SHAPES,
        "order": (0, 2, 4),
        "hidden_layers": 2,
    }
    return ScriptRun.model_validate(given | fields)
