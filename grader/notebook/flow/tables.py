"""What names of libraries mean for a forward pass: products, activations, starts of weights."""

from __future__ import annotations

import math
import re

from grader.notebook.facts import Level, Start, StepKind


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Libraries whose calls cannot hide a model: nothing done with them is held to be unclear.
HARMLESS = _words(
    """
    __future__ abc argparse array base64 bisect bz2 calendar collections colorsys contextlib copy csv
    cProfile dataclasses datetime decimal difflib enum errno fnmatch fractions functools gc getpass glob
    gzip hashlib heapq html inspect io itertools json logging math matplotlib numbers numpy np operator
    os pandas pathlib pickle platform plt pprint psutil random re scipy seaborn shutil signal socket
    statistics string struct sys tabulate tarfile tempfile textwrap threading time timeit tqdm traceback
    types typing urllib uuid warnings zipfile IPython PIL cv2 imageio skimage bokeh plotly altair google
    tensorboard ipywidgets requests wget gdown tensorflow_datasets tfds tf sklearn torch torchvision
    tf_keras keras mpl_toolkits rich joblib numba wandb absl six builtins codecs locale zlib subprocess
    multiprocessing concurrent queue weakref secrets gensim nltk h5py pylab termcolor colorama prettytable
    """
)

PRODUCTS = {
    "tf.matmul": Level.TENSORFLOW,
    "tf.linalg.matmul": Level.TENSORFLOW,
    "tf.linalg.matvec": Level.TENSORFLOW,
    "tf.tensordot": Level.TENSORFLOW,
    "tf.linalg.tensordot": Level.TENSORFLOW,
    "tf.sparse.sparse_dense_matmul": Level.TENSORFLOW,
    "tf.experimental.numpy.matmul": Level.TENSORFLOW,
    "tf.experimental.numpy.dot": Level.TENSORFLOW,
    "tf.raw_ops.MatMul": Level.TENSORFLOW,
    "tf.math.matmul": Level.TENSORFLOW,
    "tf.keras.ops.matmul": Level.UNKNOWN,  # as low as the weights that they are given
    "tf.keras.ops.dot": Level.UNKNOWN,
    "tf.keras.backend.dot": Level.UNKNOWN,
    "np.matmul": Level.NUMPY,
    "np.dot": Level.NUMPY,
    "np.inner": Level.NUMPY,
    "np.tensordot": Level.NUMPY,
    "jnp.matmul": Level.NUMPY,
    "jnp.dot": Level.NUMPY,
    "torch.matmul": Level.TORCH,
    "torch.mm": Level.TORCH,
    "torch.bmm": Level.TORCH,
}
EINSUMS = {"tf.einsum": Level.TENSORFLOW, "np.einsum": Level.NUMPY, "torch.einsum": Level.TORCH}
PRODUCTS_WITH_BIAS = {
    "tf.nn.xw_plus_b": Level.TENSORFLOW,
    "tf.compat.v1.nn.xw_plus_b": Level.TENSORFLOW,
    "tf.nn.relu_layer": Level.TENSORFLOW,
    "tf.compat.v1.nn.relu_layer": Level.TENSORFLOW,
    "torch.nn.functional.linear": Level.TORCH,
}

NON_LINEAR = _words(
    """
    relu relu6 tanh sigmoid elu selu gelu leaky_relu swish silu softplus softsign crelu mish
    hard_sigmoid hard_swish hard_silu hard_tanh hardtanh exponential log_sigmoid logsigmoid sin cos exp
    expm1 square abs maximum minimum where clip_by_value clip erf atan arctan prelu softmax log_softmax
    pow sqrt rsqrt log log1p sign cosh sinh asinh arcsinh logistic expit greater greater_equal less
    less_equal sparsemax reciprocal heaviside relu_layer celu glu threshold absolute power squareplus
    sparse_plus tanh_shrink leakyrelu softshrink hardshrink hard_shrink soft_shrink
    reduce_max reduce_min max min amax amin round floor ceil rint reduce_logsumexp logsumexp
    """
)
LINEAR = _words(
    """
    add add_n bias_add subtract sub multiply mul divide truediv div divide_no_nan scalar_mul reshape
    cast identity transpose permute expand_dims squeeze reduce_mean reduce_sum reduce_max reduce_min
    reduce_std reduce_variance mean sum std var argmax argmin max min amax amin convert_to_tensor
    constant stack concat concatenate split slice gather gather_nd stop_gradient dropout
    batch_normalization one_hot print flatten ravel vstack hstack tile pad repeat zeros_like ones_like
    float32 float64 float16 int32 int64 uint8 array asarray equal not_equal in_top_k top_k top_kv2
    Assert ensure_shape size shape rank is_nan is_inf negative round histogram count_nonzero logical_not
    argsort sort unstack tensor from_numpy moments eval nan_to_num item unique bincount copy save
    accumulate_n foldl linear boolean_mask save_txt savetxt confusion_matrix write isnan isinf any all
    reduce_any reduce_all invert squared_difference atleast_2d ascontiguousarray swapaxes moveaxis
    to_float to_int32 to_int64 numpy Input placeholder append take compress nonzero random_shuffle
    shuffle check_numerics debugging clip_by_norm clip_by_global_norm global_norm floordiv floor ceil
    rint dtype astype float int bool assert_equal softmax_cross_entropy
    softmax_cross_entropy_with_logits sigmoid_cross_entropy str
    """
)
_ENDS = re.compile(
    r"cross_?entropy|loss|metric|accuracy|summary|l2_loss|l2_reg|hinge|error|distance|divergence|assert"
)

