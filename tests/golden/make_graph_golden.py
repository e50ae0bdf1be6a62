#!/usr/bin/python3
"""Writes the golden steps of networks that are no chains beside itself: README.md says what they are.

usage: make_graph_golden.py [NAME ...]
"""
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F

from make_golden import BATCH_SIZE, EPSILON, make_images, summary, unit

# One ReLU of ResNet-20 on the other side of zero changes the gradient by a thousandth.
NEAREST = 5e-6
CLASSES, STEPS, RATE, MOMENTUM, MOVING = 10, 3, 0.01, 0.9, 0.99


class Network:
    """Layers as an experiment file has them, one behind the other unless `inputs` says otherwise."""

    def __init__(self):
        self.layers = []

    def add(self, type, **keys):
        number = sum(layer["type"] == type for layer in self.layers)
        name = type if number == 0 else f"{type}_{number}"
        self.layers.append({"type": type, "name": name, **keys})
        return name

    def conv(self, filters, size, stride=1, bias=True, **keys):
        return self.add("conv2d", filters=filters, kernel_size=size, strides=stride, padding="same",
                        use_bias=bias, **keys)

    def norm(self, **keys):
        return self.add("batch_normalization", **keys)

    def activation(self, word):
        return self.add("activation", activation=word)


def resnet20():
    """He et al. 2015, section 4.2, with projections where the shape changes."""
    net = Network()
    net.conv(16, 3, bias=False)
    net.norm()
    last = net.activation("relu")
    for width in (16, 32, 64):
        for block in range(3):
            stride = 2 if width > 16 and block == 0 else 1
            source, shortcut = last, last
            net.conv(width, 3, stride, bias=False, inputs=source)
            net.norm()
            net.activation("relu")
            net.conv(width, 3, bias=False)
            main = net.norm()
            if stride > 1:
                net.conv(width, 1, stride, bias=False, inputs=source)
                shortcut = net.norm()
            net.add("add", inputs=[main, shortcut])
            last = net.activation("relu")
    net.add("global_average_pooling2d")
    net.add("dense", units=CLASSES)
    return net


def inception():
    net = Network()
    stem = net.conv(20, 3, 2, activation="relu")
    for width in (7, 16):
        one = net.conv(width, 1, inputs=stem, activation="relu")
        net.conv(8, 1, inputs=stem, activation="relu")
        three = net.conv(width + 4, 3, activation="relu")
        net.add("max_pooling2d", pool_size=3, strides=1, padding="same", inputs=stem)
        pooled = net.conv(9, 1)
        stem = net.add("concatenate", inputs=[one, three, pooled])
        stem = net.norm()
    left = net.add("global_max_pooling2d")
    right = net.add("global_average_pooling2d", inputs=stem)
    net.add("concatenate", inputs=[left, right])
    net.add("dense", units=CLASSES)
    return net


def mobilenet():
    """Inverted residuals with squeeze and excitation, after MobileNetV3."""
    net = Network()
    net.conv(16, 3, 2, bias=False)
    net.norm()
    last = net.activation("hard_swish")
    for width, expanded, stride, size in ((16, 48, 1, 3), (24, 64, 2, 3), (24, 72, 1, 5)):
        source = last
        net.conv(expanded, 1, bias=False, inputs=source)
        net.norm()
        net.activation("relu6")
        net.add("depthwise_conv2d", kernel_size=size, strides=stride, padding="same", use_bias=False)
        net.norm()
        wide = net.activation("hard_swish")
        net.add("global_average_pooling2d", keepdims=True)
        net.conv(8, 1, activation="relu")
        gate = net.conv(expanded, 1, activation="sigmoid")
        net.add("multiply", inputs=[wide, gate])
        net.conv(width, 1, bias=False)
        last = net.norm()
        if stride == 1:
            last = net.add("add", inputs=[last, source])
    net.add("global_average_pooling2d")
    net.add("dense", units=CLASSES)
    return net


def odd_layers():
    """Every layer and activation that the others have not."""
    net = Network()
    net.add("rescaling", scale=2.0, offset=-1.0)
    net.add("zero_padding2d", padding=[[1, 0], [2, 1]])
    net.add("conv2d", filters=12, kernel_size=3, strides=2, activation="gelu")
    first = net.add("layer_normalization")
    net.conv(12, 3, groups=3, activation="silu")
    net.conv(12, 3, dilation_rate=2, activation="elu")
    second = net.norm(scale=False)
    net.add("add", inputs=[first, second])
    net.add("separable_conv2d", filters=10, kernel_size=3, strides=2, padding="same",
            depth_multiplier=2, activation="leaky_relu")
    net.norm(center=False)
    net.add("up_sampling2d", size=2, interpolation="bilinear")
    net.add("depthwise_conv2d", kernel_size=2, depth_multiplier=3, activation="tanh")
    net.add("average_pooling2d", pool_size=3, strides=2, padding="same")
    net.add("up_sampling2d", size=[1, 2])
    net.add("conv2d", filters=6, kernel_size=[3, 5], strides=[2, 3], trainable=False)
    net.add("flatten")
    net.add("dense", units=9, activation="silu")
    net.add("layer_normalization", center=False)
    net.add("dense", units=CLASSES)
    return net


