"""Layers of quantised networks. Values between them are real numbers x_int 2^exp in float32.

In training they learn as the C++ trainer's do; in evaluation (module.eval()) they compute what the
exported network does, exactly: in float32 where the accumulators are proved to fit, else float64.
"""
from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import nbq
from nbq import _core
from nbq._arrays import numbers
from nbq._core import ActFormat
from nbq.torch._functional import requantise


class Layer(nn.Module):
    """One node of a graph. act: the output's format; None: not requantised (logits, float)."""

    act: Optional[ActFormat] = None
    layer_name: str = ""
    quantised: bool = False
    """False: the layer of a float network"""

    def attrs(self) -> Any:
        """The node's attributes."""
        raise NotImplementedError

    def wide(self, x: Tensor) -> Tensor:
        """x as sums of it need it: exact in the evaluation of a quantised network."""
        return x.double() if self.quantised and not self.training else x

    def finish(self, acc: Tensor) -> Tensor:
        """Accumulators as activations, or as what they are."""
        return requantise(acc, self.act)

    def requantised(self, act: Optional[ActFormat]) -> Any:
        """Makes this a layer of a quantised network with that output format, and returns it; None:
        logits."""
        self.act, self.quantised = act, True
        return self

    def extra_repr(self) -> str:
        return f"act={self.act}"


class Image(Layer):
    """Pixels [N, channels, height, width] as the network's input.

    uint8, or floats in 0..1, each taken as the nearest byte / 255. A quantised network reads
    (pixel - 128) / 128; a float one (pixel / 255 - mean) / std, which is the same without `mean`.
    network: its name. class_names: of its outputs. Both may be empty.
    """

    def __init__(self, channels: int, height: int, width: int, mean: Any = None, std: Any = None,
                 *, quantised: bool = True) -> None:
        super().__init__()
        self.shape = (channels, height, width)
        self.mean, self.std = numbers(mean), numbers(std)
        self.network = ""
        self.class_names: list[str] = []
        self.quantised = quantised
        self.act = ActFormat(8, True, -7) if quantised else None

    def attrs(self) -> Any:
        return nbq.InputAttrs(*self.shape, mean=self.mean, std=self.std)

    def forward(self, pixels: Tensor) -> Tensor:
        if tuple(pixels.shape[1:]) != self.shape:
            raise ValueError(f"images: their shape is {tuple(pixels.shape)}, the network reads "
                             f"[n, {', '.join(map(str, self.shape))}]")
        if pixels.dtype == torch.uint8:
            p = pixels.float()
        elif pixels.is_floating_point():
            p = torch.floor(pixels.float() * 255 + 0.5)
        else:
            raise TypeError(f"images: uint8 or float pixels are needed, not {pixels.dtype}")
        if not self.mean:
            return (p - 128) / 128
        mean, std = (torch.tensor(v, device=p.device).view(-1, 1, 1) for v in (self.mean, self.std))
        return (p / 255 - mean) / std


class Relu(Layer):
    """max(x, 0), or clipped at `limit`, too. In quantised networks the output's clamp."""

    def __init__(self, limit: float = 0.0) -> None:
        super().__init__()
        self.limit = limit

    def attrs(self) -> Any:
        return nbq.ReluAttrs(self.limit)

    def forward(self, x: Tensor) -> Tensor:
        if self.quantised:
            return self.finish(x)
        return torch.clamp(x, 0, self.limit) if self.limit > 0 else torch.relu(x)


class MaxPool2d(Layer):
    """Keeps the format."""

    def __init__(self, window: _core.Window) -> None:
        super().__init__()
        self.window = window

    def attrs(self) -> Any:
        return nbq.MaxPoolAttrs(self.window)

    def forward(self, x: Tensor) -> Tensor:
        w = self.window
        pad = [w.pad_left, w.pad_right, w.pad_top, w.pad_bottom]
        x = F.pad(x, pad, value=float("-inf")) if any(pad) else x
        return F.max_pool2d(x, (w.kernel_h, w.kernel_w), (w.stride_h, w.stride_w))


def _window_sum(x: Tensor, w: _core.Window) -> Tensor:
    x = F.pad(x, [w.pad_left, w.pad_right, w.pad_top, w.pad_bottom])
    stride = (w.stride_h, w.stride_w)
    if (w.dilation_h, w.dilation_w) == (1, 1):
        return F.avg_pool2d(x, (w.kernel_h, w.kernel_w), stride, divisor_override=1)
    ones = x.new_ones(x.shape[1], 1, w.kernel_h, w.kernel_w)
    return F.conv2d(x, ones, None, stride, 0, (w.dilation_h, w.dilation_w), x.shape[1])


class AvgPool2d(Layer):
    """The sum over the window, padding included, times its size's reciprocal in powers of two."""

    def __init__(self, window: _core.Window) -> None:
        super().__init__()
        self.window = window

    def attrs(self) -> Any:
        return nbq.AvgPoolAttrs(self.window)

    def forward(self, x: Tensor) -> Tensor:
        count = self.window.kernel_h * self.window.kernel_w
        total = _window_sum(self.wide(x), self.window)
        return self.finish(total * (_core.reciprocal(count) if self.quantised else 1 / count))


class GlobalAvgPool2d(Layer):
    """AvgPool2d over the whole map: [N, C, H, W] -> [N, C, 1, 1]."""

    def attrs(self) -> Any:
        return nbq.GlobalAvgPoolAttrs()

    def forward(self, x: Tensor) -> Tensor:
        count = x.shape[2] * x.shape[3]
        total = self.wide(x).sum((2, 3), keepdim=True)
        return self.finish(total * (_core.reciprocal(count) if self.quantised else 1 / count))


class Add(Layer):
    """a + b, requantised."""

    def attrs(self) -> Any:
        return nbq.AddAttrs()

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.finish(self.wide(a) + self.wide(b))


class Concat(Layer):
    """Along channels, each operand requantised to the output's format."""

    def attrs(self) -> Any:
        return nbq.ConcatAttrs()

    def forward(self, *x: Tensor) -> Tensor:
        return self.finish(torch.cat(x, 1))


class Flatten(Layer):
    """[N, C, H, W] -> [N, C H W]."""

    def attrs(self) -> Any:
        return nbq.FlattenAttrs()

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)
