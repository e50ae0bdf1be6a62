#!/usr/bin/env python3
"""Writes functional.keras, a small network of every layer that Lockstep takes, and functional.json:
images of 8 x 8 pixels as bytes and what Keras predicts for them, by its PyTorch backend.

    KERAS_BACKEND=torch python3 make_functional.py
"""
import json
from pathlib import Path

import keras
import numpy as np
from keras import layers as L

FOLDER = Path(__file__).parent

images = x = keras.Input((32, 32, 3), name="images")
x = L.Rescaling(2.0, offset=-1.0)(x)
x = L.ZeroPadding2D(((1, 0), (1, 2)))(x)
x = L.Conv2D(8, 3, strides=4, use_bias=False, kernel_initializer="he_normal",
             kernel_regularizer=keras.regularizers.L2(1e-4))(x)
x = L.BatchNormalization(scale=False)(x)
x = L.ReLU(max_value=6)(x)
y = L.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
y = L.Activation("gelu")(y)
y = L.Conv2D(8, 3, padding="same", groups=4, activation="hard_silu")(y)
gate = L.GlobalAveragePooling2D(keepdims=True)(y)
gate = L.Conv2D(8, 1, activation="sigmoid")(gate)
y = L.Multiply()([y, gate])
x = L.Add(name="sum of both")([x, y])
z = L.SeparableConv2D(5, 3, padding="same", depth_multiplier=2, activation="leaky_relu")(x)
z = L.SpatialDropout2D(0.2)(z)
z = L.UpSampling2D(2, interpolation="bilinear")(z)
z = L.AveragePooling2D(2)(z)
x = L.Concatenate()([x, z])
x = L.LayerNormalization()(x)
x = L.Conv2D(6, 3, dilation_rate=2, padding="same", activation="elu", trainable=False)(x)
x = L.MaxPooling2D(3, strides=2)(x)
x = L.Concatenate()([L.GlobalMaxPooling2D()(x), L.Flatten()(x)])
x = L.Dense(12, activation="tanh", kernel_initializer=keras.initializers.Orthogonal(gain=0.5))(x)
x = L.Dense(12, activation="silu")(L.Dropout(0.5)(x))
model = keras.Model(images, L.Dense(10)(x), name="functional")
model.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))

draws = np.random.default_rng(1)
for weight in model.weights:
    is_scale = "variance" in weight.path or "gamma" in weight.path
    weight.assign((draws.standard_normal(weight.shape) * 0.2).astype("float32") ** (2 if is_scale else 1) + is_scale)
model.save(str(FOLDER / "functional.keras"))

pixels = draws.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
logits = np.asarray(model.predict(pixels.astype("float32") / np.float32(255), verbose=0), dtype="float64")
odds = np.exp(logits - logits.max(1, keepdims=True))
with open(FOLDER / "functional.json", "w") as file:
    json.dump({"pixels": [image.tobytes().hex() for image in pixels],
               "probabilities": (odds / odds.sum(1, keepdims=True)).round(7).tolist()}, file)