NETWORKS = {"resnet20": (5100, resnet20), "inception": (6100, inception),
            "mobilenet": (7100, mobilenet), "odd-layers": (8100, odd_layers)}


def pair(value):
    return tuple(value) if isinstance(value, list) else (value, value)


def same_padding(size, reach, stride):
    total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def pad_same(x, layer, size, value=0.0):
    strides, dilation = pair(layer.get("strides", 1)), pair(layer.get("dilation_rate", 1))
    if layer.get("padding") != "same":
        return x
    sides = [same_padding(x.shape[2 + i], (size[i] - 1) * dilation[i] + 1, strides[i]) for i in (0, 1)]
    return F.pad(x, (*sides[1], *sides[0]), value=value)


ACTIVATIONS = {
    None: lambda x: x, "linear": lambda x: x, "relu": F.relu, "relu6": F.relu6, "gelu": F.gelu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2), "elu": F.elu, "silu": F.silu, "tanh": torch.tanh,
    "sigmoid": torch.sigmoid, "hard_swish": F.hardswish,
}


class Run:
    """Layers on tensors [n, c, h, w]; their weights are drawn as they are first met."""

    nearest = np.inf  # to zero of all that a ReLU took, in deviations of its tensor

    def __init__(self, layers, seed):
        self.layers, self.seed, self.kernels, self.weights = layers, seed, [], {}

    def kernel(self, layer, name, shape):
        key = f"{layer['name']}/{name}"
        if key not in self.weights:
            fan_in, fan_out = (int(np.prod(shape[:-1])), int(np.prod(shape[:-2])) * shape[-1])
            u = unit((self.seed << 40) + (len(self.kernels) << 32) +
                     np.arange(int(np.prod(shape)), dtype=np.uint64))
            self.kernels.append(key)
            values = ((2.0 * u - 1.0) * np.sqrt(6.0 / (fan_in + fan_out))).astype(np.float32)
            self.weights[key] = torch.from_numpy(values.reshape(shape).astype(np.float64))
        return self.weights[key]

    def vector(self, layer, name, size, value=0.0):
        return self.weights.setdefault(f"{layer['name']}/{name}",
                                       torch.full((size,), value, dtype=torch.float64))

    def bias(self, layer, x):
        if layer.get("use_bias", True):
            x = x + self.vector(layer, "bias", x.shape[1]).reshape(1, -1, *[1] * (x.dim() - 2))
        return ACTIVATIONS[layer.get("activation")](x)

    def conv2d(self, layer, x):
        size, groups = pair(layer["kernel_size"]), layer.get("groups", 1)
        kernel = self.kernel(layer, "kernel", (*size, x.shape[1] // groups, layer["filters"]))
        x = F.conv2d(pad_same(x, layer, size), kernel.permute(3, 2, 0, 1), None,
                     pair(layer.get("strides", 1)), 0, pair(layer.get("dilation_rate", 1)), groups)
        return self.bias(layer, x)

    def depthwise(self, layer, x, name):
        size, channels, many = pair(layer["kernel_size"]), x.shape[1], layer.get("depth_multiplier", 1)
        kernel = self.kernel(layer, name, (*size, channels, many))
        grouped = kernel.permute(2, 3, 0, 1).reshape(channels * many, 1, *size)
        return F.conv2d(pad_same(x, layer, size), grouped, None, pair(layer.get("strides", 1)), 0, 1,
                        channels)

    def depthwise_conv2d(self, layer, x):
        return self.bias(layer, self.depthwise(layer, x, "kernel"))

    def separable_conv2d(self, layer, x):
        x = self.depthwise(layer, x, "depthwise_kernel")
        kernel = self.kernel(layer, "pointwise_kernel", (1, 1, x.shape[1], layer["filters"]))
        return self.bias(layer, F.conv2d(x, kernel.permute(3, 2, 0, 1)))

    def dense(self, layer, x):
        return self.bias(layer, x @ self.kernel(layer, "kernel", (x.shape[1], layer["units"])))

    def affine(self, layer, x, channels):
        each = lambda t: t.reshape(1, -1, *[1] * (x.dim() - 2))
        if layer.get("scale", True):
            x = x * each(self.vector(layer, "gamma", channels, 1.0))
        if layer.get("center", True):
            x = x + each(self.vector(layer, "beta", channels))
        return x

    def batch_normalization(self, layer, x):
        axes, each = (0, *range(2, x.dim())), lambda t: t.reshape(1, -1, *[1] * (x.dim() - 2))
        mean, variance = x.mean(axes), x.var(axes, unbiased=False)
        y = self.affine(layer, (x - each(mean)) / torch.sqrt(each(variance) + EPSILON), x.shape[1])
        for name, start, moment in (("moving_mean", 0.0, mean), ("moving_variance", 1.0, variance)):
            moving = self.vector(layer, name, x.shape[1], start)
            with torch.no_grad():
                moving.mul_(MOVING).add_((1 - MOVING) * moment)
        return y

    def layer_normalization(self, layer, x):
        mean, variance = x.mean(1, keepdim=True), x.var(1, unbiased=False, keepdim=True)
        return self.affine(layer, (x - mean) / torch.sqrt(variance + EPSILON), x.shape[1])

    def max_pooling2d(self, layer, x):
        size = pair(layer.get("pool_size", 2))
        return F.max_pool2d(pad_same(x, layer, size, -np.inf), size, pair(layer.get("strides", size)))

    def average_pooling2d(self, layer, x):
        size, strides = pair(layer.get("pool_size", 2)), pair(layer.get("strides", 2))
        sums = F.avg_pool2d(pad_same(x, layer, size), size, strides)
        return sums / F.avg_pool2d(pad_same(torch.ones_like(x[:1, :1]), layer, size), size, strides)

    def apply(self, layer, inputs):
        kind, x = layer["type"], inputs[0]
        if kind == "activation":
            if layer["activation"] == "relu":
                self.nearest = min(self.nearest, (x.abs().min() / x.std()).item())
            return ACTIVATIONS[layer["activation"]](x)
        if kind == "add":
            return sum(inputs[1:], x)
        if kind == "multiply":
            return inputs[0] * inputs[1]
        if kind == "concatenate":
            return torch.cat(inputs, 1)
        if kind.startswith("global_"):
            y = x.mean((2, 3), keepdim=True) if "average" in kind else x.amax((2, 3), keepdim=True)
            return y if layer.get("keepdims") else y.flatten(1)
        if kind == "flatten":
            return x.permute(0, 2, 3, 1).flatten(1)
        if kind == "rescaling":
            return x * layer["scale"] + layer["offset"]
        if kind == "zero_padding2d":
            (top, bottom), (left, right) = layer["padding"]
            return F.pad(x, (left, right, top, bottom))
        if kind == "up_sampling2d":
            if layer.get("interpolation") == "bilinear":
                return F.interpolate(x, scale_factor=pair(layer["size"]), mode="bilinear", align_corners=False)
            return x.repeat_interleave(pair(layer["size"])[0], 2).repeat_interleave(pair(layer["size"])[1], 3)
        return getattr(self, kind)(layer, x)

    def forward(self, x):
        values, last = {"input": x}, x
        for layer in self.layers:
            names = layer.get("inputs")
            names = [names] if isinstance(names, str) else names
            last = self.apply(layer, [values[n] for n in names] if names else [last])
            values[layer["name"]] = last
        return last


def toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def drawn(layers, seed, images):
    run = Run(layers, seed)
    with torch.no_grad():
        run.forward(images)
    return run


def trace(name):
    seed, make = NETWORKS[name]
    layers = make().layers
    images, labels = make_images(STEPS * BATCH_SIZE, CLASSES)
    run = drawn(layers, seed, images[:BATCH_SIZE])
    while run.nearest < NEAREST and name == "resnet20":
        seed += 1
        run = drawn(layers, seed, images[:BATCH_SIZE])
    for key, weight in run.weights.items():
        if "moving" in key:
            weight.fill_("variance" in key)
    frozen = {layer["name"] for layer in layers if not layer.get("trainable", True)}
    trained = {n: w.requires_grad_() for n, w in run.weights.items()
               if "moving" not in n and n.split("/")[0] not in frozen}
    slots = {n: torch.zeros_like(w) for n, w in trained.items()}
    result = {"network": name, "seed": seed, "classes": CLASSES, "batch_size": BATCH_SIZE,
              "learning_rate": RATE, "momentum": MOMENTUM, "kernels": run.kernels, "losses": []}
    for step in range(STEPS):
        batch = slice(step * BATCH_SIZE, (step + 1) * BATCH_SIZE)
        loss = F.cross_entropy(run.forward(images[batch]), labels[batch])
        gradients = dict(zip(trained, torch.autograd.grad(loss, list(trained.values()))))
        with torch.no_grad():
            for n, w in trained.items():
                slots[n].mul_(MOMENTUM).sub_(RATE * gradients[n])
                w += slots[n]
        result["losses"].append(loss.item())
        if step == 0:
            result["gradients"] = {n: summary(g) for n, g in gradients.items()}
    lines = ["  { " + ", ".join(f"{k} = {toml(v)}" for k, v in layer.items()) + " }," for layer in layers]
    text = "[experiment]\nname = \"golden\"\n\n[[run]]\nname = \"%s\"\nlayers = [\n%s\n]\n" % (name, "\n".join(lines))
    return result, text


def main():
    here = pathlib.Path(__file__).parent
    for name in sys.argv[1:] or NETWORKS:
        result, text = trace(name)
        lines = ",\n".join("  %s: %s" % (json.dumps(k), json.dumps(v)) for k, v in result.items())
        (here / (name + ".json")).write_text("{\n" + lines + "\n}\n")
        (here / (name + ".toml")).write_text("# Written by make_graph_golden.py.\n" + text)
        print(name, "losses", *result["losses"])


if __name__ == "__main__":
    main()
