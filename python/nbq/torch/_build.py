"""A graph as a module that learns."""
from __future__ import annotations

import re
from typing import Any

import torch
from torch import fx, nn

import nbq
from nbq._core import Stage
from nbq.torch import _layers as layers
from nbq.torch import _po2_layers as po2


def _matrix_layer(graph: nbq.Graph, node: nbq.Node) -> po2.Po2Layer:
    operand = graph.nodes[node.inputs[0]]
    assert operand.shape is not None
    a: Any = node.attrs
    if isinstance(a, nbq.Conv2dAttrs):
        w = a.window
        layer: Any = po2.Conv2d(operand.shape[0], a.out_channels, (w.kernel_h, w.kernel_w),
                                (w.stride_h, w.stride_w), (w.pad_top, w.pad_left),
                                (w.dilation_h, w.dilation_w), a.groups, "bias" in node.state)
        layer._reversed_padding_repeated_twice = [w.pad_left, w.pad_right, w.pad_top, w.pad_bottom]
    elif isinstance(a, nbq.LinearAttrs):
        layer = po2.Linear(operand.shape[0], a.out_features, "bias" in node.state)
    else:
        layer = po2.Affine(operand.shape[0])
    _fill(layer, graph, node)
    return layer


def _fill(layer: Any, graph: nbq.Graph, node: nbq.Node) -> None:
    """Parameters, the norm, and in a quantised graph the locked exponents."""
    state = {k: torch.from_numpy(v.copy()) for k, v in node.state.items()}
    with torch.no_grad():
        if isinstance(node.attrs, nbq.BatchNormAttrs) and graph.stage == Stage.FLOAT:
            # Outside training an affine map; fold() left mean 0 and variance 1 - eps.
            gain = state["weight"] / torch.sqrt(state["running_var"] + node.attrs.eps)
            state["bias"] = state["bias"] - state["running_mean"] * gain
            state["weight"] = gain
        layer.weight.copy_(state["weight"])
        if layer.bias is not None:
            layer.bias.copy_(state["bias"])
    if node.norm is not None:
        norm = po2.Norm(len(state["norm.weight"]), node.norm.eps, node.norm.momentum)
        norm.load_state_dict({k[len("norm."):]: v for k, v in state.items() if k.startswith("norm.")})
        layer.take_norm(norm)
    if node.weights is not None:
        layer.weight_bits = node.weights.bits
        if not isinstance(layer, po2.Affine):
            layer.quantizer = graph.quantizer
        layer.lock(node.weights.exps, operand=graph.nodes[node.inputs[0]].act)


def _plain_layer(graph: nbq.Graph, node: nbq.Node) -> layers.Layer:
    a: Any = node.attrs
    if isinstance(a, nbq.InputAttrs):
        image = layers.Image(a.channels, a.height, a.width, a.mean, a.std,
                             quantised=graph.stage != Stage.FLOAT)
        image.network, image.class_names = graph.name, list(graph.class_names)
        return image
    if isinstance(a, nbq.ReluAttrs):
        return layers.Relu(a.max)
    if isinstance(a, nbq.MaxPoolAttrs):
        return layers.MaxPool2d(a.window)
    if isinstance(a, nbq.AvgPoolAttrs):
        return layers.AvgPool2d(a.window)
    for kind, make in ((nbq.GlobalAvgPoolAttrs, layers.GlobalAvgPool2d), (nbq.AddAttrs, layers.Add),
                       (nbq.ConcatAttrs, layers.Concat), (nbq.FlattenAttrs, layers.Flatten)):
        if isinstance(a, kind):
            return make()
    raise nbq.Error(f"{node.name}: nbq.torch has no {node.op}")



def _layer(graph: nbq.Graph, node: nbq.Node) -> layers.Layer:
    matrix = isinstance(node.attrs, (nbq.Conv2dAttrs, nbq.LinearAttrs, nbq.BatchNormAttrs))
    layer = _matrix_layer(graph, node) if matrix else _plain_layer(graph, node)
    layer.layer_name = node.name
    layer.quantised = graph.stage != Stage.FLOAT
    if node.act.quantised:
        layer.act = node.act
    return layer


def from_graph(graph: nbq.Graph) -> fx.GraphModule:
    """A float or quantised graph as a module, a layer of nbq.torch for each node.

    Its input is pixels, see Image. Raises nbq.Error: the graph is unsound, or has a layer that
    nbq.torch lacks (pad, slice); ValueError: an integer graph, whose weights can't learn any more.
    """
    if graph.stage == Stage.INTEGER:
        raise ValueError(f"{graph.name}: an integer network doesn't learn; nbq.Model runs it")
    graph.verify()
    root = nn.Module()
    made = fx.Graph()
    values: list[fx.Node] = []
    for node in graph:
        name = re.sub(r"\W", "_", node.name) or "_"
        while hasattr(root, name):
            name += "_"
        root.add_module(name, _layer(graph, node))
        inputs = tuple(values[i] for i in node.inputs) if node.inputs else (made.placeholder("pixels"),)
        values.append(made.call_module(name, inputs))
    made.output(values[-1])
    return fx.GraphModule(root, made, class_name=re.sub(r"\W", "_", graph.name) or "Network")
