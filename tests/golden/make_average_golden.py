#!/usr/bin/env python3
"""Writes averages.json beside itself: weights, averages and slots after each of 14 steps of Keras'
own optimizers with use_ema and gradient_accumulation_steps. README.md says more.

usage: KERAS_BACKEND=numpy make_average_golden.py         # needs Keras 3 and NumPy
"""
import json
import pathlib

import keras
import numpy as np

STEPS, WEIGHTS = 14, 5

CASES = {  # name: optimizer, with whatever it has
    "ema": keras.optimizers.SGD(0.1, momentum=0.9, use_ema=True),
    "ema_overwrites": keras.optimizers.Adam(
        0.05, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=3),
    "ema_of_nothing": keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.0),
    "ema_for_ever": keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=1.0),
    "accumulation": keras.optimizers.Adam(0.05, weight_decay=0.1, gradient_accumulation_steps=3),
    "accumulation_of_nadam": keras.optimizers.Nadam(0.05, gradient_accumulation_steps=2),
    "accumulation_clipped": keras.optimizers.SGD(
        0.1, momentum=0.9, nesterov=True, global_clipnorm=0.7, gradient_accumulation_steps=4),
    "ema_accumulation": keras.optimizers.RMSprop(
        0.05, use_ema=True, ema_momentum=0.9, gradient_accumulation_steps=3),
    "ema_accumulation_overwrites": keras.optimizers.SGD(
        0.1, momentum=0.5, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=2,
        gradient_accumulation_steps=3),
}


def gradient(step):
    """As averages_golden_test.cpp has it: exact in float32."""
    return np.array([((7 * step + 5 * i) % 16 - 6) / 8 for i in range(WEIGHTS)], np.float32)


def trace(optimizer):
    variable = keras.Variable(np.arange(1, WEIGHTS + 1, dtype=np.float32) / 4)
    optimizer.build([variable])
    steps = []
    for step in range(STEPS):
        optimizer.apply([keras.ops.convert_to_tensor(gradient(step))], [variable])
        state = {"weights": variable.numpy().tolist()}
        if optimizer.use_ema:
            state["average"] = optimizer._model_variables_moving_average[0].numpy().tolist()
        if optimizer.gradient_accumulation_steps:
            state["gradient_accumulator"] = optimizer._accumulated_gradients[0].numpy().tolist()
        steps.append(state)
    return steps


def main():
    path = pathlib.Path(__file__).with_name("averages.json")
    golden = {name: trace(optimizer) for name, optimizer in CASES.items()}
    lines = [f'  "{name}": [\n    ' + ",\n    ".join(json.dumps(state) for state in steps) + "]"
             for name, steps in golden.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
