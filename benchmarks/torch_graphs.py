#!/usr/bin/env python3
"""The networks of experiments/resnet20.toml and mobilenet.toml in PyTorch, trained as those files say.

usage: torch_graphs.py --data DIR --model resnet20|mobilenet|mobilenet_gated
           [--threads N] [--channels-last] [--bf16]
           [--bench-steps N | --epochs N [--seed N]]

--bench-steps   prints a JSON line with images_per_s_median and _best of ten blocks of whole steps
--epochs        trains with a cosine schedule over so many epochs, without a warm-up; prints a JSON
                line of metrics an epoch, and of the test set at the end

Convolutions with strides pad a pixel on each side, where Keras and Lockstep pad one side. A batch is
flipped and cropped as tensors, image by image by index, which is the quickest way here. Needs PyTorch 1.13 or newer.
"""
import argparse
import json
import math
import pathlib
import statistics
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

VALIDATION, BATCH = 5000, 128


def normalized(channels_in, channels, size, stride=1, groups=1):
    convolution = nn.Conv2d(channels_in, channels, size, stride, size // 2, groups=groups, bias=False)
    # Keras' he_normal.
    deviation = math.sqrt(2 / (channels_in // groups * size * size)) / 0.87962566103423978
    nn.init.trunc_normal_(convolution.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01))


class Residual(nn.Module):
    """Of ResNet-20."""

    def __init__(self, channels_in, channels):
        super().__init__()
        stride = 1 if channels_in == channels else 2
        self.body = nn.Sequential(normalized(channels_in, channels, 3, stride), nn.ReLU(inplace=True),
                                  normalized(channels, channels, 3))
        self.shortcut = nn.Identity() if stride == 1 else normalized(channels_in, channels, 1, stride)

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x), inplace=True)


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels, reduced):
        super().__init__()
        self.factors = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, reduced, 1), nn.ReLU(inplace=True),
                                     nn.Conv2d(reduced, channels, 1), nn.Sigmoid())

    def forward(self, x):
        return x * self.factors(x)


