#!/usr/bin/env python3
"""Executes a network's QONNX export in the qonnx package and counts where its logits differ from nbq's integers.

    nbq export MODEL --to c -o net.c && nbq export MODEL --to qonnx -o net.onnx
    pip install qonnx==1.0.0 onnxruntime          # in an environment of its own
    bench/qonnx_check.py net.c net.onnx [--images N] [--seed S]

nbq's integers are those of the exported C, compiled here with cc; its tests compare that with the reference.
Images are random bytes, from uniform to smooth. Exit code 1: a logit differs.
"""
import argparse
import ctypes
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes


class CNetwork:
    """An exported C network as a function from images to integer logits."""

    def __init__(self, source, folder):
        header = source.with_suffix(".h").read_text()
        self.name = re.search(r"void (\w+)_run\(", header).group(1)
        size = lambda what: int(re.search(rf"_{what} \(?(-?\d+)", header).group(1))
        self.shape = (size("CHANNELS"), size("HEIGHT"), size("WIDTH"))
        self.outputs = size("OUTPUTS")
        self.unit = 2.0 ** size("LOGIT_EXP")
        self.type = np.int64 if "typedef int64_t" in header else np.int32
        library = pathlib.Path(folder) / "net.so"
        subprocess.run(["cc", "-std=c99", "-O2", "-shared", "-fPIC", source, "-o", library], check=True)
        self.run_function = getattr(ctypes.CDLL(str(library)), self.name + "_run")

    def __call__(self, image):
        logits = np.zeros(self.outputs, self.type)
        pixels = np.ascontiguousarray(image, np.uint8)
        self.run_function(pixels.ctypes.data_as(ctypes.c_void_p), logits.ctypes.data_as(ctypes.c_void_p))
        return logits


def make_images(shape, count, seed):
    """Noise added to a colour that changes from image to image, ever stronger."""
    random = np.random.default_rng(seed)
    for i in range(count):
        noise = random.normal(0, 1 + 127 * i / count, shape)
        yield np.clip(random.integers(0, 256, (shape[0], 1, 1)) + noise, 0, 255).astype(np.uint8)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("source", type=pathlib.Path, help="net.c of nbq export --to c")
    options.add_argument("model", help="net.onnx of nbq export --to qonnx")
    options.add_argument("--images", type=int, default=20)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    model = ModelWrapper(given.model)
    takes_pixels = model.graph.input[0].type.tensor_type.elem_type == 2
    for tensor in (model.graph.input[0], model.graph.output[0]):  # qonnx wants every size
        tensor.type.tensor_type.shape.dim[0].dim_value = 1
    model = model.transform(InferShapes())
    differing = largest = 0
    with tempfile.TemporaryDirectory() as folder:
        network = CNetwork(given.source, folder)
        for image in make_images(network.shape, given.images, given.seed):
            batch = image[None] if takes_pixels else ((image[None].astype(np.float32) - 128) / 128)
            got = execute_onnx(model, {"image": batch})["logits"][0] / network.unit
            away = np.abs(got - network(image))
            differing += int(np.count_nonzero(away))
            largest = max(largest, float(away.max()))
    print(f"{given.images} images, {given.images * network.outputs} logits: {differing} differ, by at most {largest:g} units")
    return 1 if differing else 0


sys.exit(main())
