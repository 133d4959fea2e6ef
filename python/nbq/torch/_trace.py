"""A PyTorch module as a float graph, by torch.fx."""
from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Optional, Union

import numpy as np
import torch
from numpy.typing import NDArray
from torch import fx, nn
from torch.nn import functional as F

import nbq
from nbq._arrays import numbers
from nbq._core import Stage
from nbq.torch._po2_layers import Conv2d, Linear, conv_window


class _Tracer(fx.Tracer):
    """Layers of torch.nn and nbq.torch stay whole."""

    def is_leaf_module(self, m: nn.Module, name: str) -> bool:
        return super().is_leaf_module(m, name) or type(m).__module__.startswith("nbq.torch")


def trace(module: nn.Module) -> fx.GraphModule:
    """Raises nbq.Error: the module's forward() depends on values, which torch.fx can't follow."""
    if isinstance(module, fx.GraphModule):
        return module
    try:
        return fx.GraphModule(module, _Tracer().trace(module))
    except (fx.proxy.TraceError, TypeError) as e:
        raise nbq.Error(f"{type(module).__name__}: torch.fx can't trace it: {e}") from e


def pair(v: Any) -> list[int]:
    """One number for both axes, or (rows, columns)."""
    return [int(v), int(v)] if isinstance(v, int) else [int(i) for i in v]


def array(t: torch.Tensor) -> NDArray[np.float32]:
    """A copy on the CPU."""
    return t.detach().float().cpu().numpy().copy()


def operands(n: fx.Node) -> list[Any]:
    """What a layer is called with, by position or by name."""
    return [*n.args, *n.kwargs.values()]


class _Builder:
    """Appends a graph node for each node of a trace."""

    def __init__(self, traced: fx.GraphModule, image: tuple[int, int, int], mean: Any, std: Any):
        self.traced = traced
        self.graph = nbq.Graph(type(traced).__name__, Stage.FLOAT)
        self.attrs = nbq.InputAttrs(*image, mean=numbers(mean), std=numbers(std))
        self.ids: dict[fx.Node, int] = {}
        self.used: set[str] = set()

    def operand(self, n: Any) -> int:
        if not isinstance(n, fx.Node) or n not in self.ids:
            raise nbq.Error(f"{n}: a value that is no layer's output can't be part of a network")
        return self.ids[n]

    def add(self, name: str, attrs: Any, inputs: list[int],
            state: Optional[dict[str, NDArray[np.float32]]] = None) -> int:
        taken = {n.name for n in self.graph}
        unique, i = name, 1
        while unique in taken:
            unique, i = f"{name}_{i}", i + 1
        return self.graph.add(unique, attrs, inputs, state=state)

    def module(self, n: fx.Node) -> int:
        name = str(n.target)
        m = self.traced.get_submodule(name)
        row = next((f for kind, f in _MODULES.items() if isinstance(m, kind)), None)
        if row is None:
            raise nbq.Error(f"{name}: {type(m).__name__} is no layer that nbq has")
        if next(m.parameters(), None) is not None:
            if name in self.used:
                raise nbq.Error(f"{name}: it is used twice; nbq's layers don't share weights")
            self.used.add(name)
        return row(self, name, m, [self.operand(a) for a in operands(n)])

    def function(self, n: fx.Node) -> Optional[int]:
        found = _FUNCTIONS.get(n.target) if n.op == "call_function" else _METHODS.get(str(n.target))
        if found is None:
            raise nbq.Error(f"{n.name}: {getattr(n.target, '__name__', n.target)} is no layer that "
                            "nbq has")
        row, names = found
        if len(n.args) > len(names):
            raise nbq.Error(f"{n.name}: {len(n.args)} arguments are not supported")
        return row(self, n.name, {**dict(zip(names, n.args)), **n.kwargs})

    def run(self) -> nbq.Graph:
        for n in self.traced.graph.nodes:
            if n.op == "placeholder":
                if self.ids:
                    raise nbq.Error(f"{n.name}: a network reads one image, this is a second input")
                self.ids[n] = self.add(n.name, self.attrs, [])
            elif n.op == "output":
                self._check_output(self.operand(n.args[0]))
            elif n.op == "call_module":
                self.ids[n] = self.module(n)
            elif n.op in ("call_function", "call_method"):
                made = self.function(n)
                if made is not None:
                    self.ids[n] = made
            else:
                raise nbq.Error(f"{n.target}: a parameter outside a layer")
        return self.graph

    def _check_output(self, out: int) -> None:
        if out != len(self.graph) - 1:
            raise nbq.Error(f"{self.graph.nodes[-1].name}: its result is not used")


