"""What is around trainings: models that they train, functions that they run in, pipelines that feed them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from types import CodeType
from typing import Any

from probes.calling import ModelCall
from probes.compiled import CompiledFunction, CompiledFunctions
from probes.hearing import Hearing
from probes.hooks import Hooks
from probes.models import Models, rate_of_optimizer
from probes.pipelines import Pipelines
from probes.places import is_library, name_of
from probes.timing import Timings
from probes.trainings import Training


class Around:
    """Models, compiled functions and pipelines, and their links with trainings."""

    def __init__(self, hearing: Hearing, current_run: Callable[[], int]) -> None:
        self.models = Models(current_run)
        self.timings = Timings(current_run)
        self.functions = CompiledFunctions(hearing, current_run, self.timings)
        self.pipelines = Pipelines(hearing, current_run)
        self.functions.stepped = self._stepped
        self.pipelines.given = self.functions.data_sets_given

    def hook_in(self, hooks: Hooks, tensorflow: Any) -> None:
        """Listen, once TensorFlow is there."""
        self.functions.hook_in(hooks, tensorflow)
        self.pipelines.hook_in(hooks)

    def cell_ended(self) -> None:
        """Forget what an interrupted cell has left open."""
        self.functions.cell_ended()
        self.pipelines.cell_ended()

    def gradient_asked(
        self, training: Training, code: CodeType, *, is_eager: bool, is_repeated: bool
    ) -> None:
        """Gradients of a training were computed on a tape of `code`; `is_repeated`: not the tape's first."""
        links = training.links
        if not links.place:
            links.place, links.is_in_library = name_of(code), is_library(code)
        function = self.functions.gradient_asked(training)
        if function is not None:
            links.function = function.id
            if not is_eager and not is_repeated:
                function.step_traced()
        if is_eager:
            self.timings.gradient_asked(training)
            self._fed(training)
            return
        pipeline = self.pipelines.in_graph()
        if pipeline is not None:
            links.fed.setdefault(pipeline.id, None)

    def model_called(self, call: ModelCall) -> None:
        """A Keras model was called; those that other models call are parts of these."""
        if call.depth == 0:
            self.models.called(call)

    def model_seen(self, model: Any) -> None:
        """A model was called of which everything is known."""
        known = self.models.by_model.get(model)
        if known is not None:
            known.calls += 1

    def model_trained(self, training: Training, model: Any) -> None:
        """A Keras model owns the weights of a training."""
        known = self.models.known(model)
        training.links.model = None if known is None else known.id

    def optimizer_used(self, training: Training, optimizer: Any) -> None:
        """An optimiser is about to update the weights of a training."""
        if training.links.optimizer is None:
            import tensorflow as tf

            training.links.optimizer = type(optimizer).__name__
            with contextlib.suppress(Exception), tf.init_scope():
                training.links.optimizer_rate = rate_of_optimizer(optimizer)

    def data_given(self, data: Any, where: str) -> None:
        """A method of a Keras model begins to go over data."""
        self.pipelines.opened(data, where)

    def data_done(self) -> None:
        """It has ended."""
        self.pipelines.closed()

    def fitted(self, training: Training, model: Any, steps: int) -> None:
        """Keras has trained a model for some steps, with what `data_given` told of."""
        self.model_trained(training, model)
        pipeline = self.pipelines.open[-1] if self.pipelines.open else None
        if pipeline is not None:
            training.links.fed[pipeline.id] = (training.links.fed.get(pipeline.id) or 0) + steps

    def _stepped(self, function: CompiledFunction) -> None:
        for training in function.trainings:
            self._fed(training)

    def _fed(self, training: Training) -> None:
        """Count a step for the pipeline that was drawn from last, once per element."""
        pipeline = self.pipelines.drawn
        if pipeline is None:
            return
        draw = (pipeline.id, pipeline.draws)
        if training.links.last_draw != draw:
            training.links.last_draw = draw
            training.links.fed[pipeline.id] = (training.links.fed.get(pipeline.id) or 0) + 1
