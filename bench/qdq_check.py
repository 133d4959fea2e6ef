#!/usr/bin/env python3
"""Where a QDQ export's numbers differ from the integers: MODEL.nbq, its export, and a folder of class folders of images.

    nbq export MODEL.nbq --to onnx-qdq -o net.onnx
    bench/qdq_check.py MODEL.nbq net.onnx DIR        # needs nbq's Python package, onnxruntime, pillow

Prints images, classes that agree, accuracies, and by how many units logits differ.
"""
import pathlib
import sys

import nbq
import numpy as np
import onnxruntime
from PIL import Image


def read_images(folder):
    """uint8 [images, channels, height, width] and the number of each one's class."""
    classes = sorted(p for p in pathlib.Path(folder).iterdir() if p.is_dir())
    images, labels = [], []
    for label, directory in enumerate(classes):
        for file in sorted(directory.iterdir()):
            images.append(np.asarray(Image.open(file).convert("RGB")).transpose(2, 0, 1))
            labels.append(label)
    return np.ascontiguousarray(np.stack(images), dtype=np.uint8), np.array(labels)


def batches(images, run, size=100):
    return np.concatenate([run(images[i:i + size]).reshape(len(images[i:i + size]), -1)
                           for i in range(0, len(images), size)])


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    images, labels = read_images(sys.argv[3])
    integers = batches(images, nbq.load(sys.argv[1]).run)
    session = onnxruntime.InferenceSession(sys.argv[2])
    name = session.get_inputs()[0].name
    floats = batches(images, lambda x: session.run(None, {name: x})[0])
    # A unit of the logits is a power of two.
    unit = 2.0 ** np.rint(np.log2(np.median(np.abs(floats[integers != 0] / integers[integers != 0]))))
    apart = np.abs(np.rint(floats / unit) - integers)
    same = (floats.argmax(1) == integers.argmax(1)).sum()
    print(f"{len(images)} images, {same} of the same class; accuracy {100 * (integers.argmax(1) == labels).mean():.2f} % "
          f"in integers, {100 * (floats.argmax(1) == labels).mean():.2f} % in ONNX Runtime")
    print(f"{100 * (apart == 0).mean():.1f} % of the logits equal; units apart: median {np.median(apart):g}, "
          f"largest {apart.max():g}, of logits up to {np.abs(integers).max()}")


if __name__ == "__main__":
    main()
