"""A network as Python objects: nodes with attributes, codes as NumPy arrays."""
from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray

from nbq import _core
from nbq._arrays import floats, in_place, whole_numbers
from nbq._core import ActFormat, BatchNormAttrs, Stage

Attrs = Union[
    _core.InputAttrs, _core.Conv2dAttrs, _core.LinearAttrs, _core.BatchNormAttrs, _core.ReluAttrs,
    _core.MaxPoolAttrs, _core.AvgPoolAttrs, _core.GlobalAvgPoolAttrs, _core.AddAttrs,
    _core.ConcatAttrs, _core.FlattenAttrs, _core.PadAttrs, _core.SliceAttrs,
]


@dataclass(eq=False)
class Weights:
    """n-bit power-of-two weights of a conv2d, linear or batch_norm node."""

    bits: int
    """n, 1..5"""
    exps: NDArray[np.int32]
    """s of each output channel: code k stands for 2^(s+k-1)"""
    codes: Optional[NDArray[np.uint8]] = None
    """of the weight tensor's shape; None while the network still learns"""
    bias: Optional[NDArray[np.int64]] = None
    """of each output channel, in units of the accumulator, 2^(s + the operand's exp)"""


@dataclass(eq=False)
class Node:
    """One layer."""

    name: str
    attrs: Attrs
    inputs: list[int] = field(default_factory=list)
    """indices of earlier nodes"""
    act: ActFormat = field(default_factory=lambda: ActFormat(0))
    """of the output; bits 0: a float network, or logits"""
    weights: Optional[Weights] = None
    state: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """float parameters by their usual names (float and quantised networks)"""
    norm: Optional[BatchNormAttrs] = None
    """a batch norm that the layer has taken up and that still learns (quantised networks)"""
    shape: Optional[tuple[int, int, int]] = None
    """channels, rows, columns of the output; set by loading and by Graph.verify()"""
    acc_bits: int = 0
    """proved width of the accumulator; set as shape is (integer networks)"""

    @property
    def op(self) -> str:
        """The layer's name in files and messages: "conv2d", ..."""
        return str(self.attrs.op)


@dataclass(frozen=True)
class LayerInfo:
    """What `nbq info` tells of a layer."""

    name: str
    op: str
    shape: tuple[int, int, int]
    params: int
    macs: int
    """multiply-accumulates an image"""
    weight_bits: int
    act_bits: int
    acc_bits: int
    code_bytes: int


@dataclass(frozen=True)
class ModelInfo:
    """What `nbq info` tells of a network."""

    name: str
    stage: Stage
    quantizer: str
    params: int
    macs: int
    code_bytes: int
    class_names: list[str]
    layers: list[LayerInfo]

    def __str__(self) -> str:
        head = (f"{self.name or 'network'}: {self.stage.name.lower()}, {self.params} parameters, "
                f"{self.macs} multiply-accumulates, {self.code_bytes} bytes of codes")
        rows = [f"{l.name:24} {l.op:16} {'x'.join(map(str, l.shape)):>12} {l.params:>9} {l.macs:>11} "
                f"{l.weight_bits:>3} {l.act_bits:>3} {l.acc_bits:>3}" for l in self.layers]
        title = f"{'layer':24} {'op':16} {'shape':>12} {'params':>9} {'macs':>11}   w act acc"
        return "\n".join([head, title, *rows])


