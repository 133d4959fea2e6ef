"""Tensors as n-bit powers of two, and as integer activations (spec/numerics.md)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nbq import _core
from nbq._arrays import floats, whole_numbers
from nbq._core import ActFormat


def quantizers() -> list[str]:
    """Names that `quantizer` may have."""
    return _core.quantizers()


@dataclass(frozen=True, eq=False)
class Quantised:
    """Weights as n-bit powers of two."""

    bits: int
    """n, 1..5"""
    quantizer: str
    exps: NDArray[np.int32]
    """s of each channel (first axis): code k stands for 2^(s+k-1)"""
    codes: NDArray[np.uint8]
    """n bits each, of the weights' shape: bit n-1 the sign, the rest k"""

    @property
    def values(self) -> NDArray[np.float32]:
        """The real numbers that the codes stand for, of the weights' shape."""
        return dequantize(self.codes, self.bits, self.exps)

    @property
    def levels(self) -> NDArray[np.int32]:
        """The integers 0 or +-2^(k-1): values without their channel's 2^s."""
        return levels(self.codes, self.bits)


def fit(weights: Any, bits: int, *, quantizer: str = "least_squares",
        granularity: str = "channel") -> NDArray[np.int32]:
    """Scale exponents s, one a channel: int32 [channels].

    weights: floats [channels, ...], finite. bits: 1..5. granularity: "channel" or "layer" (all
    equal). Raises ValueError: a NaN or infinity (names its index), an unknown quantizer, bits that
    it is not defined for. Fit once and keep the exponents while weights learn.
    """
    return _core.fit(floats(weights), bits, quantizer, granularity)


def encode(weights: Any, bits: int, exps: Any, *,
           quantizer: str = "least_squares") -> NDArray[np.uint8]:
    """Codes of weights [channels, ...] at given exponents [channels], of the weights' shape."""
    return _core.encode(floats(weights), bits, whole_numbers(exps, "exps", np.int32), quantizer)


def quantize(weights: Any, bits: int, *, quantizer: str = "least_squares",
             granularity: str = "channel", exps: Any = None) -> Quantised:
    """fit(), unless `exps` is given, and encode()."""
    w = floats(weights)
    s = (fit(w, bits, quantizer=quantizer, granularity=granularity) if exps is None
         else whole_numbers(exps, "exps", np.int32))
    return Quantised(bits, quantizer, s, encode(w, bits, s, quantizer=quantizer))


def dequantize(codes: Any, bits: int, exps: Any) -> NDArray[np.float32]:
    """Real numbers +-2^(s+k-1) of codes [channels, ...] at exponents [channels].

    Raises ValueError: a code that is none of n bits, or minus zero (names its index).
    """
    return _core.decode(whole_numbers(codes, "codes", np.uint8), bits,
                        whole_numbers(exps, "exps", np.int32))


def levels(codes: Any, bits: int) -> NDArray[np.int32]:
    """The integers 0 or +-2^(k-1) of codes of any shape."""
    return _core.levels(whole_numbers(codes, "codes", np.uint8), bits)


def fit_activations(sample: Any, bits: int = 8, *, is_signed: bool = True) -> ActFormat:
    """The format of the least squared error over a sample (any shape). bits: 2..16."""
    return ActFormat(bits, is_signed, _core.best_act_exp(floats(sample), bits, is_signed))


def quantize_activations(values: Any, fmt: ActFormat) -> NDArray[np.int32]:
    """clamp(floor(x 2^-exp + 1/2), lo, hi): integers of the values' shape.

    Raises ValueError: a NaN (names its index).
    """
    x = np.asarray(values, dtype=np.float64)
    if np.isnan(x).any():
        raise ValueError(f"value {int(np.isnan(x).argmax())} is no number")
    units = np.floor(np.ldexp(x, -fmt.exp) + 0.5)
    clamped: NDArray[np.int32] = np.clip(units, fmt.lo, fmt.hi).astype(np.int32)
    return clamped


def dequantize_activations(integers: Any, fmt: ActFormat) -> NDArray[np.float32]:
    """x_int 2^exp."""
    values: NDArray[np.float32] = np.ldexp(np.asarray(integers, dtype=np.float32), fmt.exp)
    return values
