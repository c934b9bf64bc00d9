"""Which modules are libraries, and which may be files of a student's own."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache

LIBRARIES = frozenset(
    """
    altair autokeras bokeh bs4 cv2 datashader fastai gensim graphviz h5py imageio imblearn ipywidgets
    jax kaggle keras keras_cv keras_nlp keras_tuner kerastuner librosa lightning livelossplot matplotlib
    mlflow mlxtend networkx nltk numba optuna pandas plotly plotnine psutil pydot pydotplus
    pytorch_lightning requests scikitplot scipy seaborn sklearn skimage spacy statsmodels sympy tabulate
    tensorboard tensorboardX tensorflow tensorflow_addons tensorflow_datasets tensorflow_hub
    tensorflow_probability tensorflow_text termcolor tf_keras tf_explain tf_keras_vis torch
    torchinfo torchmetrics torchsummary torchtext torchvision tqdm transformers visualkeras wandb
    wordcloud xgboost
    """.split()  # noqa: SIM905
)
"""Libraries that Colab has or that notebooks of such courses install, and that the room may lack."""


@cache
def is_library(module: str) -> bool:
    """Whether a top-level module is a library known here: Python's, an installed one, or one of `LIBRARIES`.

    Nothing is imported to find out. Notebooks run with what is installed here.
    """
    if module in LIBRARIES or module in sys.stdlib_module_names:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
