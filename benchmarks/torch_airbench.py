#!/usr/bin/env python3
"""The recipe of experiments/cifar10-94.toml in PyTorch: airbench94 of K. Jordan, in float32 on a CPU.

usage: torch_airbench.py --data DIR [--threads N] [--seed N] [--epochs N] [--bench-steps N]

Prints a JSON line of metrics an epoch (test accuracy of one view), and one of the six views at the end.
--epochs ends earlier, on the schedule of the whole. --bench-steps prints a JSON line with
images_per_s_median of blocks of whole steps instead. --model is taken and not read: there is one network.
Its figures, as the recipe gives them: of a loss that is summed over a batch. Needs PyTorch 1.13 or newer.
"""
import argparse
import json
import pathlib
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

from torch_graphs import load

BATCH, EPOCHS = 1024, 9.9
MOMENTUM, RATE, DECAY, BETA_RATE_FACTOR = 0.85, 11.5, 0.0153, 64
BIAS_EPOCHS, SMOOTHING = 3, 0.2


def convolution(channels_in, channels):
    layer = nn.Conv2d(channels_in, channels, 3, padding="same", bias=False)
    nn.init.dirac_(layer.weight.data[:channels_in])
    return layer


def normalization(channels):
    layer = nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
    layer.weight.requires_grad = False
    return layer


def group(channels_in, channels):
    return nn.Sequential(convolution(channels_in, channels), nn.MaxPool2d(2), normalization(channels), nn.GELU(),
                         convolution(channels, channels), normalization(channels), nn.GELU())


class Scaled(nn.Module):
    def forward(self, x):
        return x / 9


def whitening(images):
    """Eigenvectors of the covariance of patches, each over the root of its eigenvalue, and their negatives."""
    # In double: sums of 4.8 million products in float32 gave negative eigenvalues on a CPU.
    patches = images.double().unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, 12)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    kernels = (vectors / torch.sqrt(values + 5e-4)).T.flip(0).reshape(12, 3, 2, 2)
    layer = nn.Conv2d(3, 24, 2)
    layer.weight.data.copy_(torch.cat([kernels, -kernels]).float())
    layer.weight.requires_grad = False
    return layer


