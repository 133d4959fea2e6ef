"""Learning n-bit power-of-two networks in PyTorch, and exporting them as integers.

    import nbq.torch as nt
    net = nt.prepare(float_net.eval(), pixels, weight_bits=3)   # nn.Conv2d, BatchNorm2d, ReLU, ...
    schedule = nt.AlphaSchedule(steps)
    for step in range(steps):
        nt.set_alpha(net, schedule.alpha(step))
        ...                                    # the usual loss and optimizer
    nt.export(net.eval(), pixels[:4], "model.nbq")              # the same integers as net computes

The forward weight is W~ = W - alpha (W - Q(W)), and its derivative the true one, 1 - alpha
(arXiv:2004.02396). docs/learning.md tells what happens to a network on the way.
"""
try:
    import torch as _torch  # noqa: F401
except ImportError as e:
    raise ImportError("nbq.torch needs PyTorch, the package torch: pip install torch, or on Debian "
                      "apt-get install python3-torch") from e

from nbq.torch._build import from_graph
from nbq.torch._export import export, quantised_graph
from nbq.torch._layers import (
    Add,
    AvgPool2d,
    Concat,
    Flatten,
    GlobalAvgPool2d,
    Image,
    MaxPool2d,
)
from nbq.torch._po2_layers import Affine, Conv2d, Linear
from nbq.torch._prepare import prepare
from nbq.torch._schedule import AlphaSchedule, freeze_norms, set_alpha
from nbq.torch._trace import to_graph

__all__ = [
    "Add",
    "Affine",
    "AlphaSchedule",
    "AvgPool2d",
    "Concat",
    "Conv2d",
    "Flatten",
    "GlobalAvgPool2d",
    "Image",
    "Linear",
    "MaxPool2d",
    "export",
    "freeze_norms",
    "from_graph",
    "prepare",
    "quantised_graph",
    "set_alpha",
    "to_graph",
]
