"""Integer networks by hand, of random weights."""
import numpy as np

import nbq


def random_weights(rng, bits, shape, *, per_layer=False, bias=True):
    """Legal codes of every value, exponents within two steps, biases of a few hundred."""
    channels = shape[0]
    codes = rng.integers(0, 1 << bits, shape, dtype=np.uint8)
    if bits > 1:
        codes[codes == 1 << (bits - 1)] = 0  # minus zero is illegal
    exps = np.full(channels, -3) if per_layer else rng.integers(-4, -2, channels)
    return nbq.Weights(bits, exps.astype(np.int32), codes,
                       rng.integers(-300, 300, channels) if bias else None)


def residual_network(rng, bits=3, act_bits=8):
    """conv, conv, add, pools, linear: 2x9x8 -> 5."""
    signed = nbq.ActFormat(act_bits, True, -5)
    relu = nbq.ActFormat(act_bits, False, -5)
    three = nbq.Window(3, padding=1)
    g = nbq.Graph("by hand", class_names=list("abcde"))
    g.add("image", nbq.InputAttrs(2, 9, 8), act=nbq.ActFormat(8, True, -7))
    first = g.add("conv1", nbq.Conv2dAttrs(4, three), act=relu,
                  weights=random_weights(rng, bits, (4, 2, 3, 3)))
    second = g.add("conv2", nbq.Conv2dAttrs(4, three, groups=2), act=signed,
                   weights=random_weights(rng, bits, (4, 2, 3, 3), bias=False))
    g.add("sum", nbq.AddAttrs(), [first, second], act=relu)
    g.add("max", nbq.MaxPoolAttrs(nbq.Window(2, stride=2)), act=relu)
    g.add("mean", nbq.AvgPoolAttrs(nbq.Window((2, 2), stride=2)), act=relu)
    g.add("flat", nbq.FlattenAttrs(), act=relu)
    g.add("fc", nbq.LinearAttrs(5), weights=random_weights(rng, bits, (5, 16), per_layer=True))
    return g


def pixels(rng, n, graph):
    a = graph.nodes[0].attrs
    return rng.integers(0, 256, (n, a.channels, a.height, a.width), dtype=np.uint8)
