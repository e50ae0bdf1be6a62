#!/usr/bin/python3
"""Writes the golden steps beside itself: README.md says what they are.

usage: make_golden.py [NAME ...]
"""
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F

BATCH_SIZE, STEPS, EPSILON, MOMENTUM = 8, 12, 1e-3, 0.99


def conv(filters, size, padding="valid", groups=1, rate=1):
    return ("conv2d", filters, size, padding, groups, rate)


def depthwise(size, padding, stride=1, multiplier=1):
    return ("depthwise", size, padding, stride, multiplier)


def vgg_block(width):
    return [conv(width, 3, "same"), ("bn",), conv(width, 3, "same"), ("bn",), ("pool",)]


def pair_block(width):
    return [conv(width, 3, "same"), ("bn",), conv(width, 3), ("pool",)]


def dense(units, activation=None):
    return ("dense", units, activation)


NETWORKS = {  # name: (first seed to try, classes, optimizer, layers)
    "conv10-64-64": (100, 10, "adam", [conv(10, 3), ("pool",), conv(64, 3), ("pool",), conv(64, 3),
                                       ("flatten",), dense(100, "relu"), dense(10)]),
    "vgg-bn": (1100, 10, "adam", vgg_block(32) + vgg_block(64) + vgg_block(128) +
               [("flatten",), dense(128, "relu"), dense(10)]),
    "three-class-bn": (2100, 3, "adam", pair_block(32) + pair_block(64) + pair_block(128) +
                       [("flatten",), dense(3)]),
    "small-alexnet": (3100, 10, "rmsprop", [conv(16, 2, "same"), ("pool",), conv(32, 2, "same"),
                                            ("pool",), conv(64, 2, "same"), ("pool",), ("flatten",),
                                            dense(500, "relu"), dense(10)]),
    "conv32-64-64": (4100, 10, "adam", [conv(32, 3), ("pool",), conv(64, 3), ("pool",), conv(64, 3),
                                        ("flatten",), dense(64, "relu"), dense(10)]),
    "depthwise": (5100, 10, "adam", [conv(8, 3), ("pool",), depthwise(3, "same", multiplier=2),
                                     depthwise(3, "same", stride=2), ("separable", 24, 3),
                                     conv(32, 3, "same", groups=4),
                                     conv(16, 3, "same", rate=2), ("zeros", 0, 1, 1, 0),
                                     depthwise(5, "valid"), ("up", 2), ("flatten",), dense(10)]),
}
KERAS = {"bn": "batch_normalization", "depthwise": "depthwise_conv2d",
         "separable": "separable_conv2d", "zeros": "zero_padding2d", "up": "up_sampling2d"}


