import os
import pathlib

import numpy as np
import pytest
from networks import pixels, random_weights, residual_network

import nbq

ZOO = pathlib.Path(__file__).resolve().parents[2] / "zoo"


def test_the_zoo_comes_back_bit_for_bit():
    data = (ZOO / "resnet20-cifar10-w3a8.nbq").read_bytes()
    assert nbq.Graph.from_bytes(data).to_bytes() == data


def test_save_and_load(tmp_path, rng):
    made = residual_network(rng)
    made.save(tmp_path / "deep" / "model.nbq")
    read = nbq.Graph.load(tmp_path / "deep" / "model.nbq")
    assert [n.op for n in read] == ["input", "conv2d", "conv2d", "add", "max_pool", "avg_pool",
                                    "flatten", "linear"]
    for a, b in zip(made, read):
        assert (a.name, a.inputs, a.act, a.weights is None) == (b.name, b.inputs, b.act,
                                                                b.weights is None)
        if a.weights:
            assert np.array_equal(a.weights.codes, b.weights.codes)
            assert np.array_equal(a.weights.exps, b.weights.exps)
            assert (a.weights.bias is None) == (b.weights.bias is None)
    assert read["conv1"].attrs.window == nbq.Window(3, padding=1)
    assert read["conv1"].shape == (4, 9, 8)
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "model.nbq"]
    x = pixels(rng, 3, made)
    assert np.array_equal(nbq.load(tmp_path / "deep" / "model.nbq").run(x), made.reference_logits(x))


def test_codes_can_be_changed(rng):
    g = residual_network(rng)
    x = pixels(rng, 3, g)
    g["fc"].weights.codes[:] = 0
    logits = nbq.Model(g).run(x)
    assert np.array_equal(logits, np.tile(g["fc"].weights.bias, (3, 1)))


def test_verify_proves_accumulators(rng):
    g = residual_network(rng)
    assert g["conv1"].shape is None
    g.verify()
    w = g["conv1"].weights
    bound = np.abs(nbq.levels(w.codes, w.bits)).sum(axis=(1, 2, 3)) * 128 + np.abs(w.bias)
    assert g["conv1"].acc_bits == int(bound.max()).bit_length() + 1
    assert g["conv1"].shape == (4, 9, 8)


def test_info(rng):
    info = residual_network(rng).info()
    conv = info.layers[1]
    assert (conv.name, conv.op, conv.shape, conv.weight_bits, conv.act_bits) == (
        "conv1", "conv2d", (4, 9, 8), 3, 8)
    assert conv.macs == 4 * 2 * 9 * 9 * 8
    assert info.macs == sum(l.macs for l in info.layers)
    assert info.code_bytes == (3 * (72 + 72 + 80) + 7) // 8
    assert "conv1" in str(info)


@pytest.mark.parametrize("change, error, message", [
    (lambda g: setattr(g["conv1"].weights, "bits", 6), ValueError, "conv1: 6 weight bits"),
    (lambda g: g["conv1"].weights.codes.fill(4), ValueError, "conv1: weight code 0 is 4, which is illegal"),
    (lambda g: setattr(g["conv1"].weights, "codes", np.zeros(3, np.uint8)), ValueError,
     r"conv1: codes of shape \[3\]; the attributes make it \[4, 2, 3, 3\]"),
    (lambda g: setattr(g["fc"].weights, "codes", g["fc"].weights.codes.T), ValueError,
     r"fc: codes of shape \[16, 5\]; the attributes make it \[5, 16\]"),
    (lambda g: setattr(g["conv1"].weights, "bias", np.zeros(2, np.int64)), nbq.Error,
     "conv1: 4 exponents and 2 biases for 4 channels"),
    (lambda g: setattr(g["conv1"].weights, "exps", np.zeros(0, np.int32)), nbq.Error, "conv1: 0 exponents"),
    (lambda g: setattr(g["conv1"].weights, "exps", np.full(4, 200)), ValueError, "conv1: weight exponent 200"),
    (lambda g: setattr(g["conv1"].weights, "exps", np.full(4, 0.5)), TypeError, "conv1: exps: integers"),
    (lambda g: setattr(g["conv1"].weights, "bias", np.full(4, 1 << 50)), nbq.Error, "needs more than 48 bits"),
    (lambda g: setattr(g["conv1"], "weights", None), nbq.Error, "conv1: 0 weight bits"),
    (lambda g: setattr(g["sum"], "weights", random_weights(np.random.default_rng(0), 3, (4,))),
     nbq.Error, "sum: a add has no weights"),
    (lambda g: setattr(g["sum"], "inputs", [1, 9]), nbq.Error, "sum: reads layer 9"),
    (lambda g: setattr(g["sum"], "inputs", []), nbq.Error, r"sum: add takes 2 input\(s\)"),
    (lambda g: setattr(g["max"], "act", nbq.ActFormat(8, True, 0)), nbq.Error, "max: a max_pool keeps"),
    (lambda g: setattr(g["conv2"], "act", nbq.ActFormat(8, True, 60)), nbq.Error, "conv2: channel 0 needs"),
    (lambda g: setattr(g["conv2"], "act", nbq.ActFormat(8, True, 0, lo=-500)), nbq.Error, "conv2: clamp to"),
    (lambda g: setattr(g["conv2"], "name", "conv1"), nbq.Error, "two layers are named conv1"),
    (lambda g: setattr(g, "class_names", ["a"]), nbq.Error, "1 class names for 5 outputs"),
    (lambda g: g["conv1"].state.update(weight=np.zeros(3, np.float32)), nbq.Error, "conv1: an integer"),
    (lambda g: setattr(g["fc"].weights, "exps", np.arange(5)), nbq.Error, "fc: logits must share"),
    (lambda g: g.nodes.clear(), nbq.Error, "no layers"),
])
def test_unsound_networks_are_refused_and_nothing_is_written(tmp_path, rng, change, error, message):
    g = residual_network(rng)
    change(g)
    with pytest.raises(error, match=message):
        g.save(tmp_path / "model.nbq")
    with pytest.raises(error, match=message):
        nbq.Model(g)
    assert not list(tmp_path.iterdir())


