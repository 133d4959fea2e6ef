#!/usr/bin/env python3
"""Learns a float network of the digits in PyTorch and exports it to ONNX: digits_onnx.py FILE.onnx

Stands for a network of your own that was trained elsewhere; zoo/digits-float.onnx came from it.
"""
import gzip
import pathlib
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional

DIGITS = pathlib.Path(__file__).resolve().parent.parent / "data/digits.csv.gz"
TRAINING, BATCH, EPOCHS = 1000, 50, 30


def load():
    """Pixels as nbq has them, (byte - 128) / 128, [n, 1, 8, 8]; classes [n]."""
    table = np.loadtxt(gzip.open(DIGITS, "rt"), delimiter=",", dtype=np.int64)
    images = np.minimum(255, 16 * table[:, :64]).reshape(-1, 1, 8, 8)
    return torch.from_numpy((images - 128) / 128).float(), torch.from_numpy(table[:, 64])


def block(inputs, outputs, stride=1):
    return [nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def learn(net, images, labels):
    steps = EPOCHS * TRAINING // BATCH
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        part = torch.randint(0, TRAINING, (BATCH,))
        loss = functional.cross_entropy(net(images[part]), labels[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def main():
    torch.manual_seed(1)
    images, labels = load()
    net = nn.Sequential(*block(1, 16), *block(16, 32, stride=2), *block(32, 32),
                        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))
    learn(net, images, labels)
    net.eval()
    right = (net(images[TRAINING:]).argmax(1) == labels[TRAINING:]).float().mean().item()
    # Norms stay nodes of their own: learning goes on through them.
    torch.onnx.export(net, images[:1], sys.argv[1], opset_version=13, input_names=["image"],
                      output_names=["logits"], dynamic_axes={"image": {0: "n"}, "logits": {0: "n"}},
                      do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE)
    print(f"{sys.argv[1]}: {100 * right:.2f} % of {len(labels) - TRAINING} test images")


if __name__ == "__main__":
    main()
