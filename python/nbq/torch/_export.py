"""From a module that has learnt to an integer .nbq."""
from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Union

import numpy as np
import torch
from torch import fx, nn

import nbq
from nbq._core import BatchNormAttrs, Stage
from nbq.torch._layers import Image, Layer
from nbq.torch._po2_layers import Affine, Po2Layer
from nbq.torch._trace import array, operands, trace


def _state(layer: Po2Layer) -> dict[str, Any]:
    state = {"weight": array(layer.weight)}
    if layer.bias is not None:
        state["bias"] = array(layer.bias)
    if isinstance(layer, Affine):
        channels = len(state["weight"])
        state["running_mean"] = np.zeros(channels, np.float32)
        state["running_var"] = np.full(channels, 1 - BatchNormAttrs().eps, np.float32)
    if layer.norm is not None:
        state.update({f"norm.{k}": array(v) for k, v in layer.norm.state_dict().items()})
    return state


def _node(layer: Layer, name: str, inputs: list[int]) -> nbq.Node:
    node = nbq.Node(name, layer.attrs(), inputs)
    if layer.act is not None:
        node.act = layer.act
    if isinstance(layer, Po2Layer):
        if not layer.quantised or layer.operand is None:
            raise nbq.Error(f"{name}: its exponents are not locked for an operand; "
                            "nbq.torch.prepare() does that")
        node.weights = nbq.Weights(layer.weight_bits, layer.exps.cpu().numpy())
        node.state = _state(layer)
        if layer.norm is not None:
            node.norm = BatchNormAttrs(layer.norm.eps, layer.norm.momentum)
    return node


def quantised_graph(module: nn.Module) -> nbq.Graph:
    """A module of nbq.torch's quantised layers, as prepare() makes them or written by hand, as the
    quantised graph that it is: to save, to learn further with from_graph(), or for `nbq export`.

    Raises nbq.Error naming the layer: of another kind, not quantised, or formats that don't fit.
    """
    traced = trace(module)
    graph = nbq.Graph(type(module).__name__, Stage.QUANTISED)
    ids: dict[fx.Node, int] = {}
    kinds: set[str] = set()
    for n in traced.graph.nodes:
        if n.op in ("placeholder", "output"):
            continue
        layer: Any = traced.get_submodule(str(n.target)) if n.op == "call_module" else None
        if not isinstance(layer, Layer) or not layer.quantised and not _formatless(layer):
            raise nbq.Error(f"{n.target}: not one of nbq.torch's quantised layers; "
                            "nbq.torch.prepare() makes a float network into such")
        if isinstance(layer, Image):
            graph.name, graph.class_names = layer.network or graph.name, list(layer.class_names)
        name = layer.layer_name or str(n.target)
        node = _node(layer, name, [ids[a] for a in operands(n) if a in ids])
        if _formatless(layer):
            node.act = graph.nodes[node.inputs[0]].act
        if isinstance(layer, Po2Layer) and not isinstance(layer, Affine):
            kinds.add(layer.quantizer)
        ids[n] = len(graph)
        graph.nodes.append(node)
    if len(kinds) > 1:
        raise nbq.Error(f"one quantizer for all layers is needed, there are {sorted(kinds)}")
    graph.quantizer = kinds.pop() if kinds else "least_squares"
    graph.verify()
    return graph


def _formatless(layer: Any) -> bool:
    """Layers that keep their operand's format."""
    return isinstance(layer.attrs(), (nbq.MaxPoolAttrs, nbq.FlattenAttrs))


def export(module: nn.Module, example: torch.Tensor, path: Union[str, os.PathLike[str], None] = None,
           ) -> nbq.Graph:
    """The integer network that `module` computes in eval mode; written to `path`, if given.

    module: as for quantised_graph(). example: uint8 pixels [n, channels, rows, columns]. On them
    the network's integers are compared with the module's output before anything is written.

    Raises nbq.Error naming the layer: as quantised_graph(); an accumulator that could need more
    than 48 bits; an integer that differs. ValueError: `example` is something else. OSError: the
    file can't be written.
    """
    if example.dtype != torch.uint8 or example.dim() != 4 or len(example) == 0:
        raise ValueError(f"example: {example.dtype} of shape {tuple(example.shape)}; "
                         "uint8 [n, channels, rows, columns] is needed")
    graph = quantised_graph(module).deploy()
    _compare(graph, module, example)
    if path is not None:
        graph.save(path)
    return graph


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """In eval mode; afterwards each module is in the mode that it was in."""
    modes = [(m, m.training) for m in module.modules()]
    try:
        module.eval()
        yield
    finally:
        for m, training in modes:
            m.training = training


def _compare(graph: nbq.Graph, module: nn.Module, example: torch.Tensor) -> None:
    with torch.no_grad(), _evaluating(module):
        values = module(example).double().flatten(1).cpu().numpy()
    model = nbq.Model(graph)
    want = np.ldexp(values, -model.logit_exp)
    got = model.run(np.ascontiguousarray(example.cpu().numpy()))
    if not np.array_equal(want, got):
        image, output = (int(i) for i in np.argwhere(want != got)[0])
        raise nbq.Error(f"example {image}, output {output}: the module gives "
                        f"{want[image, output]}, the integer network {got[image, output]}")