def _window(name: str, m: Any) -> nbq.Window:
    """Of a pooling layer, or of a call's arguments as one."""
    for option, plain in (("ceil_mode", False), ("return_indices", False),
                          ("divisor_override", None), ("dilation", 1)):
        if getattr(m, option, plain) not in (plain, (plain, plain)):
            raise nbq.Error(f"{name}: {option}={getattr(m, option)} is not supported")
    if not getattr(m, "count_include_pad", True) and any(pair(m.padding)):
        raise nbq.Error(f"{name}: count_include_pad=False with padding is not supported")
    stride = m.stride if m.stride is not None else m.kernel_size
    return nbq.Window(pair(m.kernel_size), pair(stride), pair(m.padding))


def _conv(b: _Builder, name: str, m: Any, inputs: list[int]) -> int:
    attrs = nbq.Conv2dAttrs(m.out_channels, conv_window(m, name), m.groups, m.bias is not None)
    return b.add(name, attrs, inputs, _matrix_state(name, m))


def _linear(b: _Builder, name: str, m: Any, inputs: list[int]) -> int:
    return b.add(name, nbq.LinearAttrs(m.out_features, m.bias is not None), inputs,
                 _matrix_state(name, m))


def _matrix_state(name: str, m: Any) -> dict[str, NDArray[np.float32]]:
    if isinstance(m, (Conv2d, Linear)) and m.quantised:
        raise nbq.Error(f"{name}: it is quantised already; nbq.torch.export() takes such networks")
    state = {"weight": array(m.weight)}
    if m.bias is not None:
        state["bias"] = array(m.bias)
    return state


def _batch_norm(b: _Builder, name: str, m: Any, inputs: list[int]) -> int:
    if m.running_mean is None:
        raise nbq.Error(f"{name}: a batch norm without running statistics is not supported")
    ones = torch.ones_like(m.running_mean)
    state = {"weight": array(ones if m.weight is None else m.weight),
             "bias": array(ones * 0 if m.bias is None else m.bias),
             "running_mean": array(m.running_mean), "running_var": array(m.running_var)}
    momentum = 0.1 if m.momentum is None else m.momentum
    return b.add(name, nbq.BatchNormAttrs(m.eps, momentum), inputs, state)


def _global_pool(b: _Builder, name: str, m: Any, inputs: list[int]) -> int:
    if pair(m.output_size) != [1, 1]:
        raise nbq.Error(f"{name}: output_size {m.output_size} is not supported; 1 is")
    return b.add(name, nbq.GlobalAvgPoolAttrs(), inputs)


def _flatten_module(b: _Builder, name: str, m: Any, inputs: list[int]) -> int:
    if m.start_dim != 1 or m.end_dim != -1:
        raise nbq.Error(f"{name}: only flattening from the first axis after the batch to the last")
    return b.add(name, nbq.FlattenAttrs(), inputs)


_MODULES: dict[type[nn.Module], Callable[[_Builder, str, Any, list[int]], int]] = {
    nn.Conv2d: _conv,
    nn.Linear: _linear,
    nn.BatchNorm2d: _batch_norm,
    nn.BatchNorm1d: _batch_norm,
    nn.ReLU6: lambda b, name, m, i: b.add(name, nbq.ReluAttrs(6), i),
    nn.ReLU: lambda b, name, m, i: b.add(name, nbq.ReluAttrs(), i),
    nn.MaxPool2d: lambda b, name, m, i: b.add(name, nbq.MaxPoolAttrs(_window(name, m)), i),
    nn.AvgPool2d: lambda b, name, m, i: b.add(name, nbq.AvgPoolAttrs(_window(name, m)), i),
    nn.AdaptiveAvgPool2d: _global_pool,
    nn.Flatten: _flatten_module,
    nn.Identity: lambda b, name, m, i: i[0],
    nn.Dropout: lambda b, name, m, i: i[0],
    nn.Dropout2d: lambda b, name, m, i: i[0],
}


_Arguments = dict[str, Any]
"""Of a call, by name, however they were given."""


def _pool_call(make: type[nn.Module], attrs: Any) -> Callable[[_Builder, str, _Arguments], int]:
    """F.max_pool2d(x, ...) as nn.MaxPool2d(...)."""
    def row(b: _Builder, name: str, a: _Arguments) -> int:
        window = _window(name, make(**{k: v for k, v in a.items() if k != "input"}))
        return b.add(name, attrs(window), [b.operand(a["input"])])
    return row


def _add(b: _Builder, name: str, a: _Arguments) -> int:
    if a.get("alpha", 1) != 1:
        raise nbq.Error(f"{name}: an addition with alpha is not supported")
    return b.add(name, nbq.AddAttrs(), [b.operand(a["input"]), b.operand(a["other"])])


def _cat(b: _Builder, name: str, a: _Arguments) -> int:
    if a.get("dim", 0) != 1:
        raise nbq.Error(f"{name}: concatenation along axis {a.get('dim', 0)}; only channels (1) are "
                        "supported")
    return b.add(name, nbq.ConcatAttrs(), [b.operand(t) for t in a["tensors"]])


