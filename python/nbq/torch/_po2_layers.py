"""Layers whose weights learn to be powers of two, and the norms that they have taken up."""
from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import nbq
from nbq._core import ActFormat, Window
from nbq._quant import fit
from nbq.torch._functional import learnt_weight, powers_of_two, rounded_bias
from nbq.torch._layers import Layer

_FLOAT_BOUND = float(1 << 23)
"""float32 holds sums below this, and requantises them, without rounding"""


def conv_window(conv: Any, name: str) -> Window:
    """Kernel, stride, padding and dilation of an nn.Conv2d.

    Raises nbq.Error: it pads with other values than zeros.
    """
    if conv.padding_mode != "zeros":
        raise nbq.Error(f"{name}: padding_mode {conv.padding_mode} is not supported; zeros is")
    # Whatever `padding` was, "same" included.
    left, right, top, bottom = conv._reversed_padding_repeated_twice
    return Window(list(conv.kernel_size), list(conv.stride), [top, left, bottom, right],
                  list(conv.dilation))


class Norm(nn.Module):
    """A batch norm that a layer has taken up; its beta is the layer's bias."""

    def __init__(self, channels: int, eps: float, momentum: float) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.running_mean: Tensor
        self.running_var: Tensor
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def gain(self) -> Tensor:
        """gamma / sigma in float64, a constant to the gradient."""
        return self.weight.detach().double() / torch.sqrt(self.running_var.double() + self.eps)

    def forward(self, z: Tensor, beta: Tensor, gain: Tensor) -> Tensor:
        """The norm of a layer's output y of which z is gain times: by the batch's statistics, which
        the running ones follow."""
        dims = [0, *range(2, z.dim())]
        shape = [1, -1] + [1] * (z.dim() - 2)
        var, mean = torch.var_mean(z, dims, unbiased=False)
        # z's variance is gain^2 times y's, beside which eps must stay what it was.
        scale = self.weight * torch.sign(gain) / torch.sqrt(var + self.eps * gain * gain)
        scale = torch.where(gain == 0, torch.zeros_like(scale), scale)
        with torch.no_grad():
            n = z.numel() // z.shape[1]
            live = gain.abs() > 1e-12  # channels of no gain say nothing
            g = torch.where(live, gain, torch.ones_like(gain))
            unbiased = var * (n / max(n - 1, 1))
            for kept, now in ((self.running_mean, mean / g), (self.running_var, unbiased / (g * g))):
                kept += self.momentum * live * (now - kept)
        return (z - mean.view(shape)) * scale.view(shape) + beta.view(shape)