class Inverted(nn.Module):
    """An inverted residual of a MobileNet."""

    def __init__(self, channels_in, channels, expanded, stride, is_gated):
        super().__init__()
        layers = [normalized(channels_in, expanded, 1), nn.Hardswish(inplace=True),
                  normalized(expanded, expanded, 3, stride, expanded), nn.Hardswish(inplace=True)]
        if is_gated:
            layers.append(Gate(expanded, expanded // 4))
        self.body = nn.Sequential(*layers, normalized(expanded, channels, 1))
        self.is_residual = stride == 1

    def forward(self, x):
        return x + self.body(x) if self.is_residual else self.body(x)


def resnet20():
    blocks, last = [], 16
    for width in (16, 16, 16, 32, 32, 32, 64, 64, 64):
        blocks.append(Residual(last, width))
        last = width
    return nn.Sequential(normalized(3, 16, 3), nn.ReLU(inplace=True), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(64, 10))


def mobilenet(is_gated):
    blocks, last = [], 16
    for width, expanded, stride in ((16, 48, 1), (32, 64, 2), (32, 128, 1), (32, 128, 1), (64, 128, 2), (64, 256, 1),
                                    (64, 256, 1)):
        blocks.append(Inverted(last, width, expanded, stride, is_gated))
        last = width
    return nn.Sequential(normalized(3, 16, 3), nn.Hardswish(inplace=True), *blocks, normalized(last, 256, 1),
                         nn.Hardswish(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2),
                         nn.Linear(256, 10))


def make(name):
    model = resnet20() if name == "resnet20" else mobilenet(name == "mobilenet_gated")
    for module in model.modules():
        if isinstance(module, nn.Linear) or (isinstance(module, nn.Conv2d) and module.bias is not None):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
    return model


def make_optimizer(name, model):
    kernels = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    # PyTorch's decay is a gradient, like the L2 penalty of resnet20.toml. That of mobilenet.toml is decoupled:
    # momentum makes ten times a gradient of it.
    decay = 1e-4 if name == "resnet20" else 5e-5
    return torch.optim.SGD([{"params": kernels, "weight_decay": decay}, {"params": others}], lr=0.1, momentum=0.9,
                           nesterov=name != "resnet20")


def load(folder, names):
    records = np.concatenate([np.fromfile(folder / name, np.uint8).reshape(-1, 3073) for name in names])
    return torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy()), torch.from_numpy(records[:, 0].astype(np.int64))


class Data:
    def __init__(self, folder, is_channels_last):
        images, labels = load(folder, [f"data_batch_{i}.bin" for i in range(1, 6)])
        self.format = torch.channels_last if is_channels_last else torch.contiguous_format
        self.validation = images[:VALIDATION], labels[:VALIDATION]
        self.training = images[VALIDATION:], labels[VALIDATION:]
        self.test = load(folder, ["test_batch.bin"])
        pixels = self.training[0].float()
        self.mean = pixels.mean((0, 2, 3)).reshape(1, 3, 1, 1)
        self.deviation = pixels.std((0, 2, 3)).reshape(1, 3, 1, 1)

    def scaled(self, images):
        return images.float().sub_(self.mean).div_(self.deviation).contiguous(memory_format=self.format)

    def augmented(self, images):
        count = len(images)
        padded = F.pad(images, (4, 4, 4, 4))
        rows = torch.randint(0, 9, (count, 1, 1, 1)) + torch.arange(32).reshape(1, 1, 32, 1)
        columns = torch.arange(32).reshape(1, 1, 1, 32).expand(count, 1, 1, 32)
        columns = torch.where(torch.rand(count, 1, 1, 1) < 0.5, columns, 31 - columns) + torch.randint(0, 9, (count, 1, 1, 1))
        return padded[torch.arange(count).reshape(-1, 1, 1, 1), torch.arange(3).reshape(1, 3, 1, 1), rows, columns]


class Trainer:
    def __init__(self, options):
        torch.set_num_threads(options.threads)
        torch.manual_seed(options.seed)
        self.options, self.data = options, Data(options.data, options.channels_last)
        self.model = make(options.model).to(memory_format=self.data.format)
        self.optimizer = make_optimizer(options.model, self.model)

    def logits(self, images):
        with torch.autocast("cpu", torch.bfloat16, enabled=self.options.bf16):
            return self.model(self.data.scaled(images)).float()

    def step(self, indices):
        images, labels = self.data.training
        self.optimizer.zero_grad(set_to_none=True)
        logits = self.logits(self.data.augmented(images[indices]))
        loss = F.cross_entropy(logits, labels[indices])
        loss.backward()
        self.optimizer.step()
        return loss.item(), (logits.argmax(1) == labels[indices]).sum().item()

    def bench(self, steps):
        order, speeds, block = torch.randperm(len(self.data.training[1])), [], max(1, steps // 10)
        batches = [order[i * BATCH:(i + 1) * BATCH] for i in range(len(order) // BATCH)]
        for k in range(10):
            self.step(batches[-1 - k])
        for k in range(10):
            begin = time.perf_counter()
            for i in range(block):
                self.step(batches[(k * block + i) % len(batches)])
            speeds.append(block * BATCH / (time.perf_counter() - begin))
        return {"images_per_s_median": round(statistics.median(speeds), 1), "images_per_s_best": round(max(speeds), 1)}

    @torch.no_grad()
    def evaluate(self, images, labels):
        self.model.eval()
        logits = torch.cat([self.logits(part) for part in images.split(500)])
        self.model.train()
        return F.cross_entropy(logits, labels).item(), (logits.argmax(1) == labels).float().mean().item()

    def train(self, epochs):
        count = len(self.data.training[1])
        steps = epochs * math.ceil(count / BATCH)
        schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda i: 0.5 * (1 + math.cos(math.pi * i / steps)))
        for epoch in range(1, epochs + 1):
            begin, loss_sum, correct = time.perf_counter(), 0.0, 0
            for indices in torch.randperm(count).split(BATCH):
                loss, right = self.step(indices)
                schedule.step()
                loss_sum, correct = loss_sum + loss * len(indices), correct + right
            seconds = time.perf_counter() - begin
            loss, accuracy = self.evaluate(*self.data.validation)
            yield {"epoch": epoch, "seconds": round(seconds, 1), "loss": round(loss_sum / count, 4),
                   "accuracy": round(correct / count, 4), "val_loss": round(loss, 4), "val_accuracy": round(accuracy, 4)}
        loss, accuracy = self.evaluate(*self.data.test)
        yield {"test_loss": round(loss, 4), "test_accuracy": round(accuracy, 4)}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--model", choices=("resnet20", "mobilenet", "mobilenet_gated"), required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--bench-steps", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    trainer = Trainer(options)
    about = {"model": options.model, "torch": torch.__version__, "threads": options.threads, "seed": options.seed,
             "channels_last": options.channels_last, "bf16": options.bf16}
    for line in [trainer.bench(options.bench_steps)] if options.bench_steps else trainer.train(options.epochs):
        print(json.dumps(about | line), flush=True)


if __name__ == "__main__":
    main()
