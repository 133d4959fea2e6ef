"""The functions whose gradients are nbq's own."""
from __future__ import annotations

from typing import Any, Optional

import numpy as np
import torch
from torch import Tensor

from nbq import _core
from nbq._core import ActFormat


def quantised_values(u: Tensor, bits: int, exps: Tensor, quantizer: str) -> Tensor:
    """Q(U) at locked exponents, by the quantizers of src/quant, which run on the CPU."""
    s = exps.cpu().numpy()
    w = np.ascontiguousarray(u.detach().float().cpu().numpy())
    return torch.from_numpy(_core.decode(_core.encode(w, bits, s, quantizer), bits, s)).to(u.device)


class _LearntWeight(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor, bits: int, exps: Tensor, quantizer: str, blend: float,
                slope: float) -> Tensor:
        ctx.slope = slope
        q = quantised_values(u, bits, exps, quantizer)
        return q if blend == 1 else (1 - blend) * u + blend * q

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> Any:
        return ctx.slope * grad[0], None, None, None, None, None


class _Requantise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, acc: Tensor, exp: int, lo: int, hi: int) -> Tensor:
        t = acc * 2.0 ** -exp + 0.5
        ctx.save_for_backward((t >= lo) & (t < hi + 1))
        return (torch.floor(t).clamp(lo, hi) * 2.0 ** exp).float()

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> Any:
        return grad[0] * ctx.saved_tensors[0], None, None, None


class _RoundedBias(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, bias: Tensor, units: Tensor) -> Tensor:
        return torch.floor(bias.double() / units + 0.5) * units

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> Any:
        return grad[0].float(), None


def learnt_weight(u: Tensor, bits: int, exps: Tensor, quantizer: str, blend: float,
                  slope: float) -> Tensor:
    """(1 - blend) U + blend Q(U), exactly Q(U) at blend 1; the gradient of U is slope times that."""
    w: Tensor = _LearntWeight.apply(u, bits, exps, quantizer, blend, slope)
    return w


def requantise(acc: Tensor, fmt: Optional[ActFormat]) -> Tensor:
    """clamp(floor(acc 2^-exp + 1/2), lo, hi) 2^exp as float32; the gradient passes inside the clamp.
    Without a format `acc` itself."""
    if fmt is None:
        return acc
    y: Tensor = _Requantise.apply(acc, fmt.exp, fmt.lo, fmt.hi)
    return y


def rounded_bias(bias: Tensor, exps: Tensor) -> Tensor:
    """Each bias, float64, rounded half up to a multiple of 2^exps[c]; the gradient passes through."""
    b: Tensor = _RoundedBias.apply(bias, powers_of_two(exps, bias.device))
    return b


def powers_of_two(exps: Tensor, device: Any) -> Tensor:
    """2^exps, exactly, as float64."""
    return torch.from_numpy(np.ldexp(1.0, exps.cpu().numpy())).to(device)
