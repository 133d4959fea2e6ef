"""Neural networks whose weights are n-bit powers of two: run them, build them, quantise tensors.

    import nbq
    model = nbq.load("model.nbq", threads=2)
    logits = model.run(pixels)          # uint8 [n, channels, height, width] -> int64 [n, outputs]

nbq.torch, for those who have PyTorch, learns such networks and exports them.
"""
from nbq._core import (
    ActFormat,
    AddAttrs,
    AvgPoolAttrs,
    BatchNormAttrs,
    ConcatAttrs,
    Conv2dAttrs,
    Error,
    FlattenAttrs,
    GlobalAvgPoolAttrs,
    InputAttrs,
    LinearAttrs,
    MaxPoolAttrs,
    PadAttrs,
    ReluAttrs,
    SliceAttrs,
    Stage,
    Window,
    __version__,
)
from nbq._graph import Attrs, Graph, LayerInfo, ModelInfo, Node, Weights
from nbq._model import Evaluation, Model, load
from nbq._quant import (
    Quantised,
    dequantize,
    dequantize_activations,
    encode,
    fit,
    fit_activations,
    levels,
    quantize,
    quantize_activations,
    quantizers,
)

__all__ = [
    "ActFormat",
    "AddAttrs",
    "Attrs",
    "AvgPoolAttrs",
    "BatchNormAttrs",
    "ConcatAttrs",
    "Conv2dAttrs",
    "Error",
    "Evaluation",
    "FlattenAttrs",
    "GlobalAvgPoolAttrs",
    "Graph",
    "InputAttrs",
    "LayerInfo",
    "LinearAttrs",
    "MaxPoolAttrs",
    "Model",
    "ModelInfo",
    "Node",
    "PadAttrs",
    "Quantised",
    "ReluAttrs",
    "SliceAttrs",
    "Stage",
    "Weights",
    "Window",
    "__version__",
    "dequantize",
    "dequantize_activations",
    "encode",
    "fit",
    "fit_activations",
    "levels",
    "load",
    "quantize",
    "quantize_activations",
    "quantizers",
]
