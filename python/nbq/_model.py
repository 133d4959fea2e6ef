"""Networks that run."""
from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray

from nbq import _core
from nbq._arrays import in_place
from nbq._graph import Graph, ModelInfo


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What Model.evaluate() found."""

    images: int
    correct: int
    confusion: NDArray[np.int64]
    """[outputs, outputs]: rows are labels, columns the network's answers"""

    @property
    def accuracy(self) -> float:
        """Per cent."""
        return 100.0 * self.correct / self.images


class Model:
    """An integer network, planned for this processor.

    The integers are those of the reference (spec/numerics.md) whatever the options. Runs release
    the GIL and may be called from many threads.
    """

    graph: Graph
    """the network itself; changes to it don't reach this model"""

    def __init__(self, network: Union[Graph, str, os.PathLike[str]], *, threads: int = 1,
                 batch: int = 1, contexts: int = 1, isa: Optional[str] = None) -> None:
        """network: a Graph, or an .nbq file's path.

        threads: that share one call's work, 1..256; 0: one a core. batch: images that a call
        usually brings, 1..65536; other numbers work, too. contexts: calls that run side by side,
        1..1024, each with threads and memory of its own; further ones wait. isa: a set of kernels,
        such as "portable"; None: NBQ_ISA, or the best there is.

        Raises nbq.Error: the file is absent or damaged, the network unsound (names the layer);
        ValueError: not an integer network, an option out of range; OSError.
        """
        if not isinstance(network, Graph):
            network = Graph.load(network)
        self.graph = network
        self._engine = _core.Engine(network.to_bytes(), threads, batch, contexts, isa)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, rows, columns of an image."""
        return self._engine.image

    @property
    def outputs(self) -> int:
        """Logits an image: usually the number of classes."""
        return self._engine.outputs

    @property
    def logit_exp(self) -> int:
        """A logit stands for logit * 2^logit_exp."""
        return self._engine.logit_exp

    @property
    def class_names(self) -> list[str]:
        """Of the outputs; may be empty."""
        return list(self.graph.class_names)

    @property
    def threads(self) -> int:
        """Of a call."""
        return self._engine.threads

    @property
    def isa(self) -> str:
        """Whose kernels run."""
        return self._engine.isa

    @property
    def weight_bytes(self) -> int:
        """Weights in memory."""
        return self._engine.weight_bytes

    @property
    def arena_bytes(self) -> int:
        """Activations in memory, a context."""
        return self._engine.arena_bytes

    def info(self) -> ModelInfo:
        """Layers with their bits, shapes, parameters and multiply-accumulates."""
        return self.graph.info()

    def run(self, images: Any, *, out: Optional[NDArray[Any]] = None,
            copy: bool = False) -> NDArray[Any]:
        """Runs n images [n, channels, height, width], or one [channels, height, width].

        uint8 pixels give int64 logits [n, outputs], in units of 2^logit_exp. float32 pixels in
        0..1, each rounded to the nearest byte / 255, give float32 scores, logit * 2^logit_exp.
        Arrays are read in place and must be C-contiguous; copy=True takes any strides, floats and
        sequences. out: where the result goes, C-contiguous, of its type and shape.

        Raises TypeError: another type; ValueError: a shape that does not fit (names both), other
        strides, a float pixel outside 0..1 (names image, channel, row, column).
        """
        pixels = in_place(images, "images", np.uint8, np.float32, copy=copy)
        if pixels.ndim == 3:
            pixels = pixels[np.newaxis]
        c, h, w = self.image_shape
        if pixels.shape[1:] != (c, h, w) or pixels.ndim != 4:
            raise ValueError(f"images: their shape is {pixels.shape}, the network reads "
                             f"[n, {c}, {h}, {w}]")
        exact = pixels.dtype == np.uint8
        result = self._result(out, len(pixels), np.int64 if exact else np.float32)
        run: Any = self._engine.run if exact else self._engine.run_float
        run(pixels, len(pixels), result)
        return result

    def predict(self, images: Any, *, copy: bool = False) -> NDArray[np.intp]:
        """The class of each image, intp [n]; among equal logits the first counts."""
        classes: NDArray[np.intp] = np.argmax(self.run(images, copy=copy), axis=1)
        return classes

    def evaluate(self, images: Any, labels: Any, *, batch: int = 256,
                 copy: bool = False) -> Evaluation:
        """Runs labelled images, `batch` at a time. labels: integers [n] in 0..outputs-1.

        Raises run()'s exceptions, and ValueError for labels that don't fit.
        """
        answers = np.asarray(labels)
        if answers.shape != (len(images),) or not np.issubdtype(answers.dtype, np.integer):
            raise ValueError(f"labels: {answers.dtype} of shape {answers.shape} for "
                             f"{len(images)} images; integers [n] are needed")
        if len(answers) == 0 or batch < 1:
            raise ValueError("evaluate: at least one image, and a batch of at least one, is needed")
        if answers.min() < 0 or answers.max() >= self.outputs:
            raise ValueError(f"labels: {answers.min()}..{answers.max()}; the network has "
                             f"{self.outputs} outputs")
        confusion = np.zeros((self.outputs, self.outputs), dtype=np.int64)
        for first in range(0, len(answers), batch):
            part = slice(first, first + batch)
            np.add.at(confusion, (answers[part], self.predict(images[part], copy=copy)), 1)
        return Evaluation(len(answers), int(np.trace(confusion)), confusion)

    def _result(self, out: Optional[NDArray[Any]], n: int, dtype: Any) -> NDArray[Any]:
        if out is None:
            return np.empty((n, self.outputs), dtype=dtype)
        if not isinstance(out, np.ndarray):
            raise TypeError(f"out: a NumPy array is needed, not {type(out).__name__}")
        if out.dtype != dtype or out.shape != (n, self.outputs) or not out.flags.c_contiguous \
                or not out.flags.writeable:
            raise ValueError(f"out: {out.dtype} {out.shape}; a writable C-contiguous "
                             f"{np.dtype(dtype).name} array of shape {(n, self.outputs)} is needed")
        return out

    def __repr__(self) -> str:
        c, h, w = self.image_shape
        return (f"<nbq.Model {self.graph.name!r}: {c}x{h}x{w} -> {self.outputs}, "
                f"{self.threads} threads, {self.isa}>")


def load(path: Union[str, os.PathLike[str]], *, threads: int = 1, batch: int = 1,
         contexts: int = 1, isa: Optional[str] = None) -> Model:
    """Model(path, ...): an .nbq file, ready to run."""
    return Model(path, threads=threads, batch=batch, contexts=contexts, isa=isa)
