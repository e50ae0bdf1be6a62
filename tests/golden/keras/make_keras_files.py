#!/usr/bin/env python3
"""Writes keras3.* and keras2.weights.h5 with Keras' own code, for tests/storage/keras_golden_test.cpp.

    KERAS_BACKEND=numpy python3 make_keras_files.py KERAS2

Needs Keras 3 and h5py. KERAS2: a source tree of Keras 2.15; of it only saving/legacy/hdf5_format.py
runs, so TensorFlow, which it imports, may be missing: whatever is asked of it, a stand-in answers.
Array k of the network, in the order of get_weights(), holds k + i / 256 at place i, row by row.
"""
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from unittest.mock import MagicMock

import h5py
import numpy as np

ARRAYS = [
    ("conv2d", [("kernel", (2, 2, 1, 2)), ("bias", (2,))]),
    ("batch_normalization", [(name, (2,)) for name in ("gamma", "beta", "moving_mean", "moving_variance")]),
    ("max_pooling2d", []),
    ("flatten", []),
    ("dense", [("kernel", (8, 3)), ("bias", (3,))]),
]
FOLDER = Path(__file__).parent


def values(place, shape):
    return (place + np.arange(np.prod(shape)) / 256).reshape(shape).astype("float32")


def write_keras3():
    import keras
    from keras import layers

    model = keras.Sequential([
        keras.Input((4, 4, 1)),
        layers.Conv2D(2, 2, padding="same", activation="relu", name="conv2d"),
        layers.BatchNormalization(name="batch_normalization"),
        layers.MaxPooling2D(2, name="max_pooling2d"),
        layers.Flatten(name="flatten"),
        layers.Dense(3, name="dense"),
    ], name="sequential")
    for place, weight in enumerate(model.weights):
        weight.assign(values(place, weight.shape))
    model.save(str(FOLDER / "keras3.h5"))
    model.save(str(FOLDER / "keras3.keras"))
    model.save_weights(str(FOLDER / "keras3.weights.h5"))
    return keras.__version__


class StandIn(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers every import of these packages."""

    def __init__(self, *packages):
        self.packages = packages

    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in self.packages:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = MagicMock(name=spec.name)
        module.__path__, module.__spec__, module.__name__ = [], spec, spec.name
        return module

    def exec_module(self, module):
        pass


class Variable:
    def __init__(self, name, value):
        self.name, self.value = name, value


class Layer:
    def __init__(self, name, variables):
        self.name = name
        self.trainable_weights = [v for v in variables if "moving" not in v.name]
        self.non_trainable_weights = [v for v in variables if "moving" in v.name]


def write_keras2(tree):
    for name in [name for name in sys.modules if name.split(".")[0] == "keras"]:
        del sys.modules[name]
    sys.meta_path.insert(0, StandIn("tensorflow", "keras"))
    path = Path(tree) / "keras/saving/legacy/hdf5_format.py"
    spec = importlib.util.spec_from_file_location("hdf5_format", path)
    hdf5_format = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hdf5_format)
    sys.modules["keras"].__version__ = "2.15.0"
    hdf5_format.tf.Variable = Variable
    hdf5_format.backend.backend = lambda: "tensorflow"
    hdf5_format.backend.batch_get_value = lambda variables: [v.value for v in variables]
    model = MagicMock(layers=[], _trainable_weights=[], _non_trainable_weights=[])
    place = 0
    for layer, arrays in ARRAYS:
        variables = []
        for name, shape in arrays:
            variables.append(Variable(f"{layer}/{name}:0", values(place, shape)))
            place += 1
        model.layers.append(Layer(layer, variables))
    with h5py.File(FOLDER / "keras2.weights.h5", "w") as file:
        hdf5_format.save_weights_to_hdf5_group(file, model)


print("Keras", write_keras3(), "and h5py", h5py.__version__)
write_keras2(sys.argv[1])