class Trainer:
    def __init__(self, folder, seed):
        torch.manual_seed(seed)
        images, self.labels = load(folder, [f"data_batch_{i}.bin" for i in range(1, 6)])
        test_images, self.test_labels = load(folder, ["test_batch.bin"])
        mean = images.float().mean((0, 2, 3)).reshape(1, 3, 1, 1)
        deviation = images.float().std((0, 2, 3)).reshape(1, 3, 1, 1)
        self.images, self.test_images = (images.float() - mean) / deviation, (test_images.float() - mean) / deviation
        self.mirrored = torch.rand(len(images)) < 0.5
        self.model = nn.Sequential(whitening(self.images[:5000]), nn.GELU(), group(24, 64), group(64, 256), group(256, 256),
                                   nn.MaxPool2d(3), nn.Flatten(), nn.Linear(256, 10, bias=False), Scaled())
        self.model.to(memory_format=torch.channels_last)
        self.steps_an_epoch = len(images) // BATCH
        self.steps = -int(-EPOCHS * self.steps_an_epoch // 1)
        self.step_count = 0
        self.slow = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.make_optimizer()

    def make_optimizer(self):
        scale = 1024 * (1 + 1 / (1 - MOMENTUM))
        rate, decay = RATE / scale, DECAY * BATCH / scale
        betas = [m.bias for m in self.model.modules() if isinstance(m, nn.BatchNorm2d)]
        others = [p for p in self.model.parameters() if p.requires_grad and all(p is not beta for beta in betas)]
        self.optimizer = torch.optim.SGD(
            [{"params": betas, "lr": rate * BETA_RATE_FACTOR, "weight_decay": decay / (rate * BETA_RATE_FACTOR)},
             {"params": others, "lr": rate, "weight_decay": decay / rate}], lr=rate, momentum=MOMENTUM, nesterov=True)
        peak = int(0.23 * self.steps)

        def factor(i):
            if i <= peak:
                return 0.2 + 0.8 * i / peak
            return max(0.07, 1 + (0.07 - 1) * (i - peak) / (self.steps - peak))
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, factor)

    def epoch_images(self, epoch):
        """Flipped, each the other way than in the epoch before, and with a border to crop from."""
        flipped = self.mirrored ^ (epoch % 2 == 1)
        images = torch.where(flipped.reshape(-1, 1, 1, 1), self.images.flip(3), self.images)
        return F.pad(images, (2, 2, 2, 2), mode="reflect")

    @staticmethod
    def cropped(padded):
        count = len(padded)
        rows = torch.randint(0, 5, (count, 1, 1, 1)) + torch.arange(32).reshape(1, 1, 32, 1)
        columns = torch.randint(0, 5, (count, 1, 1, 1)) + torch.arange(32).reshape(1, 1, 1, 32)
        images = padded[torch.arange(count).reshape(-1, 1, 1, 1), torch.arange(3).reshape(1, 3, 1, 1), rows, columns]
        return images.contiguous(memory_format=torch.channels_last)

    def look_ahead(self, decay):
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                if value.dtype == torch.float32:
                    value.copy_(self.slow[name].lerp_(value, 1 - decay))

    def step(self, images, labels):
        self.optimizer.zero_grad(set_to_none=True)
        logits = self.model(images)
        loss = F.cross_entropy(logits, labels, label_smoothing=SMOOTHING, reduction="sum")
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        self.step_count += 1
        if self.step_count % 5 == 0:
            self.look_ahead(0.95 ** 5 * (min(self.step_count, self.steps) / self.steps) ** 3)
        return loss.item(), (logits.argmax(1) == labels).sum().item()

    def bench(self, steps):
        padded, block, speeds = self.epoch_images(0), max(1, steps // 10), []
        for k in range(11):
            begin = time.perf_counter()
            for i in range(block):
                at = (k * block + i) % self.steps_an_epoch * BATCH
                self.step(self.cropped(padded[at:at + BATCH]), self.labels[at:at + BATCH])
            speeds.append(block * BATCH / (time.perf_counter() - begin))
        return {"images_per_s_median": round(statistics.median(speeds[1:]), 1)}

    @torch.no_grad()
    def accuracy(self, logits_of):
        self.model.eval()
        logits = torch.cat([logits_of(part.contiguous(memory_format=torch.channels_last))
                            for part in self.test_images.split(1000)])
        self.model.train()
        return round((logits.argmax(1) == self.test_labels).float().mean().item(), 4)

    def with_mirror(self, images):
        return (self.model(images) + self.model(images.flip(3))) / 2

    def six_views(self, images):
        padded = F.pad(images, (1, 1, 1, 1), mode="reflect")
        moved = self.with_mirror(padded[:, :, :32, :32]) + self.with_mirror(padded[:, :, 2:, 2:])
        return self.with_mirror(images) / 2 + moved / 4

    def train(self, epochs):
        for epoch in range(epochs):
            if epoch == BIAS_EPOCHS:
                self.model[0].bias.requires_grad = False
                self.model[0].bias.grad = None
            begin, loss, correct, count = time.perf_counter(), 0.0, 0, 0
            padded = self.epoch_images(epoch)
            for indices in torch.randperm(len(padded)).split(BATCH)[:self.steps_an_epoch]:
                if self.step_count == self.steps:
                    break
                step_loss, right = self.step(self.cropped(padded[indices]), self.labels[indices])
                loss, correct, count = loss + step_loss, correct + right, count + BATCH
            seconds = time.perf_counter() - begin
            if self.step_count == self.steps:
                self.look_ahead(1)
            yield {"epoch": epoch + 1, "seconds": round(seconds, 1), "loss": round(loss / count, 4),
                   "accuracy": round(correct / count, 4), "test_accuracy": self.accuracy(self.model)}
        yield {"test_accuracy_six_views": self.accuracy(self.six_views)}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--bench-steps", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    trainer = Trainer(options.data, options.seed)
    about = {"torch": torch.__version__, "threads": options.threads, "seed": options.seed}
    for line in [trainer.bench(options.bench_steps)] if options.bench_steps else trainer.train(options.epochs):
        print(json.dumps(about | line), flush=True)


if __name__ == "__main__":
    main()
