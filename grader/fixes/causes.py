"""The causes that are known by name: `scripts.yaml` only has to name them."""

from __future__ import annotations

from collections.abc import Mapping

from grader.fixes.records import Cause

_SAID = {
    "weights-too-large": "The weights begin far too large.",
    "weights-too-small": "The weights begin far too small.",
    "weights-zero": "All weights begin alike (zero, say), so that all units of a layer stay alike.",
    "weights-negative": "The weights begin negative only, so that every ReLU gets negative inputs.",
    "biases-negative": "The biases begin far below zero, so that every ReLU gets negative inputs.",
    "saturating-activation": "The activation function saturates, and passes on hardly any gradient.",
    "activation-missing": "There is no activation function between the layers.",
    "activation-on-logits": "There is an activation function (as ReLU) on the logits, too.",
    "softmax-twice": "Softmax is applied to the logits, and the loss applies it again.",
    "too-deep": "There are too many layers for these weights and this activation.",
    "learning-rate-too-large": "The learning rate is too large.",
    "learning-rate-too-small": "The learning rate is too small.",
    "gradient-sign": "The step goes up the gradient instead of down.",
    "inputs-noisy": "The images drown in noise before the model sees them.",
    "inputs-not-scaled": "The pixels are not scaled to a small range.",
    "inputs-wrong": "What goes into the model is not what the data set holds.",
    "labels-wrong": "The labels do not belong to the images.",
    "log-of-zero": "The loss takes the logarithm of probabilities that can be zero.",
}

KNOWN_CAUSES: Mapping[str, Cause] = {id_: Cause(id=id_, says=says) for id_, says in _SAID.items()}
