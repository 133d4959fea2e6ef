import math

import numpy as np
import pytest

import nbq


@pytest.mark.parametrize("quantizer", nbq.quantizers())
@pytest.mark.parametrize("bits", range(1, 6))
@pytest.mark.parametrize("granularity", ["channel", "layer"])
def test_codes_and_values_agree(rng, quantizer, bits, granularity):
    w = rng.normal(0, 0.1, (6, 4, 3, 3)).astype(np.float32)
    if quantizer == "authors" and bits != 3:
        with pytest.raises(ValueError, match="defined for 3 bits"):
            nbq.quantize(w, bits, quantizer=quantizer)
        with pytest.raises(ValueError, match="defined for 3 bits"):
            nbq.encode(w, bits, np.zeros(6, np.int32), quantizer=quantizer)
        return
    q = nbq.quantize(w, bits, quantizer=quantizer, granularity=granularity)
    assert q.codes.shape == w.shape and q.exps.shape == (6,)
    k = q.codes & ((1 << (bits - 1)) - 1) if bits > 1 else np.ones_like(q.codes)
    sign = np.where(q.codes >> (bits - 1), -1.0, 1.0)
    values = np.where(k > 0, sign * 2.0 ** (q.exps[:, None, None, None] + k.astype(int) - 1), 0)
    assert np.array_equal(q.values, values.astype(np.float32))
    assert np.array_equal(q.levels * 2.0 ** q.exps[:, None, None, None], values)
    if granularity == "layer":
        assert len(set(q.exps)) == 1
    locked = nbq.quantize(w * 1.3, bits, quantizer=quantizer, exps=q.exps)
    assert np.array_equal(locked.exps, q.exps)


@pytest.mark.parametrize("bits", range(2, 6))
def test_nearest_by_brute_force(rng, bits):
    w = rng.normal(0, 1, 500).astype(np.float32)
    q = nbq.quantize(w[None], bits, quantizer="nearest")
    s, top = int(q.exps[0]), (1 << (bits - 1)) - 1
    grid = np.array(sorted({0.0} | {sign * 2.0 ** (s + k - 1) for k in range(1, top + 1)
                                    for sign in (-1, 1)}))
    best = np.abs(w[:, None].astype(np.float64) - grid).min(axis=1)
    assert np.array_equal(np.abs(w - q.values[0].astype(np.float64)), best)


def test_bad_weights():
    with pytest.raises(ValueError, match="weight 1 is nan"):
        nbq.fit([[0.5, math.nan]], 3)
    with pytest.raises(ValueError, match="weight 1 is inf"):
        nbq.encode([[0.5, math.inf]], 3, [0])
    with pytest.raises(ValueError, match="0 weight bits"):
        nbq.fit([[0.5]], 0)
    with pytest.raises(ValueError, match="no quantizer is named best; there are"):
        nbq.fit([[0.5]], 3, quantizer="best")
    with pytest.raises(ValueError, match='granularity "row"'):
        nbq.fit([[0.5]], 3, granularity="row")
    with pytest.raises(ValueError, match="2 scale exponents for 1 channels"):
        nbq.encode([[0.5]], 3, [0, 1])
    with pytest.raises(ValueError, match="no channels"):
        nbq.fit(np.zeros((0, 3)), 3)
    with pytest.raises(ValueError, match="code 1 is 4: no 3-bit code"):
        nbq.dequantize([[1, 4]], 3, [0])
    with pytest.raises(ValueError, match="does not fit uint8"):
        nbq.dequantize([[1, 256]], 3, [0])


def test_activations(rng):
    x = rng.normal(0, 1, 1000).astype(np.float32)
    fmt = nbq.fit_activations(x, 8)
    q = nbq.quantize_activations(x, fmt)
    assert q.min() >= -128 and q.max() <= 127
    inside = (q > fmt.lo) & (q < fmt.hi)
    assert np.abs(nbq.dequantize_activations(q, fmt) - x)[inside].max() <= 2.0 ** (fmt.exp - 1)
    relu = nbq.fit_activations(x, 4, is_signed=False)
    assert (relu.lo, relu.hi) == (0, 15)
    assert np.array_equal(nbq.quantize_activations([0.5, -0.5, 1.5], nbq.ActFormat(8, True, 0)),
                          [1, 0, 2])  # half up
    with pytest.raises(ValueError, match="value 2 is no number"):
        nbq.quantize_activations([[0.5, 1], [math.nan, 0]], nbq.ActFormat(8, True, 0))
    assert nbq.quantize_activations([math.inf], nbq.ActFormat(8, True, 0)) == [127]
    with pytest.raises(ValueError, match="1 activation bits"):
        nbq.fit_activations(x, 1)
