"""How layers are told, on objects that look like those of Keras: nothing here needs TensorFlow."""

from __future__ import annotations

from types import SimpleNamespace

from grader.probes.layers import _config_of


class L2:
    def __init__(self, strength):
        self.strength = strength

    def get_config(self):
        return {"l2": self.strength}


class GlorotUniform:
    def get_config(self):
        return {"seed": None}


class HeNormal(GlorotUniform):
    pass


class Untold:
    def get_config(self):
        raise NotImplementedError


def test_what_punishes_and_starts_weights_is_told_where_it_is_not_the_usual():
    layer = SimpleNamespace(kernel_regularizer=L2(0.01), kernel_initializer=HeNormal())
    assert _config_of(layer) == {"kernel_regularizer": "L2 0.01", "kernel_initializer": "HeNormal"}
    assert _config_of(SimpleNamespace(kernel_regularizer=None, kernel_initializer=GlorotUniform())) == {}


def test_a_regulariser_of_the_notebooks_own_is_told_by_its_name():
    assert _config_of(SimpleNamespace(kernel_regularizer=Untold())) == {"kernel_regularizer": "Untold"}