def test_reference_logits_wants_pixels(rng):
    g = residual_network(rng)
    x = pixels(rng, 2, g)
    with pytest.raises(TypeError, match="pixels: its type is float64, uint8 is needed"):
        g.reference_logits(x / 255)
    assert np.array_equal(g.reference_logits(np.asfortranarray(x)), g.reference_logits(x))
    with pytest.raises(ValueError, match="pixels|bytes"):
        g.reference_logits(x[:, :1].copy())


def test_the_compiled_part_copies_nothing_silently(rng):
    engine = nbq.Model(residual_network(rng))._engine
    x = pixels(rng, 2, residual_network(rng))
    logits = np.zeros((2, 5), np.int64)
    engine.run(x, 2, logits)
    with pytest.raises(TypeError):
        engine.run(np.asfortranarray(x), 2, logits)
    with pytest.raises(TypeError):
        engine.run(x, 2, logits.astype(np.int32))  # the result would go into a copy


def test_files_that_can_not_be_read(tmp_path, rng):
    with pytest.raises(nbq.Error, match="absent.nbq"):
        nbq.load(tmp_path / "absent.nbq")
    (tmp_path / "junk.nbq").write_bytes(b"junk")
    with pytest.raises(nbq.Error, match="junk.nbq: not an .nbq model"):
        nbq.Graph.load(tmp_path / "junk.nbq")
    data = residual_network(rng).to_bytes()
    with pytest.raises(nbq.Error):
        nbq.Graph.from_bytes(data[: len(data) // 2])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission_is_an_os_error(tmp_path, rng):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="model.nbq"):
        residual_network(rng).save(tmp_path / "model.nbq")


def test_a_file_in_the_way_of_a_folder_is_an_os_error(tmp_path, rng):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        residual_network(rng).save(tmp_path / "file" / "model.nbq")


def test_a_float_network_is_kept_but_does_not_run():
    g = nbq.Graph("float", nbq.Stage.FLOAT)
    g.add("image", nbq.InputAttrs(1, 4, 4, mean=[0.5], std=[0.25]))
    g.add("flat", nbq.FlattenAttrs())
    g.add("fc", nbq.LinearAttrs(2), state={"weight": np.ones((2, 16), np.float32),
                                           "bias": np.zeros(2, np.float32)})
    back = nbq.Graph.from_bytes(g.to_bytes())
    assert back.stage == nbq.Stage.FLOAT and back.nodes[0].attrs.mean == [0.5]
    assert back["fc"].state["weight"].shape == (2, 16)
    with pytest.raises(ValueError, match="an integer network is needed"):
        nbq.Model(back)
    with pytest.raises(ValueError, match="not a quantised one"):
        back.deploy()
    g["fc"].state["weight"] = np.ones((2, 15), np.float32)
    with pytest.raises(nbq.Error, match="fc: parameter weight has shape"):
        g.to_bytes()


def test_windows():
    w = nbq.Window((3, 5), stride=2, padding=(1, 2, 3, 4))
    assert (w.kernel_h, w.kernel_w, w.stride_h, w.stride_w) == (3, 5, 2, 2)
    assert (w.pad_top, w.pad_left, w.pad_bottom, w.pad_right) == (1, 2, 3, 4)
    w = nbq.Window(3, padding=(1, 2))
    assert (w.pad_top, w.pad_left, w.pad_bottom, w.pad_right) == (1, 2, 1, 2)
    assert w != nbq.Window(3) and w != "window"
    with pytest.raises(ValueError, match="padding has 3 numbers"):
        nbq.Window(3, padding=(1, 2, 3))