_RANDOM = re.compile(
    r"random|normal|uniform|glorot|xavier|^he_|he_(normal|uniform)|lecun|variance_?scaling|orthogonal"
    r"|^rand|randn|truncated|kaiming|sample|standard_normal|poisson|gamma",
    re.IGNORECASE,
)
_ZEROS = {"zeros", "zeros_like", "zeros_initializer", "zeros_", "zero", "empty"}
_ONES = {"ones", "ones_like", "ones_initializer", "constant", "constant_initializer", "full", "fill", "ones_"}

LOSSY_ROOTS = ("tf", "np", "torch", "jnp", "scipy", "math")


def last_of(name: str) -> str:
    """The last part of a dotted name."""
    return name.rsplit(".", 1)[-1]


def root_of(name: str) -> str:
    """The first part of a dotted name."""
    return name.split(".", 1)[0]


def step_kind(name: str) -> StepKind:
    """What a library function does to what flows through a model."""
    last = last_of(name)
    if _ENDS.search(name.lower()):
        return StepKind.LINEAR
    if last in NON_LINEAR or last.lower() in NON_LINEAR:
        return StepKind.ACTIVATION
    return StepKind.LINEAR if last in LINEAR else StepKind.OTHER


def start_of(name: str) -> Start | None:
    """What an initialiser, or a function that makes numbers from nothing, fills a weight with.

    None when the name says nothing of the kind.
    """
    last = last_of(name)
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", last).lower()
    if snake in _ZEROS:
        return Start.ZEROS
    if snake in _ONES:
        return Start.CONSTANT
    if snake in {"identity", "eye", "linspace", "logspace", "geomspace", "arange", "range", "diag"}:
        return Start.UNKNOWN
    if _RANDOM.search(snake) or ".random." in name:
        return Start.RANDOM
    return None


def level_of(name: str) -> Level:
    """What a library's things are written with."""
    if name.startswith(("tf.keras.layers", "tf.keras.models", "tf.keras.Sequential")):
        return Level.KERAS
    roots = {"tf": Level.TENSORFLOW, "np": Level.NUMPY, "torch": Level.TORCH, "jnp": Level.NUMPY}
    return roots.get(root_of(name), Level.UNKNOWN)


_PLOTTING = _words(
    """
    plot show figure imshow matshow subplot subplots legend title xlabel ylabel xlim ylim axis savefig hist
    scatter bar colorbar tight_layout suptitle grid yticks xticks plt errorbar semilogy semilogx loglog text
    """
)


def may_come_from(module: str, name: str) -> bool:
    """True when `from module import *` is likely to bring in `name`."""
    if module in ("np", "plt", "pylab", "matplotlib"):
        import numpy as np  # late: few notebooks import all of a module

        return hasattr(np, name) or (module != "np" and name in _PLOTTING)
    if module == "math":
        return hasattr(math, name)
    return module.startswith(("tf", "torch", "sklearn")) and (name[:1].isupper() or name in NON_LINEAR)


DATASETS = ("fashion_mnist", "mnist", "cifar100", "cifar10", "imdb", "reuters", "boston_housing")


def dataset_of(text: str) -> str:
    """The data set that a name or a path speaks of, "" when none is known."""
    lowered = text.lower().replace("-", "_")
    if "fashion" in lowered:
        return "fashion_mnist"
    for name in ("kmnist", "emnist", "kuzushiji"):
        if name in lowered:
            return "kmnist" if name == "kuzushiji" else name
    return next((name for name in DATASETS if name in lowered), "")
