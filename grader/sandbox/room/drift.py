"""Mends known calls of older versions of TensorFlow, Keras, NumPy and Matplotlib, and says so once each.

Every mend gives an old name its present meaning; none adds logic of the notebook's own. What cannot be
mended call by call is run again with legacy Keras (see `grader.execution.drift`).
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import wire
from after_import import after_import

_said: set[str] = set()


def said(name: str, text: str) -> None:
    """Tell once that the mend `name` was needed."""
    if name not in _said:
        _said.add(name)
        wire.send("mend", name=name, text=text)


def mend_known_calls(*, is_legacy: bool) -> None:
    """Install the mends; `is_legacy` when the run uses Keras 2 (`tf-keras`)."""
    after_import("numpy", mend_numpy)
    after_import("tensorflow", mend_tensorflow)
    after_import("matplotlib.style", mend_styles)
    if is_legacy:
        after_import("tf_keras.api._v2.keras.optimizers", mend_legacy_optimizers)
        return
    after_import("keras.src.optimizers.base_optimizer", mend_optimizer)
    after_import("keras.src.optimizers.base_optimizer", mend_shared_optimizer)
    after_import("keras.src.metrics.metric", mend_metric)
    after_import("keras.src.layers.layer", mend_layer)
    after_import("keras.src.models.model", mend_model)
    after_import("keras._tf_keras.keras", mend_modules)


def mend_numpy(numpy: Any) -> None:
    """Names that NumPy 1.24 and 2.0 removed."""
    old = {
        "float": float, "int": int, "object": object, "str": str, "complex": complex,
        "Inf": numpy.inf, "Infinity": numpy.inf, "NaN": numpy.nan, "float_": numpy.float64,
        "product": numpy.prod, "cumproduct": numpy.cumprod, "alltrue": numpy.all, "sometrue": numpy.any,
    }  # fmt: skip
    original = numpy.__getattr__

    def __getattr__(name: str) -> Any:
        if name not in old:
            return original(name)
        said(f"np.{name}", f"`np.{name}` no longer exists in NumPy; it was given its old meaning.")
        return old[name]

    numpy.__getattr__ = __getattr__


def mend_tensorflow(tensorflow: Any) -> None:
    """Names that were experimental in the first releases of TensorFlow 2."""
    strategy = tensorflow.distribute.Strategy
    if not hasattr(strategy, "experimental_run_v2"):

        def experimental_run_v2(self: Any, *arguments: Any, **options: Any) -> Any:
            said("experimental_run_v2", "`experimental_run_v2` of a strategy is now `run`.")
            return self.run(*arguments, **options)

        strategy.experimental_run_v2 = experimental_run_v2


def mend_styles(style: Any) -> None:
    """The seaborn styles, which Matplotlib 3.6 renamed."""
    original = style.use

    def use(name: Any) -> Any:
        if isinstance(name, str) and name.startswith("seaborn") and name not in style.available:
            said("seaborn style", f"Matplotlib's style '{name}' was renamed; it is used under its new name.")
            name = name.replace("seaborn", "seaborn-v0_8", 1)
        return original(name)

    style.use = use


def mend_shared_optimizer(module: Any) -> None:
    """One optimiser for several models, as Keras 2 allowed: each set of variables gets one of its own."""
    optimizer = module.BaseOptimizer
    original = optimizer.apply

    @functools.wraps(original)
    def apply(self: Any, grads: Any, trainable_variables: Any = None) -> Any:
        variables = None if trainable_variables is None else list(trainable_variables)
        if variables is None or not self.built:
            return original(self, grads, variables)
        keys = tuple(self._var_key(variable) for variable in variables)
        if self._trainable_variables_indices.keys() >= set(keys):
            return original(self, grads, variables)
        said("shared optimizer", "Keras 3 optimisers serve one model; the other got one of the same kind.")
        others = self.__dict__.setdefault("_of_other_models", {})
        if keys not in others:
            others[keys] = _in_a_thread(lambda: _built_like(self, variables))
        return original(others[keys], grads, variables)

    optimizer.apply = apply


def _built_like(optimizer: Any, variables: Any) -> Any:
    other = type(optimizer).from_config(optimizer.get_config())
    other.build(variables)
    other.built = True
    return other


def _in_a_thread(make: Callable[[], Any]) -> Any:
    """What `make` gives, made outside of any `tf.function`: one that is traced anew refuses new variables."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(make).result()


