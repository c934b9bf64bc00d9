"""What tells the configurations of multi-layer perceptrons apart, by what their code says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from grader.notebook.facts import Configuration, Training


def fresh_trainings(trainings: Iterable[Training]) -> Iterator[Training]:
    """Trainings that start with weights of their own; to go on with the same ones is no new experiment."""
    seen: set[tuple[int, ...]] = set()
    for training in trainings:
        products = training.model.products if training.model is not None else ()
        weights = tuple(step.weight.id for step in products if step.weight is not None)
        if weights not in seen:
            yield training
        seen.add(weights)


def distinct(configurations: Iterable[Configuration]) -> tuple[Configuration, ...]:
    """Configurations that surely differ from each other in size, activation, start or rate."""
    found: list[Configuration] = []
    for configuration in configurations:
        if not any(_are_alike(configuration, other) for other in found):
            found.append(configuration)
    return tuple(found)


def _are_alike(first: Configuration, second: Configuration) -> bool:
    """True when two configurations cannot be told apart by what is surely known of them."""
    if len(first.sizes) != len(second.sizes) and first.sizes and second.sizes:
        return False
    pairs: list[tuple[object, object]] = [
        *zip(first.sizes, second.sizes, strict=False),
        *zip(first.starts, second.starts, strict=False),
        (first.optimizer or None, second.optimizer or None),
        (first.learning_rate, second.learning_rate),
    ]
    if any(a is not None and b is not None and a != b and a != "" and b != "" for a, b in pairs):
        return False
    return first.activations == second.activations


def varied(found: Sequence[Configuration]) -> str:
    """In what configurations differ, for the end of a sentence; "" where there is one."""
    return varied_in_words(
        ("hidden sizes", {c.sizes for c in found}),
        ("activations", {c.activations for c in found}),
        ("starting weights", {c.starts for c in found}),
        ("optimisers", {c.optimizer for c in found}),
        ("learning rates", {c.learning_rate for c in found}),
    )


def varied_in_words(*fields: tuple[str, Collection[object]]) -> str:
    """Which of some fields, each with the values that it has, were varied, for the end of a sentence."""
    names = [name for name, values in fields if len(values) > 1]
    return f" (varied: {', '.join(names)})" if names else ""


def in_words(configuration: Configuration) -> str:
    """What is known of a configuration: sizes, activations, starting weights, rate, optimiser, data."""
    sizes = " and ".join(str(size) if size is not None else "?" for size in configuration.sizes)
    parts = [f"hidden sizes {sizes}" if sizes else "no hidden layer"]
    parts.append(", ".join(dict.fromkeys(configuration.activations)) or "no activation")
    parts += [f"start {start}" for start in dict.fromkeys(configuration.starts) if start]
    if configuration.learning_rate is not None:
        parts.append(f"rate {configuration.learning_rate:g}")
    parts += [part for part in (configuration.optimizer, configuration.dataset, *configuration.rest) if part]
    return "; ".join(parts)