def _relu(b: _Builder, name: str, a: _Arguments, limit: float = 0) -> int:
    return b.add(name, nbq.ReluAttrs(limit), [b.operand(a["input"])])


def _flatten(b: _Builder, name: str, a: _Arguments) -> int:
    if a.get("start_dim", 0) != 1 or a.get("end_dim", -1) != -1:
        raise nbq.Error(f"{name}: only flattening from the first axis after the batch to the last")
    return b.add(name, nbq.FlattenAttrs(), [b.operand(a["input"])])


def _view(b: _Builder, name: str, a: _Arguments) -> int:
    """x.view(x.size(0), -1) and the like."""
    if a.get("columns") != -1:
        raise nbq.Error(f"{name}: only view(n, -1) is supported, as a flatten")
    return b.add(name, nbq.FlattenAttrs(), [b.operand(a["input"])])


def _mean(b: _Builder, name: str, a: _Arguments) -> int:
    dims = a.get("dim", ())
    if isinstance(dims, int) or sorted(int(d) % 4 for d in dims) != [2, 3]:
        raise nbq.Error(f"{name}: only the mean over rows and columns (2, 3) is supported")
    pooled = b.add(name, nbq.GlobalAvgPoolAttrs(), [b.operand(a["input"])])
    return pooled if a.get("keepdim", False) else b.add(f"{name}_flat", nbq.FlattenAttrs(), [pooled])


def _global_call(b: _Builder, name: str, a: _Arguments) -> int:
    return _global_pool(b, name, nn.AdaptiveAvgPool2d(a["output_size"]), [b.operand(a["input"])])


def _dropout(b: _Builder, name: str, a: _Arguments) -> int:
    return b.operand(a["input"])


def _nothing(b: _Builder, name: str, a: _Arguments) -> None:
    """x.size(0), for view()."""


_Row = tuple[Callable[[_Builder, str, _Arguments], Optional[int]], tuple[str, ...]]
"""With the names of the arguments that may be given by position."""
_ADD: _Row = _add, ("input", "other")
_RELU: _Row = _relu, ("input", "inplace")
_FLATTEN: _Row = _flatten, ("input", "start_dim", "end_dim")
_MEAN: _Row = _mean, ("input", "dim", "keepdim")
_VIEW: _Row = _view, ("input", "rows", "columns")
_NOTHING: _Row = _nothing, ("input", "index")
_FUNCTIONS: dict[Any, _Row] = {
    operator.add: _ADD, operator.iadd: _ADD, torch.add: _ADD,
    torch.relu: _RELU, F.relu: _RELU,
    F.relu6: (lambda b, name, a: _relu(b, name, a, 6), ("input", "inplace")),
    torch.cat: (_cat, ("tensors", "dim")), torch.flatten: _FLATTEN, torch.mean: _MEAN,
    F.max_pool2d: (_pool_call(nn.MaxPool2d, nbq.MaxPoolAttrs),
                   ("input", "kernel_size", "stride", "padding", "dilation")),
    F.avg_pool2d: (_pool_call(nn.AvgPool2d, nbq.AvgPoolAttrs),
                   ("input", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad",
                    "divisor_override")),
    F.adaptive_avg_pool2d: (_global_call, ("input", "output_size")),
    F.dropout: (_dropout, ("input", "p", "training", "inplace")),
    operator.getitem: _NOTHING, getattr: _NOTHING,
}
_METHODS: dict[str, _Row] = {
    "add": _ADD, "add_": _ADD, "relu": _RELU, "relu_": _RELU, "flatten": _FLATTEN, "mean": _MEAN,
    "view": _VIEW, "reshape": _VIEW, "size": _NOTHING, "contiguous": (_dropout, ("input",)),
}


def to_graph(module: nn.Module, image: Union[tuple[int, int, int], torch.Size], *, mean: Any = None,
             std: Any = None, class_names: Any = ()) -> nbq.Graph:
    """A float module of torch.nn's and nbq.torch's layers as a float graph, traced by torch.fx.

    image: channels, rows, columns. mean, std: what the module's inputs were normalised by,
    (pixel / 255 - mean) / std a channel; without, (pixel - 128) / 128. The graph can be saved, and
    learnt further by `nbq train`.

    Raises nbq.Error naming the layer: no layer that nbq has, an option that it lacks, weights that
    are shared, shapes that don't fit. ValueError: `image` is no such triple.
    """
    if len(image) != 3:
        raise ValueError(f"image: {tuple(image)}; (channels, rows, columns) is needed")
    graph = _Builder(trace(module), tuple(image), mean, std).run()
    graph.name = type(module).__name__
    graph.class_names = list(class_names)
    graph.verify()
    return graph
