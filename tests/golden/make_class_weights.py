#!/usr/bin/python3
"""Writes class-weights.json beside itself: losses of weighted classes, by PyTorch in float64.

Logits (n, c) are float32(8 u(2^50 + 64 n + c) - 4), labels those of the golden images.
"""
import json
import pathlib

import numpy as np
import torch

from make_golden import make_images, unit

SAMPLES, WEIGHTS = 12, [0.5, 2.0, 1.0, 0.0, 3.25, 1.0, 0.125]


def main():
    classes = len(WEIGHTS)
    places = [2**50 + 64 * n + c for n in range(SAMPLES) for c in range(classes)]
    drawn = np.array([8.0 * float(unit(place)) - 4.0 for place in places], np.float32)
    logits = torch.tensor(drawn.astype(np.float64).reshape(SAMPLES, classes), requires_grad=True)
    labels = torch.tensor([int(label) for label in make_images(SAMPLES, classes)[1]])
    criterion = torch.nn.CrossEntropyLoss(torch.tensor(WEIGHTS, dtype=torch.float64),
                                          reduction="none")
    losses = criterion(logits, labels)
    (losses.sum() / SAMPLES).backward()
    text = json.dumps({"weights": WEIGHTS, "labels": labels.tolist(), "losses": losses.tolist(),
                       "gradient": logits.grad.flatten().tolist()}, indent=1)
    pathlib.Path(__file__).with_name("class-weights.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
