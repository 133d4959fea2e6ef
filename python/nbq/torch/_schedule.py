"""How alpha goes, and the switches of a network that learns."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from torch import nn

from nbq.torch._po2_layers import Po2Layer


@dataclass(frozen=True)
class AlphaSchedule:
    """1 - alpha goes from its first value to its last, then alpha is 1 (docs/learning.md).

    steps: of the whole training. kind: "geometric", "linear" or "constant". final_steps: the last ones, at alpha = 1. ramp_steps: in which
    1 - alpha gets to its last value; None: all that are not final.
    """

    steps: int
    kind: str = "geometric"
    one_minus_alpha: tuple[float, float] = (0.5, 0.01)
    ramp_steps: Optional[int] = None
    final_steps: int = 0

    def __post_init__(self) -> None:
        first, last = self.one_minus_alpha
        if self.kind not in ("geometric", "linear", "constant"):
            raise ValueError(f"kind {self.kind!r}; there are geometric, linear, constant")
        if not (0 < last <= 1 and 0 < first <= 1):
            raise ValueError(f"one_minus_alpha: {self.one_minus_alpha}; both must be in (0, 1]")
        if self.steps < 1 or not 0 <= self.final_steps <= self.steps or (self.ramp_steps or 1) < 1:
            raise ValueError(f"{self.steps} steps, {self.final_steps} of them final, ramp_steps "
                             f"{self.ramp_steps}")

    def alpha(self, step: int) -> float:
        """Of step 0, 1, ...; 1 from the final steps on."""
        learning = self.steps - self.final_steps
        if step >= learning:
            return 1.0
        ramp = min(learning, self.ramp_steps or learning)
        t = min(1.0, step / (ramp - 1)) if ramp > 1 else 1.0
        first, last = self.one_minus_alpha
        if self.kind == "geometric":
            return 1 - first * (last / first) ** t
        return 1 - first if self.kind == "constant" else 1 - (first + (last - first) * t)


def set_alpha(module: nn.Module, alpha: float, *, gradient: str = "reconstructed") -> None:
    """Of every layer in `module`. gradient: "ste" is the straight-through estimate, forward Q(W)
    whatever alpha. At alpha = 1 the reconstructed gradient of the weights is 0."""
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}; it must be in 0..1")
    if gradient not in ("reconstructed", "ste"):
        raise ValueError(f"gradient {gradient!r}; there are reconstructed and ste")
    for layer in module.modules():
        if isinstance(layer, Po2Layer):
            layer.alpha, layer.gradient = alpha, gradient


def freeze_norms(module: nn.Module, frozen: bool = True) -> None:
    """Norms that layers have taken up use their running statistics, in training, too: what learns
    then is the deployed network, rounded biases included."""
    for layer in module.modules():
        if isinstance(layer, Po2Layer):
            layer.frozen_norm = frozen
