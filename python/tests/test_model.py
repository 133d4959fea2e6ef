import concurrent.futures
import pathlib
import threading

import numpy as np
import pytest
from networks import pixels, residual_network

import nbq

ZOO = pathlib.Path(__file__).resolve().parents[2] / "zoo"


@pytest.fixture
def graph(rng):
    return residual_network(rng)


@pytest.mark.parametrize("bits", range(1, 6))
@pytest.mark.parametrize("act_bits", [2, 8, 16])
def test_integers_are_the_references(rng, bits, act_bits):
    g = residual_network(rng, bits, act_bits)
    x = pixels(rng, 5, g)
    assert np.array_equal(nbq.Model(g).run(x), g.reference_logits(x))


@pytest.mark.parametrize("options", [{"threads": 2}, {"threads": 0, "batch": 4}, {"contexts": 3},
                                     {"isa": "portable"}])
def test_options_do_not_change_integers(graph, rng, options):
    x = pixels(rng, 7, graph)
    model = nbq.Model(graph, **options)
    assert np.array_equal(model.run(x), graph.reference_logits(x))
    assert np.array_equal(model.run(x), model.run(x))


def test_one_image_is_a_batch_of_one(graph, rng):
    x = pixels(rng, 3, graph)
    model = nbq.Model(graph)
    assert np.array_equal(model.run(x[1]), model.run(x)[1:2])


def test_floats_are_rounded_to_pixels_and_give_scores(graph, rng):
    x = pixels(rng, 4, graph)
    model = nbq.Model(graph)
    scores = model.run((x / 255).astype(np.float32))
    assert scores.dtype == np.float32
    assert np.array_equal(scores, np.ldexp(model.run(x).astype(np.float32), model.logit_exp))
    assert np.array_equal(model.run(x / 255, copy=True), scores)  # float64


def test_arrays_are_read_and_written_in_place(graph, rng):
    x = pixels(rng, 4, graph)
    x.flags.writeable = False
    model = nbq.Model(graph)
    out = np.zeros((4, 5), dtype=np.int64)
    assert model.run(x, out=out) is out
    assert np.array_equal(out, graph.reference_logits(x))
    with pytest.raises(ValueError, match=r"out: int64 \(4, 5\)"):
        model.run(x[:2], out=out)
    with pytest.raises(TypeError, match="out: a NumPy array is needed, not list"):
        model.run(x, out=out.tolist())
    out.flags.writeable = False
    with pytest.raises(ValueError, match="writable"):
        model.run(x, out=out)


def test_other_strides_are_refused_or_copied_when_asked(graph, rng):
    x = np.asfortranarray(pixels(rng, 4, graph))
    model = nbq.Model(graph)
    with pytest.raises(ValueError, match="not C-contiguous.*copy=True"):
        model.run(x)
    with pytest.raises(ValueError, match="not C-contiguous"):
        model.run(np.ascontiguousarray(x)[::2])
    assert np.array_equal(model.run(x, copy=True), graph.reference_logits(x))


@pytest.mark.parametrize("make, error, message", [
    (lambda x: x.astype(np.int32), TypeError, "int32, uint8 or float32 is needed"),
    (lambda x: x.tolist(), TypeError, "NumPy array is needed, not list"),
    (lambda x: x[:, :1].copy(), ValueError, r"shape is \(2, 1, 9, 8\), the network reads \[n, 2, 9, 8\]"),
    (lambda x: x[0, 0], ValueError, "the network reads"),
    (lambda x: x[:0], ValueError, "0 images"),
    (lambda x: x.astype(np.float32), ValueError, "image 0, channel 0, row 0, column .* must be 0..1"),
])
def test_images_that_do_not_fit(graph, rng, make, error, message):
    x = pixels(rng, 2, graph)
    x[0, 0, 0] = 200
    with pytest.raises(error, match=message):
        nbq.Model(graph).run(make(x))


@pytest.mark.parametrize("options, message", [({"threads": -1}, "-1 threads"),
                                              ({"batch": 0}, "a batch of 0"),
                                              ({"contexts": 0}, "0 contexts"),
                                              ({"isa": "z80"}, "z80")])
def test_bad_options(graph, options, message):
    with pytest.raises(ValueError, match=message):
        nbq.Model(graph, **options)


def test_many_python_threads_share_a_model(graph, rng):
    x = pixels(rng, 16, graph)
    want = graph.reference_logits(x)
    model = nbq.Model(graph, contexts=3)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for got in pool.map(lambda _: model.run(x), range(64)):
            assert np.array_equal(got, want)


def test_evaluation_counts(graph, rng):
    x = pixels(rng, 50, graph)
    labels = np.argmax(graph.reference_logits(x), axis=1)
    labels[:5] = (labels[:5] + 1) % 5
    for batch in (1, 7, 50, 1000):
        result = nbq.Model(graph).evaluate(x, labels, batch=batch)
        assert (result.images, result.correct, result.accuracy) == (50, 45, 90.0)
        assert np.array_equal(result.confusion.sum(axis=1), np.bincount(labels, minlength=5))
    with pytest.raises(ValueError, match="labels: 5..5; the network has 5 outputs"):
        nbq.Model(graph).evaluate(x, np.full(50, 5))
    with pytest.raises(ValueError, match="50 images"):
        nbq.Model(graph).evaluate(x, labels[:4])


def test_what_a_model_tells(graph):
    model = nbq.Model(graph)
    assert model.image_shape == (2, 9, 8) and model.outputs == 5
    assert model.class_names == list("abcde") and model.threads == 1
    assert model.weight_bytes > 0 and model.arena_bytes > 0
    assert model.logit_exp == -3 - 5
    assert "2x9x8 -> 5" in repr(model)


def test_a_run_lets_other_python_threads_work():
    model = nbq.load(ZOO / "resnet20-cifar10-w3a8.nbq")
    x = np.zeros((64, 3, 32, 32), np.uint8)
    started, done = threading.Event(), threading.Event()

    def work():
        started.set()
        model.run(x)
        done.set()

    worker = threading.Thread(target=work)
    worker.start()
    started.wait()
    turns = 0
    while not done.is_set():
        turns += 1
    worker.join()
    assert turns > 100