def mend_optimizer(module: Any) -> None:
    """`lr=`, `decay=`, `.lr` and `.minimize` of Keras 2 optimisers."""
    optimizer = module.BaseOptimizer
    original = optimizer.__init__

    @functools.wraps(original)
    def __init__(self: Any, learning_rate: Any, *arguments: Any, **options: Any) -> None:
        if "lr" in options:
            said("lr", "Keras 3 calls `lr` of an optimiser `learning_rate`; the value was passed on.")
            learning_rate = options.pop("lr")
        if options.get("decay"):
            said(
                "decay", "Keras 3 has no `decay`; the same decay was set as a schedule of the learning rate."
            )
            schedules = _module("keras").optimizers.schedules
            learning_rate = schedules.InverseTimeDecay(learning_rate, 1, options["decay"])
        options.pop("decay", None)
        original(self, learning_rate, *arguments, **options)

    def minimize(self: Any, loss: Any, var_list: Any, tape: Any = None) -> Any:
        said("minimize", "Keras 3 optimisers have no `minimize`; gradients were computed and applied.")
        if callable(loss):
            with _module("tensorflow").GradientTape() as tape:
                loss = loss()
        variables = list(var_list() if callable(var_list) else var_list)
        return self.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    def get_rate(self: Any) -> Any:
        said("optimizer.lr", "Keras 3 calls `optimizer.lr` `optimizer.learning_rate`.")
        return self.learning_rate

    def set_rate(self: Any, value: Any) -> None:
        get_rate(self)
        self.learning_rate = value

    optimizer.__init__ = __init__
    optimizer.lr = property(get_rate, set_rate)
    if not hasattr(optimizer, "minimize"):
        optimizer.minimize = minimize


def mend_metric(module: Any) -> None:
    """`reset_states()` of Keras 2 metrics."""

    def reset_states(self: Any) -> None:
        said("reset_states", "Keras 3 calls `reset_states()` of a metric `reset_state()`.")
        self.reset_state()

    module.Metric.reset_states = reset_states


def mend_layer(module: Any) -> None:
    """`add_weight("name", shape)` with the name first."""
    original = module.Layer.add_weight

    @functools.wraps(original)
    def add_weight(self: Any, *arguments: Any, **options: Any) -> Any:
        if arguments and isinstance(arguments[0], str):
            said("add_weight", "Keras 3 takes the name of a weight as a keyword; it was passed on as one.")
            options["name"], arguments = arguments[0], arguments[1:]
        return original(self, *arguments, **options)

    module.Layer.add_weight = add_weight


def mend_model(module: Any) -> None:
    """`predict_classes`, `predict_proba`, and `compile`'s arguments that were experimental."""
    compile_now = module.Model.compile

    @functools.wraps(compile_now)
    def compile_model(self: Any, *arguments: Any, **options: Any) -> None:
        if options.pop("experimental_run_tf_function", None) is not None:
            said("experimental_run_tf_function", "`experimental_run_tf_function` is gone; it was left out.")
        if "experimental_steps_per_execution" in options:
            said("steps_per_execution", "`experimental_steps_per_execution` is now `steps_per_execution`.")
            options["steps_per_execution"] = options.pop("experimental_steps_per_execution")
        compile_now(self, *arguments, **options)

    module.Model.compile = compile_model

    def predict_proba(self: Any, *arguments: Any, **options: Any) -> Any:
        said("predict_proba", "Keras 3 models have no `predict_proba`; `predict` was called.")
        return self.predict(*arguments, **options)

    def predict_classes(self: Any, *arguments: Any, **options: Any) -> Any:
        said("predict_classes", "Keras 3 models have no `predict_classes`; the largest output was taken.")
        predicted = self.predict(*arguments, **options)
        return predicted.argmax(axis=-1) if predicted.shape[-1] > 1 else (predicted > 0.5).astype("int32")

    module.Model.predict_proba = predict_proba
    module.Model.predict_classes = predict_classes


def mend_modules(keras: Any) -> None:
    """Modules that moved: `layers.experimental.preprocessing`, `utils.np_utils`."""
    experimental: Any = types.ModuleType("tensorflow.keras.layers.experimental")
    np_utils: Any = types.ModuleType("tensorflow.keras.utils.np_utils")

    def moved(name: str, target: Any) -> Callable[[str], Any]:
        def __getattr__(attribute: str) -> Any:
            if attribute.startswith("__"):
                raise AttributeError(attribute)
            said(name, f"`{name}` moved in Keras 3; `{attribute}` was taken from its new place.")
            return getattr(target, attribute)

        return __getattr__

    preprocessing: Any = types.ModuleType("tensorflow.keras.layers.experimental.preprocessing")
    preprocessing.__getattr__ = moved("keras.layers.experimental.preprocessing", keras.layers)
    np_utils.__getattr__ = moved("keras.utils.np_utils", keras.utils)
    experimental.preprocessing = preprocessing
    keras.layers.experimental = experimental
    keras.utils.np_utils = np_utils
    for root in ("tensorflow.keras", "keras"):
        sys.modules[f"{root}.layers.experimental"] = experimental
        sys.modules[f"{root}.layers.experimental.preprocessing"] = preprocessing
        sys.modules[f"{root}.utils.np_utils"] = np_utils


def mend_legacy_optimizers(optimizers: Any) -> None:
    """In the years of Keras 2 most notebooks are from, `optimizers.Adam` was what is now `legacy.Adam`."""
    said("legacy optimizers", "The optimisers of older Keras 2 releases were used (`optimizers.legacy`).")
    for name in ("Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "RMSprop", "SGD"):
        setattr(optimizers, name, getattr(optimizers.legacy, name))


def _module(name: str) -> Any:
    """A module that has been imported; fetched by name because it may not be imported by us first."""
    return sys.modules[name]
