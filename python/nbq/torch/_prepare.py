"""From a float module to one whose power-of-two weights learn."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import numpy as np
import torch
from torch import fx, nn

import nbq
from nbq.torch._build import from_graph
from nbq.torch._layers import Layer
from nbq.torch._po2_layers import Conv2d, Linear
from nbq.torch._trace import to_graph

_BATCH = 64
_VALUES_A_NODE = 1 << 16


def prepare(module: nn.Module, images: torch.Tensor, *, weight_bits: int = 3, act_bits: int = 8,
            quantizer: str = "least_squares", granularity: str = "channel",
            layers: Optional[Mapping[str, int]] = None, mean: Any = None, std: Any = None,
            class_names: Any = ()) -> fx.GraphModule:
    """A trained float module as one that learns n-bit powers of two, in training mode.

    The input's normalisation is folded into the first layer; layers take up the batch norms after
    them, which go on learning; scale exponents are fitted to W gamma / sigma and locked; each
    activation gets the power-of-two format of least squared error over `images`.

    module: of torch.nn's layers, see to_graph(). nbq.torch's Conv2d and Linear in it keep their own
    weight_bits. images: uint8 [n, channels, rows, columns], some hundred of those that it learnt
    from. weight_bits 1..5, act_bits 2..16. layers: weight bits by name, "*" for any characters,
    the last match wins. The result reads pixels, uint8 or floats in 0..1, see Image; alpha is 0,
    see set_alpha(). It works for one device at a time: move it with .to() afterwards.

    Raises nbq.Error naming the layer, ValueError for arguments out of range.
    """
    if images.dtype != torch.uint8 or images.dim() != 4 or len(images) == 0:
        raise ValueError(f"images: {images.dtype} of shape {tuple(images.shape)}; "
                         "uint8 [n, channels, rows, columns] is needed")
    if granularity not in ("channel", "layer"):
        raise ValueError(f"granularity {granularity!r}; there are channel and layer")
    graph = to_graph(module, tuple(images.shape[1:]), mean=mean, std=std, class_names=class_names)
    native = graph._native()
    absorbed = native.absorb_norms()
    samples = _calibrate(nbq.Graph._of(absorbed.fold_norms()), images)
    quantised = absorbed.quantise(weight_bits, act_bits, quantizer, granularity == "channel",
                                  _exceptions(module, graph, layers or {}), samples)
    return from_graph(nbq.Graph._of(quantised)).train()


def _exceptions(module: nn.Module, graph: nbq.Graph,
                layers: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """Bits by layer: those that nbq.torch's own layers came with, then the caller's."""
    names = {n.name for n in graph}
    own = [(name, m.weight_bits, 0) for name, m in module.named_modules()
           if isinstance(m, (Conv2d, Linear)) and name in names]
    return own + [(match, bits, 0) for match, bits in layers.items()]


def _calibrate(graph: nbq.Graph, images: torch.Tensor) -> list[Any]:
    """Some of the values of each node of the folded float graph."""
    net = from_graph(graph).eval()
    batches = (len(images) + _BATCH - 1) // _BATCH
    seen: dict[str, list[Any]] = {n.name: [] for n in graph}

    def note(layer: Any, _: Any, value: torch.Tensor) -> None:
        flat = value.detach().flatten()
        # An odd stride, so that it does not keep to a few channels.
        stride = max(1, len(flat) // max(1, _VALUES_A_NODE // batches)) | 1
        seen[layer.layer_name].append(flat[::stride].numpy().copy())

    for layer in net.modules():
        if isinstance(layer, Layer):
            layer.register_forward_hook(note)
    with torch.no_grad():
        for part in images.cpu().split(_BATCH):
            net(part)
    return [np.concatenate(seen[n.name]).astype(np.float32) for n in graph]