@dataclass(eq=False)
class Graph:
    """A network: nodes in topological order, the first the input, the last the output."""

    name: str = ""
    stage: Stage = Stage.INTEGER
    quantizer: str = ""
    """whose exponents they are; needed in quantised networks"""
    class_names: list[str] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)

    def add(self, name: str, attrs: Attrs, inputs: Optional[list[int]] = None, *,
            act: Optional[ActFormat] = None, weights: Optional[Weights] = None,
            state: Optional[dict[str, NDArray[np.float32]]] = None) -> int:
        """Appends a node and returns its index. Without `inputs` it reads the node before it."""
        if inputs is None:
            inputs = [len(self.nodes) - 1] if self.nodes else []
        self.nodes.append(Node(name, attrs, list(inputs), act or ActFormat(0), weights, state or {}))
        return len(self.nodes) - 1

    def __getitem__(self, name: Union[str, int]) -> Node:
        """The node of that name, or at that index."""
        if isinstance(name, int):
            return self.nodes[name]
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(f"no layer is named {name}")

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    @classmethod
    def load(cls, path: Union[str, os.PathLike[str]]) -> Graph:
        """Reads and verifies an .nbq file of any stage.

        Raises nbq.Error: absent, damaged, of another version, unsound (names the layer); OSError:
        it can't be read.
        """
        return cls._of(_core.NativeGraph.load(os.fspath(path)))

    @classmethod
    def from_bytes(cls, data: bytes) -> Graph:
        """The same from an .nbq file's bytes."""
        return cls._of(_core.NativeGraph.decode(data))

    def to_bytes(self) -> bytes:
        """The .nbq file's bytes, once verify() has passed."""
        return self._native().encode()

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Verifies the network as verify() does and writes it beside `path`, then renames it.

        Raises verify()'s exceptions, and OSError: the disk is full, no permission.
        """
        self._native().save(os.fspath(path))

    def verify(self) -> None:
        """Checks all that a reader relies on, and sets every node's shape and acc_bits.

        Raises nbq.Error or ValueError: structure, shapes, formats, codes, exponents, or an
        accumulator that could need more than 48 bits; the message names layer and channel.
        """
        native = self._native()
        native.encode()
        for node, made in zip(self.nodes, (native.node(i) for i in range(len(native)))):
            node.shape, node.acc_bits = made.shape, made.acc_bits

    def info(self) -> ModelInfo:
        """Layers with their bits, shapes, parameters and multiply-accumulates. Raises as verify()."""
        native = self._native()
        native.encode()
        layers = [_layer_info(native, i) for i in range(len(native))]
        code_bits = sum(_code_bits(native, i) for i in range(len(native)))
        return ModelInfo(self.name, self.stage, self.quantizer, sum(l.params for l in layers),
                         sum(l.macs for l in layers), _bytes(code_bits),
                         list(self.class_names), layers)

    def reference_logits(self, pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The normative executor's integers: pixels uint8 [n, channels, height, width] -> int64
        [n, outputs]. Slow; nbq.Model gives the same. Raises verify()'s exceptions, TypeError for
        another type and ValueError for a size that does not fit."""
        checked = in_place(pixels, "pixels", np.uint8, copy=True)
        return self._native().reference_logits(checked, len(checked))

    def deploy(self) -> Graph:
        """A quantised network as the integer one that it has become. Raises nbq.Error: an overflow,
        which names layer and channel; ValueError: not a quantised network."""
        return Graph._of(self._native().deploy())

    def _native(self) -> _core.NativeGraph:
        native = _core.NativeGraph(self.name, self.stage, self.quantizer, self.class_names)
        for n in self.nodes:
            w = n.weights
            native.add(
                n.name, n.attrs, n.inputs, n.act, w.bits if w else 0,
                whole_numbers(w.exps, f"{n.name}: exps", np.int32) if w else None,
                _or_none(w.codes if w else None, f"{n.name}: codes", np.uint8),
                _or_none(w.bias if w else None, f"{n.name}: bias", np.int64),
                {k: floats(v) for k, v in n.state.items()}, n.norm)
        native.infer_shapes()
        for i, n in enumerate(self.nodes):
            _check_codes(native, i, n)
        return native

    @classmethod
    def _of(cls, native: _core.NativeGraph) -> Graph:
        nodes = [_node(native, i) for i in range(len(native))]
        return cls(native.name, native.stage, native.quantizer, native.class_names, nodes)


def _weight_dims(native: _core.NativeGraph, i: int) -> Optional[list[int]]:
    """Of the weight tensor, as the attributes and the operand have it; None: there is none."""
    return next((dims for name, dims, _ in native.describe(i)[0] if name == "weight"), None)


def _check_codes(native: _core.NativeGraph, i: int, n: Node) -> None:
    """As many codes in another shape would be another network."""
    want = _weight_dims(native, i)
    if want is None or n.weights is None or n.weights.codes is None:
        return
    if list(np.shape(n.weights.codes)) != want:
        raise ValueError(f"{n.name}: codes of shape {list(np.shape(n.weights.codes))}; the "
                         f"attributes make it {want}")


def _or_none(array: Any, what: str, dtype: type) -> Any:
    return None if array is None else whole_numbers(array, what, dtype)


def _node(native: _core.NativeGraph, i: int) -> Node:
    n = native.node(i)
    weights = None
    if n.bits:
        codes, dims = n.codes, _weight_dims(native, i)
        if dims is not None and codes.size:
            codes = codes.reshape(dims)
        weights = Weights(n.bits, n.exps, codes if codes.size else None,
                          n.bias if n.bias.size else None)
    return Node(n.name, n.attrs, n.inputs, n.act, weights, n.state, n.norm, n.shape, n.acc_bits)


def _layer_info(native: _core.NativeGraph, i: int) -> LayerInfo:
    n = native.node(i)
    params, macs = native.describe(i)
    return LayerInfo(n.name, str(n.attrs.op), n.shape,
                     sum(int(np.prod(dims)) for _, dims, learnt in params if learnt), macs, n.bits,
                     n.act.bits, n.acc_bits, _bytes(_code_bits(native, i)))


def _code_bits(native: _core.NativeGraph, i: int) -> int:
    bits = native.node(i).bits
    return bits * int(np.prod(_weight_dims(native, i) or [0])) if bits else 0


def _bytes(bits: int) -> int:
    return (bits + 7) // 8
