#!/usr/bin/env python3
"""Makes networks.json: small integer networks with images and the logits that spec/numerics.md demands.

Written from the specification alone, one number at a time in Python's unbounded integers, so that it
shares nothing with the C++ executors. Rerun it only when the specification's version changes:
    tests/golden/make_golden.py > tests/golden/networks.json
"""
import json
import math
import random

rng = random.Random(20201117)


def rshift(v, r):
    return v << -r if r <= 0 else (v + (1 << (r - 1))) >> r


def requantize(v, r, lo, hi):
    return min(max(rshift(v, r), lo), hi)


def act(bits, signed, exp):
    lo = -(1 << (bits - 1)) if signed else 0
    hi = (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1
    return {"bits": bits, "signed": signed, "exp": exp, "lo": lo, "hi": hi}


def levels(bits):
    if bits == 1:
        return [-1, 1]
    k_max = (1 << (bits - 1)) - 1
    positive = [1 << (k - 1) for k in range(1, k_max + 1)]
    return [0] + positive + [-v for v in positive]


def reciprocal(n):
    """1/n as at most three signed powers of two within 15 bits: [(sign, exponent)]."""
    parts, total = [], 0.0
    while len(parts) < 3 and total != 1.0 / n:
        rest = 1.0 / n - total
        mantissa, e = math.frexp(abs(rest))
        exp = e if mantissa >= 0.75 else e - 1
        if parts and exp < parts[0][1] - 15:
            break
        parts.append((-1 if rest < 0 else 1, exp))
        total += math.copysign(2.0 ** exp, rest)
    return parts


def window(k, s=1, p=0):
    return {"kernel_h": k, "kernel_w": k, "stride_h": s, "stride_w": s, "pad": p}


def taps(x, w, c, oy, ox):
    for ky in range(w["kernel_h"]):
        for kx in range(w["kernel_w"]):
            iy, ix = oy * w["stride_h"] + ky - w["pad"], ox * w["stride_w"] + kx - w["pad"]
            inside = 0 <= iy < len(x[c]) and 0 <= ix < len(x[c][0])
            yield ky, kx, x[c][iy][ix] if inside else None


def size(n, w):
    return (n + 2 * w["pad"] - w["kernel_h"]) // w["stride_h"] + 1


class Net:
    def __init__(self, c, h, w):
        self.nodes = [{"name": "image", "op": "input", "inputs": [], "act": act(8, True, -7),
                       "shape": [c, h, w]}]
        self.pixels = [[[rng.randrange(256) for _ in range(w)] for _ in range(h)] for _ in range(c)]
        self.values = [[[[v - 128 for v in row] for row in plane] for plane in self.pixels]]

    def finish(self, node, acc, exps):
        """acc[c][y][x] through the output stage; `node` is the last when it has no act."""
        a = node.get("act")
        if a is not None:
            acc = [[[requantize(v, a["exp"] - exps[c], a["lo"], a["hi"]) for v in row] for row in plane]
                   for c, plane in enumerate(acc)]
        self.nodes.append(node)
        self.values.append(acc)
        return len(self.nodes) - 1

    def exp(self, i):
        return self.nodes[i]["act"]["exp"]

    def conv(self, name, i, out, w, bits, a, groups=1, same_scale=False):
        x = self.values[i]
        per = len(x) // groups
        exps = [rng.randrange(-6, -2)] * out if same_scale else [rng.randrange(-6, -2) for _ in range(out)]
        k = w["kernel_h"] * w["kernel_w"]
        weights = [[rng.choice(levels(bits)) for _ in range(per * k)] for _ in range(out)]
        bias = [rng.randrange(-3000, 3000) for _ in range(out)]
        acc = []
        for o in range(out):
            plane = []
            for oy in range(size(len(x[0]), w)):
                row = []
                for ox in range(size(len(x[0][0]), w)):
                    v = bias[o]
                    for ic in range(per):
                        for ky, kx, value in taps(x, w, (o // (out // groups)) * per + ic, oy, ox):
                            at = (ic * w["kernel_h"] + ky) * w["kernel_w"] + kx
                            v += weights[o][at] * (value or 0)
                    row.append(v)
                plane.append(row)
            acc.append(plane)
        node = {"name": name, "op": "conv2d", "inputs": [i], "act": a, "window": w, "out_channels": out,
                "groups": groups, "bits": bits, "exps": exps, "weights": sum(weights, []), "bias": bias}
        return self.finish(node, acc, [e + self.exp(i) for e in exps])

    def pool(self, name, op, i, w, a):
        x = self.values[i]
        parts = reciprocal(w["kernel_h"] * w["kernel_w"])
        frac = -parts[-1][1]
        acc = []
        for c in range(len(x)):
            plane = []
            for oy in range(size(len(x[0]), w)):
                row = []
                for ox in range(size(len(x[0][0]), w)):
                    values = [v for _, _, v in taps(x, w, c, oy, ox) if v is not None]
                    if op == "max_pool":
                        row.append(max(values))
                    else:
                        row.append(sum(s * (sum(values) << (e + frac)) for s, e in parts))
                plane.append(row)
            acc.append(plane)
        exp = self.exp(i) - (0 if op == "max_pool" else frac)
        node = {"name": name, "op": op, "inputs": [i], "act": a, "window": w}
        return self.finish(node, acc, [exp] * len(x))

    def global_pool(self, name, i, a):
        h, w = len(self.values[i][0]), len(self.values[i][0][0])
        whole = {"kernel_h": h, "kernel_w": w, "stride_h": 1, "stride_w": 1, "pad": 0}
        return self.pool(name, "global_avg_pool", i, whole, a)

    def add(self, name, i, j, a):
        exp = min(self.exp(i), self.exp(j))
        si, sj = self.exp(i) - exp, self.exp(j) - exp
        acc = [[[(p << si) + (q << sj) for p, q in zip(r, s)] for r, s in zip(f, g)]
               for f, g in zip(self.values[i], self.values[j])]
        return self.finish({"name": name, "op": "add", "inputs": [i, j], "act": a}, acc, [exp] * len(acc))

    def concat(self, name, ids, a):
        acc = sum((self.values[i] for i in ids), [])
        exps = sum(([self.exp(i)] * len(self.values[i]) for i in ids), [])
        return self.finish({"name": name, "op": "concat", "inputs": ids, "act": a}, acc, exps)

    def linear(self, name, i, out, bits):
        """flatten and linear, to logits."""
        flat = [[[v]] for plane in self.values[i] for row in plane for v in row]
        f = self.finish({"name": name + ".flat", "op": "flatten", "inputs": [i],
                         "act": self.nodes[i]["act"]}, flat, [self.exp(i)] * len(flat))
        weights = [[rng.choice(levels(bits)) for _ in flat] for _ in range(out)]
        bias = [rng.randrange(-500, 500) for _ in range(out)]
        acc = [[[b + sum(w * v[0][0] for w, v in zip(row, flat))]] for row, b in zip(weights, bias)]
        node = {"name": name, "op": "linear", "inputs": [f], "act": None, "out_features": out,
                "bits": bits, "exps": [-4] * out, "weights": sum(weights, []), "bias": bias}
        return self.finish(node, acc, None)

    def case(self):
        flatten = lambda t: [v for plane in t for row in plane for v in row]
        return {"nodes": self.nodes, "pixels": flatten(self.pixels), "logits": flatten(self.values[-1])}


def residual_net(bits, act_bits):
    n = Net(3, 7, 6)
    a = n.conv("a", 0, 6, window(3, 1, 1), bits, act(act_bits, False, -act_bits + 3))
    b = n.conv("b", a, 6, window(3, 1, 1), bits, act(act_bits, True, -act_bits + 4), groups=2)
    c = n.add("c", a, b, act(act_bits, False, -act_bits + 4))
    d = n.conv("d", c, 5, window(3, 2, 1), bits, act(act_bits, True, -act_bits + 2))
    n.linear("fc", d, 4, bits)
    return n.case()


def pooled_net(bits, act_bits):
    n = Net(1, 9, 9)
    a = n.conv("a", 0, 4, window(1), bits, act(act_bits, True, -act_bits + 4))
    m = n.pool("m", "max_pool", a, window(3, 2, 1), n.nodes[a]["act"])
    v = n.pool("v", "avg_pool", a, window(3, 2, 1), act(act_bits, True, -act_bits + 3))
    c = n.concat("c", [m, v], act(act_bits, True, -act_bits + 4))
    d = n.conv("d", c, 3, window(3), bits, act(act_bits, False, -act_bits + 5), same_scale=True)
    n.global_pool("p", d, None)
    return n.case()


if __name__ == "__main__":
    cases = [make(bits, a) for bits in range(1, 6) for a in (4, 8, 16) for make in (residual_net, pooled_net)]
    print("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]")
