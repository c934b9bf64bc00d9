"""What was measured of a failing training: in words, and where it contradicts what is said."""

from __future__ import annotations

from grader.fixes.records import Symptom, Symptoms

# A symptom counts as contradicted only where the measurement is far from it.
_SMALL_GRADIENT = 1e-2
_LARGE_GRADIENT = 10.0
_LARGE_LOSS = 100.0
_MANY_ZEROS = 0.7
_MANY_SATURATED = 0.5


def contradicts(symptom: Symptom, measured: Symptoms) -> bool:
    """Whether the measurement leaves no doubt that a training does not show `symptom`."""
    if symptom not in measured.absent or symptom in measured.shown:
        return False
    gradients = (*measured.first_gradients, *measured.last_gradients)
    losses = [loss for loss in (measured.first_loss, measured.last_loss) if loss is not None]
    clearly = {
        Symptom.GRADIENTS_VANISH: bool(gradients) and min(gradients) > _SMALL_GRADIENT,
        Symptom.GRADIENTS_EXPLODE: bool(gradients) and max(gradients) < _LARGE_GRADIENT,
        Symptom.LOSS_NOT_FINITE: bool(losses) and max(losses) < _LARGE_LOSS,
        Symptom.UNITS_DEAD: measured.zero_share is not None and measured.zero_share < _MANY_ZEROS,
        Symptom.UNITS_SATURATED: measured.saturated_share is not None
        and measured.saturated_share < _MANY_SATURATED,
        Symptom.INPUTS_SWAMPED: True,
        Symptom.OUTPUTS_SOFTMAXED: True,
    }
    return clearly.get(symptom, False)


def in_words(symptom: Symptom, measured: Symptoms) -> str:
    """What was measured of `symptom`, "" when there is no figure to tell."""
    is_shown = symptom in measured.shown
    first, last = measured.first_gradients, measured.last_gradients
    if symptom in (Symptom.GRADIENTS_VANISH, Symptom.GRADIENTS_EXPLODE) and first:
        end = f", at the end from {min(last):.2g} to {max(last):.2g}" if last else ""
        return f"the norms of the weights' gradients begin from {min(first):.2g} to {max(first):.2g}{end}"
    if symptom is Symptom.LOSS_NOT_FINITE:
        if measured.not_finite_from is not None:
            return f"from step {measured.not_finite_from:,} on there are values that are no numbers"
        return "" if measured.last_loss is None else f"the loss is {measured.last_loss:.3g} at the end"
    if symptom is Symptom.UNITS_DEAD and measured.zero_share is not None:
        return f"{measured.zero_share:.0%} of a hidden layer's outputs are zero"
    if symptom is Symptom.UNITS_SATURATED and measured.saturated_share is not None:
        return f"{measured.saturated_share:.0%} of a hidden layer's outputs are at an end of their range"
    if symptom is Symptom.INPUTS_SWAMPED:
        return f"what goes in is {'hardly ' if is_shown else ''}like the images of the data set"
    if symptom is Symptom.OUTPUTS_SOFTMAXED:
        return f"what the loss is given {'sums' if is_shown else 'does not sum'} to one"
    return ""
