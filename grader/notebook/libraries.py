"""Which modules are libraries, and which may be files of a student's own."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache

LIBRARIES = frozenset(
    """
    IPython PIL absl altair autokeras bokeh bs4 cv2 datashader dateutil fastai gensim google graphviz
    h5py imageio imblearn ipykernel ipywidgets jax joblib kaggle keras keras_cv keras_nlp keras_tuner
    kerastuner librosa lightning livelossplot matplotlib ml_dtypes mlflow mlxtend mpl_toolkits nbformat
    networkx nltk numba numpy optuna packaging pandas pip pkg_resources plotly plotnine psutil pydot
    pydotplus pylab pytorch_lightning pytz requests scikitplot scipy seaborn setuptools six skimage
    sklearn spacy statsmodels sympy tabulate tensorboard tensorboardX tensorflow tensorflow_addons
    tensorflow_datasets tensorflow_hub tensorflow_probability tensorflow_text termcolor tf_explain
    tf_keras tf_keras_vis torch torchinfo torchmetrics torchsummary torchtext torchvision tqdm
    transformers visualkeras wandb wordcloud xgboost yaml
    """.split()  # noqa: SIM905
)
"""Libraries that Colab has, that the room has or that notebooks of such courses install.

The room may lack some of them, and so may a student's Python, in which notebooks are only read.
"""


@cache
def is_library(module: str) -> bool:
    """Whether a top-level module is a library known here: Python's, an installed one, or one of `LIBRARIES`.

    Nothing is imported to find out.
    """
    if module in LIBRARIES or module in sys.stdlib_module_names:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