class Po2Layer(Layer):
    """Weights that learn to be powers of two. Before lock() an ordinary float layer."""

    weight: nn.Parameter
    bias: Optional[nn.Parameter]
    norm: Optional[Norm]
    exps: Tensor

    def _begin(self, weight_bits: int, quantizer: str, granularity: str,
               act: Optional[ActFormat]) -> None:
        self.weight_bits, self.quantizer, self.granularity = weight_bits, quantizer, granularity
        self.act = act
        self.norm = None
        self.alpha = 0.0
        self.gradient = "reconstructed"
        self.frozen_norm = False
        self.operand: Optional[ActFormat] = None
        self.register_buffer("exps", torch.zeros(self.weight.shape[0], dtype=torch.int32))

    def lock(self, exps: Any = None, *, operand: Optional[ActFormat] = None) -> None:
        """Fits the scale exponents to the present weights, or takes `exps`, and locks them: from
        now on the forward weight is W~. operand: the format of what the layer reads, whose exponent
        sets the grid that the bias is rounded to; None: the bias stays a real number."""
        u = self._gained(self._gain()).detach().cpu().numpy()
        s = fit(u, self.weight_bits, quantizer=self.quantizer,
                granularity=self.granularity) if exps is None else exps
        self.exps = torch.as_tensor(s, dtype=torch.int32, device=self.weight.device)
        self.operand = operand
        self.quantised = True

    def take_norm(self, norm: Norm) -> None:
        """The layer's output goes through `norm`, with the layer's bias as its beta."""
        self.norm = norm

    def _gain(self) -> Optional[Tensor]:
        return None if self.norm is None else self.norm.gain()

    def _gained(self, gain: Optional[Tensor]) -> Tensor:
        if gain is None:
            return self.weight
        return self.weight * gain.float().view([-1] + [1] * (self.weight.dim() - 1))

    def learnt(self, gain: Optional[Tensor]) -> Tensor:
        """W~ of W gamma / sigma; Q of it in evaluation."""
        ste = self.gradient == "ste" or not self.training
        blend, slope = (1.0, 1.0) if ste else (self.alpha, 1 - self.alpha)
        return learnt_weight(self._gained(gain), self.weight_bits, self.exps, self.quantizer, blend,
                             slope)

    def offset(self, gain: Optional[Tensor]) -> Optional[Tensor]:
        """The bias of the folded layer, on the accumulator's grid."""
        if self.bias is None:
            return None
        b: Tensor = self.bias
        if gain is not None and self.norm is not None:
            shift = self.norm.running_mean.double() * gain
            b = b - shift if self.training else (b.double() - shift).float()
        if self.operand is None:
            return b
        return rounded_bias(b, self.exps + self.operand.exp)

    def exact_type(self, w: Tensor, b: Optional[Tensor]) -> torch.dtype:
        """float32 if it holds every accumulator for any operand, else float64."""
        if self.operand is None:
            return torch.float32
        if w.is_cuda:  # whose float32 convolutions may use TF32
            return torch.float64
        per_channel = w.double().abs().reshape(len(w), -1).sum(1) / powers_of_two(self.exps, w.device)
        bound = per_channel * max(-self.operand.lo, self.operand.hi)
        if b is not None:
            bound = bound + b.double().abs() / powers_of_two(self.exps + self.operand.exp, w.device)
        return torch.float32 if float(bound.max()) < _FLOAT_BOUND else torch.float64

    def apply_weight(self, x: Tensor, w: Tensor, b: Optional[Tensor]) -> Tensor:
        """The layer's own sum of products."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        if not self.quantised:
            return self.finish(self.apply_weight(x, self.weight, self.bias))
        gain = self._gain()
        w = self.learnt(gain)
        if self.training and self.norm is not None and not self.frozen_norm:
            assert self.bias is not None and gain is not None
            z = self.apply_weight(x, w, None)
            return self.finish(self.norm(z, self.bias, gain.float()))
        b = self.offset(gain)
        dtype = torch.float32 if self.training else self.exact_type(w, b)
        return self.finish(self.apply_weight(x.to(dtype), w.to(dtype),
                                             None if b is None else b.to(dtype)))

    def extra_repr(self) -> str:
        return f"weight_bits={self.weight_bits}, act={self.act}"


class Conv2d(Po2Layer, nn.Conv2d):
    """nn.Conv2d whose weights learn to be n-bit powers of two, by the reconstructed gradient.

    weight_bits: 1..5. quantizer: a name of nbq.quantizers(). granularity: "channel" or "layer". A
    float layer until lock(), which nbq.torch.prepare() calls. act: the output's format.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1,
                 padding: Any = 0, dilation: Any = 1, groups: int = 1, bias: bool = True, *,
                 weight_bits: int = 3, quantizer: str = "least_squares",
                 granularity: str = "channel", act: Optional[ActFormat] = None) -> None:
        nn.Conv2d.__init__(self, in_channels, out_channels, kernel_size, stride, padding, dilation,
                           groups, bias)
        self._begin(weight_bits, quantizer, granularity, act)

    def attrs(self) -> Any:
        return nbq.Conv2dAttrs(self.out_channels, conv_window(self, self.layer_name), self.groups,
                               self.bias is not None)

    def apply_weight(self, x: Tensor, w: Tensor, b: Optional[Tensor]) -> Tensor:
        p = list(self._reversed_padding_repeated_twice)
        even = p[0] == p[1] and p[2] == p[3]
        x = x if even else F.pad(x, p)
        return F.conv2d(x, w, b, self.stride, (p[2], p[0]) if even else 0, self.dilation,
                        self.groups)


class Linear(Po2Layer, nn.Linear):
    """nn.Linear, [N, features], as Conv2d is nn.Conv2d."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True, *,
                 weight_bits: int = 3, quantizer: str = "least_squares",
                 granularity: str = "channel", act: Optional[ActFormat] = None) -> None:
        nn.Linear.__init__(self, in_features, out_features, bias)
        self._begin(weight_bits, quantizer, granularity, act)

    def attrs(self) -> Any:
        return nbq.LinearAttrs(self.out_features, self.bias is not None)

    def apply_weight(self, x: Tensor, w: Tensor, b: Optional[Tensor]) -> Tensor:
        return F.linear(x, w, b)


class Affine(Po2Layer):
    """A batch norm on its own: deployed, +-2^s a channel and an offset."""

    def __init__(self, channels: int, *, act: Optional[ActFormat] = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self._begin(2, "nearest", "channel", act)

    def attrs(self) -> Any:
        return nbq.BatchNormAttrs()

    def apply_weight(self, x: Tensor, w: Tensor, b: Optional[Tensor]) -> Tensor:
        shape = [1, -1] + [1] * (x.dim() - 2)
        y = self.wide(x) * w.view(shape)
        return y if b is None else y + b.view(shape)