def same_padding(size, kernel, stride, rate):
    """Zeros in front and behind."""
    total = max(0, (-(-size // stride) - 1) * stride + (kernel - 1) * rate + 1 - size)
    return total // 2, total - total // 2


def output_size(size, kernel, padding, stride=1, rate=1):
    if padding == "same":
        return -(-size // stride)
    return (size - (kernel - 1) * rate - 1) // stride + 1


def splitmix64(x):
    x = np.asarray(x, np.uint64)
    with np.errstate(over="ignore"):
        z = (x + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def unit(x):
    return (splitmix64(x) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def make_images(count, classes):
    """Inputs [count, 3, 32, 32] in float64 and labels."""
    n = np.arange(count, dtype=np.uint64)
    labels = splitmix64(2**60 + n) % np.uint64(classes)
    axes = [np.arange(k, dtype=np.uint64) for k in (3, 32, 32)]
    n, c, h, w = np.meshgrid(n, *axes, indexing="ij")
    four = np.uint64(4)
    pattern = 2**61 + 2**20 * labels[n.astype(int)] + 64 * c + 8 * (h // four) + w // four
    noise = 2**62 + 2**20 * n + 1024 * c + 32 * h + w
    pixels = (splitmix64(pattern) & np.uint64(127)) + (splitmix64(noise) & np.uint64(127))
    inputs = (pixels.astype(np.float32) / np.float32(255)).astype(np.float64)
    return torch.from_numpy(inputs), torch.from_numpy(labels.astype(np.int64))


def initial_weights(layers, seed):
    """Tensors by Keras' names and layouts."""
    weights, channels, size, kernels, counts = {}, 3, 32, 0, {}

    def kernel(name, shape, what="kernel", has_bias=True):
        nonlocal kernels
        receptive = int(np.prod(shape[:-2]))
        limit = np.sqrt(6.0 / (receptive * (shape[-2] + shape[-1])))
        u = unit((seed << 40) + (kernels << 32) + np.arange(int(np.prod(shape)), dtype=np.uint64))
        kernels += 1
        weights[name + "/" + what] = ((2.0 * u - 1.0) * limit).astype(np.float32).reshape(shape)
        if has_bias:
            outputs = shape[-2] * shape[-1] if "depthwise" in name else shape[-1]
            weights[name + "/bias"] = np.zeros(outputs, np.float32)

    for kind, *rest in layers:
        keras = KERAS.get(kind, kind)
        name = keras + ("_%d" % counts[kind] if kind in counts else "")
        counts[kind] = counts.get(kind, 0) + 1
        if kind == "conv2d":
            filters, k, padding, parts, rate = rest
            kernel(name, (k, k, channels // parts, filters))
            channels, size = filters, output_size(size, k, padding, rate=rate)
        elif kind == "depthwise":
            k, padding, stride, multiplier = rest
            kernel(name, (k, k, channels, multiplier))
            channels, size = channels * multiplier, output_size(size, k, padding, stride)
        elif kind == "separable":
            filters, k = rest
            kernel(name, (k, k, channels, 1), "depthwise_kernel", has_bias=False)
            kernel(name, (1, 1, channels, filters), "pointwise_kernel")
            channels, size = filters, output_size(size, k, "valid")
        elif kind == "zeros":
            size += rest[0] + rest[1]  # as many at the sides
        elif kind == "up":
            size *= 2
        elif kind == "pool":
            size //= 2
        elif kind == "flatten":
            channels *= size * size
        elif kind == "dense":
            kernel(name, (channels, rest[0]))
            channels = rest[0]
        elif kind == "bn":
            for what in ("gamma", "beta", "moving_mean", "moving_variance"):
                is_one = what in ("gamma", "moving_variance")
                weights[name + "/" + what] = np.full(channels, float(is_one), np.float32)
    return {name: torch.from_numpy(w.astype(np.float64)) for name, w in weights.items()}


def groups(weights):
    """The tensors of each layer that has some, in order."""
    layers = {}
    for name, tensor in weights.items():
        layers.setdefault(name.split("/")[0], []).append(tensor)
    return iter(layers.values())


def padded(x, kernel, padding, stride=1, rate=1):
    if padding == "valid":
        return x
    before, after = same_padding(x.shape[2], kernel, stride, rate)  # images are square
    return F.pad(x, (before, after, before, after))


def by_channel(kernel):
    """Keras' [kh, kw, channels, multiplier] as PyTorch's [channels * multiplier, 1, kh, kw]."""
    return kernel.permute(2, 3, 0, 1).reshape(-1, 1, *kernel.shape[:2])


def forward(layers, weights, x, see=lambda kind, tensor: None):
    """Logits, in training mode; the moving statistics are updated."""
    tensors = groups(weights)

    def relu(x):
        see("relu", x)
        return F.relu(x)

    for kind, *rest in layers:
        if kind == "conv2d":
            kernel, bias = next(tensors)
            _, k, padding, parts, rate = rest
            x = relu(F.conv2d(padded(x, k, padding, rate=rate), kernel.permute(3, 2, 0, 1), bias,
                              dilation=rate, groups=parts))
        elif kind == "depthwise":
            kernel, bias = next(tensors)
            k, padding, stride, _ = rest
            x = relu(F.conv2d(padded(x, k, padding, stride), by_channel(kernel), bias, stride,
                              groups=x.shape[1]))
        elif kind == "separable":
            kernel, pointwise, bias = next(tensors)
            x = F.conv2d(x, by_channel(kernel), groups=x.shape[1])
            x = relu(F.conv2d(x, pointwise.permute(3, 2, 0, 1), bias))
        elif kind == "zeros":
            top, bottom, left, right = rest
            x = F.pad(x, (left, right, top, bottom))
        elif kind == "up":
            x = F.interpolate(x, scale_factor=rest[0], mode="bilinear", align_corners=False)
        elif kind == "bn":
            gamma, beta, moving_mean, moving_variance = next(tensors)
            mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
            with torch.no_grad():
                moving_mean.mul_(MOMENTUM).add_((1 - MOMENTUM) * mean)
                moving_variance.mul_(MOMENTUM).add_((1 - MOMENTUM) * variance)
            each = lambda t: t[None, :, None, None]
            x = each(gamma) * (x - each(mean)) / torch.sqrt(each(variance) + EPSILON) + each(beta)
        elif kind == "pool":
            see("pool", x)
            x = F.max_pool2d(x, 2)
        elif kind == "flatten":
            x = x.permute(0, 2, 3, 1).flatten(1)
        elif kind == "dense":
            kernel, bias = next(tensors)
            x = x @ kernel + bias
            if rest[1] == "relu":
                x = relu(x)
    return x


def is_decided(layers, weights, images):
    """Whether rounding can flip no ReLU and no maximum."""
    decided = True

    def see(kind, x):
        nonlocal decided
        if kind == "pool":
            windows = F.unfold(x.flatten(0, 1)[:, None], 2, stride=2).transpose(1, 2)
            top = windows.topk(2).values
            gaps = top[..., 0] - top[..., 1]
            gaps = gaps[gaps > 1e-12]  # equal values are equal in every program
        else:
            gaps = x.abs()
            gaps = gaps[gaps > 0]  # of zeros alone it is zero in every program
        decided = decided and gaps.min().item() > 3e-6 * x.std().item()

    with torch.no_grad():
        forward(layers, {n: w.clone() for n, w in weights.items()}, images, see)
    return decided


def update(optimizer, weight, gradient, slots, t):
    """One update by Keras' formulas."""
    if optimizer == "adam":
        rate, b1, b2, epsilon = 1e-3, 0.9, 0.999, 1e-7
        m = slots.setdefault("m", torch.zeros_like(weight))
        v = slots.setdefault("v", torch.zeros_like(weight))
        m += (gradient - m) * (1 - b1)
        v += (gradient * gradient - v) * (1 - b2)
        alpha = rate * np.sqrt(1 - b2**t) / (1 - b1**t)
        weight -= alpha * m / (torch.sqrt(v) + epsilon)
    else:
        rate, rho, epsilon = 1e-3, 0.9, 1e-7
        v = slots.setdefault("v", torch.zeros_like(weight))
        v.copy_(rho * v + (1 - rho) * gradient * gradient)
        weight -= rate * gradient / torch.sqrt(v + epsilon)


def summary(tensor):
    flat = tensor.detach().contiguous().numpy().reshape(-1)
    weights = 2.0 * unit(2**59 + np.arange(flat.size, dtype=np.uint64)) - 1.0
    return [float(np.linalg.norm(flat)), float(flat @ weights)]


def trace(name):
    seed, classes, optimizer, layers = NETWORKS[name]
    images, labels = make_images(STEPS * BATCH_SIZE, classes)
    while not is_decided(layers, initial_weights(layers, seed), images[:BATCH_SIZE]):
        seed += 1
    weights = initial_weights(layers, seed)
    trained = {n: w.requires_grad_() for n, w in weights.items() if "moving" not in n}
    slots = {n: {} for n in trained}
    result = {"network": name, "seed": seed, "classes": classes, "batch_size": BATCH_SIZE,
              "losses": [], "accuracies": []}
    for step in range(STEPS):
        batch = slice(step * BATCH_SIZE, (step + 1) * BATCH_SIZE)
        logits = forward(layers, weights, images[batch])
        loss = F.cross_entropy(logits, labels[batch])
        gradients = dict(zip(trained, torch.autograd.grad(loss, list(trained.values()))))
        with torch.no_grad():
            for n, w in trained.items():
                update(optimizer, w, gradients[n], slots[n], step + 1)
        result["losses"].append(loss.item())
        result["accuracies"].append((logits.argmax(1) == labels[batch]).double().mean().item())
        if step == 0:
            result["gradients"] = {n: summary(g) for n, g in gradients.items()}
            result["weights_after"] = {n: summary(w) for n, w in weights.items()}
    return result


def main():
    here = pathlib.Path(__file__).parent
    for name in sys.argv[1:] or NETWORKS:
        result = trace(name)
        lines = ",\n".join("  %s: %s" % (json.dumps(k), json.dumps(v)) for k, v in result.items())
        (here / (name + ".json")).write_text("{\n" + lines + "\n}\n")
        print(name, "seed", result["seed"], "losses", *result["losses"])


if __name__ == "__main__":
    main()
