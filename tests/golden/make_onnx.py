#!/usr/bin/env python3
"""Writes small ONNX models over the operators that nbq imports, and what onnxruntime makes of them.

    pip install onnx onnxruntime numpy && tests/golden/make_onnx.py

Output: tests/golden/onnx/<name>.onnx and expected.json. Pixel i of an image batch is (37 i + 11) mod 256.
"""
import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

OUT = pathlib.Path(__file__).resolve().parent / "onnx"
IMAGES = 3
MEAN, STD = [0.4, 0.5, 0.6], [0.25, 0.2, 0.3]


class Model:
    def __init__(self, name, opset, layout, classes):
        self.name, self.opset, self.layout, self.classes = name, opset, layout, classes
        self.nodes, self.initializers = [], []
        self.random = np.random.default_rng(opset)

    def weights(self, name, *dims, low=None):
        values = self.random.normal(0, 0.4, dims) if low is None else self.random.uniform(low, low + 1, dims)
        self.initializers.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def floats(self, name, value):
        self.initializers.append(numpy_helper.from_array(np.array(value, np.float32), name))
        return name

    def ints(self, name, values):
        self.initializers.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def add(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=f"{op}_{output}", **attributes))
        return output

    def norm(self, x, out, channels):
        names = [self.weights(f"{out}_{k}", channels, low=0.2) for k in "sbmv"]
        return self.add("BatchNormalization", [x, *names], out, epsilon=1e-3)

    def save(self):
        graph = helper.make_graph(
            self.nodes, self.name,
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", *self.layout])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", self.classes])],
            self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, OUT / f"{self.name}.onnx")
        return model


def lopsided():
    """PyTorch's exports at opset 13: odd windows, groups, shortcuts by Slice and Pad."""
    m = Model("lopsided", 13, [3, 13, 11], 5)
    x = m.add("Conv", ["image", m.weights("w1", 6, 3, 3, 2), m.weights("b1", 6)], "c1",
              pads=[1, 0, 2, 1], dilations=[2, 1])
    x = m.add("Clip", [x, m.floats("lo", 0.0), m.floats("hi", 1.5)], "r1")
    y = m.add("Conv", [x, m.weights("w2", 9, 2, 3, 3)], "c2", group=3, strides=[2, 2], pads=[1, 1, 1, 1])
    s = m.add("Slice", [x, m.ints("s0", [0, 0]), m.ints("s1", [2**62, 2**62]), m.ints("sa", [2, 3]),
                        m.ints("st", [2, 2])], "s")
    s = m.add("Pad", [s, m.ints("pads", [0, 1, 0, 0, 0, 2, 0, 0])], "p")
    x = m.add("Add", [s, y], "a")
    x = m.add("Relu", [x], "r2")
    x = m.add("MaxPool", [x], "m", kernel_shape=[3, 2], strides=[2, 2], ceil_mode=1)
    y = m.add("AveragePool", [x], "v", kernel_shape=[2, 2], pads=[1, 0, 0, 1], count_include_pad=1)
    x = m.add("Concat", [x, y], "k", axis=1)
    x = m.add("ReduceMean", [x], "g", axes=[2, 3], keepdims=0)
    m.add("Gemm", [x, m.weights("w3", 5, 18), m.weights("b3", 5)], "logits", transB=1, alpha=0.5, beta=2.0)
    return m


def channels_last():
    """Keras' as tf2onnx writes them: NHWC outside, NCHW inside, SAME padding, MatMul and Add."""
    m = Model("channels_last", 15, [8, 10, 3], 4)
    x = m.add("Transpose", ["image"], "t1", perm=[0, 3, 1, 2])
    x = m.add("Conv", [x, m.weights("w1", 4, 3, 3, 3)], "c1", auto_pad="SAME_UPPER", strides=[2, 2])
    x = m.norm(x, "n1", 4)
    x = m.add("Relu", [x], "r1")
    x = m.add("Conv", [x, m.weights("w2", 4, 1, 3, 2)], "c2", auto_pad="SAME_LOWER", group=4)
    x = m.add("Mul", [x, m.weights("scale", 4, 1, 1)], "s")
    x = m.add("Relu", [x], "r2")
    x = m.add("Transpose", [x], "t2", perm=[0, 2, 3, 1])
    x = m.add("Reshape", [x, m.ints("flat", [-1, 80])], "f")
    x = m.add("MatMul", [x, m.weights("w3", 80, 6)], "d1")
    x = m.add("Add", [x, m.weights("b3", 6)], "a1")
    x = m.add("Relu", [x], "r3")
    x = m.add("MatMul", [x, m.weights("w4", 6, 4)], "d2")
    m.add("Add", [x, m.weights("b4", 4)], "logits")
    return m


def old():
    """Opset 9, where lists and limits were attributes."""
    m = Model("old", 9, [3, 9, 9], 4)
    x = m.add("Pad", ["image"], "p1", mode="constant", pads=[0, 0, 1, 2, 0, 0, 1, 0])
    x = m.add("Conv", [x, m.weights("w1", 5, 3, 3, 3)], "c1")
    x = m.norm(x, "n1", 5)
    x = m.add("Clip", [x], "r1", min=0.0, max=6.0)
    x = m.add("Pad", [x], "p2", mode="constant", pads=[0, 0, 1, 1, 0, 0, 1, 1])
    x = m.add("MaxPool", [x], "m", kernel_shape=[3, 3], strides=[2, 2])
    x = m.add("Slice", [x], "s", starts=[1, -3], ends=[9, 9], axes=[1, 2])
    x = m.add("Flatten", [x], "f", axis=1)
    x = m.add("Dropout", [x], "d", ratio=0.5)
    m.add("Gemm", [x, m.weights("w2", 60, 4), m.weights("b2", 4)], "logits")
    return m


def new():
    """Opset 21, where axes are inputs."""
    m = Model("new", 21, [3, 8, 8], 4)
    x = m.add("Sub", ["image", m.weights("shift", 3, 1, 1)], "z")
    x = m.add("Conv", [x, m.weights("w1", 4, 3, 3, 3)], "c1")
    x = m.add("Relu", [x], "r1")
    x = m.add("Pad", [x, m.ints("pads", [1, 0, 2, 1]), "", m.ints("pa", [-1, 1])], "p")
    x = m.add("ReduceMean", [x, m.ints("axes", [3])], "g1", keepdims=0)
    x = m.add("ReduceMean", [x, m.ints("axes2", [2])], "g2", keepdims=1)
    x = m.add("Squeeze", [x, m.ints("q", [2])], "s")
    m.add("Gemm", [x, m.weights("w2", 5, 4)], "logits")
    return m


def main():
    OUT.mkdir(exist_ok=True)
    expected = {}
    for m in (lopsided(), channels_last(), old(), new()):
        model = m.save()
        last = m.layout[-1] == 3
        c, h, w = (m.layout[2], *m.layout[:2]) if last else m.layout
        pixels = ((37 * np.arange(IMAGES * c * h * w) + 11) % 256).reshape(IMAGES, c, h, w)
        channels = (1, 3, 1, 1)
        mean, std = (np.array(v, np.float32).reshape(channels) for v in (MEAN, STD))
        x = (pixels.astype(np.float32) / np.float32(255) - mean) / std
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        logits = session.run(None, {"image": x.transpose(0, 2, 3, 1) if last else x})[0]
        expected[m.name] = [round(float(v), 6) for v in logits.ravel()]
    text = json.dumps({"images": IMAGES, "mean": MEAN, "std": STD, "logits": expected}, indent=1)
    (OUT / "expected.json").write_text(text + "\n")


main()
