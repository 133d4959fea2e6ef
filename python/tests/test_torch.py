"""nbq.torch: gradients, and integers that equal what modules compute in eval mode."""
import copy
import math

import numpy as np
import pytest

import nbq

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import nbq.torch as nt  # noqa: E402

torch.set_num_threads(1)


class Residual(nn.Module):
    """Every operator that prepare() knows, by module and by function."""

    def __init__(self, channels, rows):
        super().__init__()
        self.stem = nn.Conv2d(channels, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.relu = nn.ReLU()
        self.branch = nn.Sequential(nn.Conv2d(8, 8, 3, padding="same", groups=2, bias=False),
                                    nn.BatchNorm2d(8), nn.ReLU6(),
                                    nn.Conv2d(8, 8, (2, 3), padding="same"), nn.BatchNorm2d(8))  # uneven
        self.pre = nn.BatchNorm2d(16)
        self.point = nn.Conv2d(16, 6, 1)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        x = self.relu(self.norm(self.stem(x)))
        x = F.relu(x + self.branch(x))
        x = torch.cat([F.max_pool2d(x, 3, stride=2, padding=1), nn.functional.avg_pool2d(x, 2)], 1)
        x = self.point(torch.relu(self.pre(x)))
        x = F.adaptive_avg_pool2d(x, 1)
        x = x.view(x.size(0), -1)
        return self.head(self.drop(x))


def randomised(module, seed):
    """Norms of random statistics, so that folding matters."""
    torch.manual_seed(seed)
    for m in module.modules():
        if isinstance(m, nn.BatchNorm2d):
            nn.init.normal_(m.weight, 1, 0.4)
            nn.init.normal_(m.bias, 0, 0.3)
            nn.init.normal_(m.running_mean, 0, 0.3)
            nn.init.uniform_(m.running_var, 0.3, 3)
    return module.eval()


def pixels(seed, n, shape):
    return torch.randint(0, 256, (n, *shape), dtype=torch.uint8,
                         generator=torch.Generator().manual_seed(seed))


def logits(net, x, model):
    with torch.no_grad():
        return np.ldexp(net.eval()(x).double().numpy(), -model.logit_exp)


def learn(net, x, labels, steps, seed=0, lr=0.01, schedule=None, freeze_last=2):
    torch.manual_seed(seed)
    optimizer = torch.optim.Adam(net.parameters(), lr)
    net.train()
    losses = []
    for step in range(steps):
        if schedule is not None:
            nt.set_alpha(net, schedule.alpha(step))
            nt.freeze_norms(net, step >= steps - freeze_last)
        part = torch.randint(0, len(x), (64,))
        loss = F.cross_entropy(net(x[part]), labels[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    return losses


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weight_bits, act_bits, granularity", [
    (1, 8, "layer"), (2, 4, "channel"), (3, 8, "channel"), (4, 8, "layer"), (5, 16, "channel")])
def test_random_residual_networks_are_exact(tmp_path, seed, weight_bits, act_bits, granularity):
    shape = (3, 8 + seed % 2 * 2, 8)
    net = randomised(Residual(shape[0], shape[1]), seed)
    x = pixels(seed, 40, shape)
    made = nt.prepare(net, x, weight_bits=weight_bits, act_bits=act_bits, granularity=granularity,
                      mean=[0.4, 0.5, 0.6], std=[0.2, 0.25, 0.3])
    labels = torch.arange(40) % 4
    learn(made, x, labels, 6, seed, schedule=nt.AlphaSchedule(6, final_steps=2))
    nt.export(made, x[:4], tmp_path / "model.nbq")
    model = nbq.load(tmp_path / "model.nbq")
    assert np.array_equal(logits(made, x, model), model.run(x.numpy()))
    assert np.array_equal(model.run(x.numpy()), model.graph.reference_logits(x.numpy()))


class ByName(nn.Module):
    """Residual's functions, called with names."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 8, 3, padding=1)
        self.relu = nn.ReLU()
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        x = torch.relu(input=self.relu(input=self.stem(input=x)))
        x = torch.add(input=x, other=F.relu6(input=x))
        x = torch.cat(tensors=[F.max_pool2d(input=x, kernel_size=2),
                               F.avg_pool2d(input=x, kernel_size=2, stride=2)], dim=1)
        x = F.adaptive_avg_pool2d(input=F.relu(input=x), output_size=1)
        return self.head(F.dropout(input=torch.flatten(input=x, start_dim=1, end_dim=-1), p=0.5))


def test_calls_with_names():
    torch.manual_seed(0)
    x = pixels(0, 8, (2, 6, 6))
    net = ByName().eval()
    ops = [n.op for n in nt.to_graph(net, (2, 6, 6))]
    assert ops == ["input", "conv2d", "relu", "relu", "relu", "add", "max_pool", "avg_pool", "concat",
                   "relu", "global_avg_pool", "flatten", "linear"]
    nt.export(nt.prepare(net, x), x)


class Mean(nn.Module):
    def forward(self, x):
        return torch.mean(input=x, dim=(2, 3))


def test_a_mean_with_names():
    assert [n.op for n in nt.to_graph(Mean(), (2, 6, 6))] == ["input", "global_avg_pool", "flatten"]


def test_dilated_average_pools_are_exact():
    g = nbq.Graph("dilated", nbq.Stage.FLOAT)
    g.add("image", nbq.InputAttrs(2, 9, 8))
    g.add("mean", nbq.AvgPoolAttrs(nbq.Window((3, 2), stride=2, padding=(1, 0, 2, 1),
                                              dilation=(2, 3))))
    g.add("flat", nbq.FlattenAttrs())
    torch.manual_seed(0)
    features = nt.from_graph(g)(pixels(0, 1, (2, 9, 8))).shape[1]
    g.add("fc", nbq.LinearAttrs(3, False), state={"weight": torch.randn(3, features).numpy()})
    x = pixels(1, 16, (2, 9, 8))
    native = g._native()
    samples = [np.linspace(-1, 1, 99, dtype=np.float32) for _ in g]
    made = nt.from_graph(nbq.Graph._of(native.quantise(4, 8, "nearest", True, [], samples)))
    nt.export(made, x)


def test_wide_accumulators_are_exact():
    net = nn.Sequential(nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.Flatten(),
                        nn.Linear(32 * 36, 7))
    x = pixels(0, 8, (16, 6, 6))
    made = nt.prepare(net, x, weight_bits=5, act_bits=16).eval()
    graph = nt.export(made, x)
    assert max(l.acc_bits for l in graph.info().layers) > 30  # float32 would round


def test_quantised_close_to_float_at_many_bits():
    net = randomised(Residual(3, 8), 1)
    x = pixels(1, 64, (3, 8, 8))
    mean, std = torch.tensor([0.4] * 3).view(-1, 1, 1), torch.tensor([0.3] * 3).view(-1, 1, 1)
    with torch.no_grad():
        want = net((x / 255 - mean) / std)
    made = nt.prepare(net, x, weight_bits=5, act_bits=16, mean=[0.4] * 3, std=[0.3] * 3)
    nt.set_alpha(made, 0.0)
    nt.freeze_norms(made)
    with torch.no_grad():
        got = made(x)  # alpha 0 in training mode: W itself
    inner = F.mse_loss(got, want).sqrt() / want.std()
    assert inner < 0.25  # zero padding became mid-grey, pre's gains are powers of two


def test_gradient_is_the_true_derivative():
    torch.manual_seed(0)
    layer = nt.Conv2d(2, 3, 3, weight_bits=3)
    layer.lock()
    x = torch.randn(4, 2, 5, 5)
    q = nbq.quantize(layer.weight.detach().numpy(), 3)
    for alpha in (0.0, 0.3, 0.9, 1.0):
        nt.set_alpha(layer, alpha)
        blended = (1 - alpha) * layer.weight.detach() + alpha * torch.from_numpy(q.values)
        blended.requires_grad_()
        want = F.conv2d(x, blended, layer.bias)
        want.pow(2).sum().backward()
        layer.zero_grad()
        got = layer(x)
        got.pow(2).sum().backward()
        assert torch.allclose(got, want, atol=1e-6)
        assert torch.allclose(layer.weight.grad, (1 - alpha) * blended.grad, rtol=1e-4, atol=1e-5)
    nt.set_alpha(layer, 0.5, gradient="ste")
    layer.zero_grad()
    layer(x).pow(2).sum().backward()
    assert torch.allclose(layer.weight.grad, blended.grad, rtol=1e-4, atol=1e-5)


def test_finite_differences_agree_with_the_reconstructed_gradient():
    layer = nt.Linear(4, 2, weight_bits=3, bias=False)
    layer.lock()
    nt.set_alpha(layer, 0.6)
    x = torch.randn(8, 4)
    layer(x).pow(2).sum().backward()
    i, h = (1, 2), 1e-3
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            kept = layer.weight[i].clone()
            layer.weight[i] += sign * h
            values.append(float(layer(x).pow(2).sum()))
            layer.weight[i] = kept
    assert math.isclose((values[0] - values[1]) / (2 * h), float(layer.weight.grad[i]), rel_tol=2e-2)


def test_activations_round_half_up_and_pass_gradients_inside():
    from nbq.torch._functional import requantise
    x = torch.tensor([-9.0, -0.5, -0.25, 0.5, 1.25, 200.0], requires_grad=True)
    y = requantise(x, nbq.ActFormat(8, True, -1, lo=0))
    y.sum().backward()
    assert y.tolist() == [0, 0, 0, 0.5, 1.5, 63.5]
    assert x.grad.tolist() == [0, 0, 1, 1, 1, 0]  # inside [lo - 1/2, hi + 1/2) units


def test_live_norms_equal_batch_norm():
    """At alpha 0 and wide formats the taken-up norm is nn.BatchNorm2d, statistics included."""
    torch.manual_seed(3)
    conv, norm = nn.Conv2d(2, 4, 3, bias=False), nn.BatchNorm2d(4)
    nn.init.normal_(norm.weight, 1, 0.5)
    norm.weight.data[0] *= -1
    nn.init.uniform_(norm.running_var, 0.5, 2)
    x = pixels(3, 32, (2, 6, 6))
    net = nn.Sequential(conv, norm, nn.Flatten(), nn.Linear(64, 3))
    made = nt.prepare(copy.deepcopy(net).eval(), x, act_bits=16)
    nt.set_alpha(made, 0.0)
    made.train()
    getattr(made, "0").act = None  # its clamp is not what is compared
    want = norm.train()(conv((x.float() - 128) / 128))
    got = getattr(made, "0")((x.float() - 128) / 128)
    assert torch.allclose(got, want, atol=1e-5)
    taken = getattr(made, "0").norm
    assert torch.allclose(taken.running_mean, norm.running_mean, atol=1e-4)
    assert torch.allclose(taken.running_var, norm.running_var, rtol=1e-3)
    (want ** 2).sum().backward()
    (got ** 2).sum().backward()
    assert torch.allclose(getattr(made, "0").weight.grad, conv.weight.grad, rtol=1e-3, atol=1e-3)
    assert torch.allclose(taken.weight.grad, norm.weight.grad, rtol=1e-4, atol=1e-3)


def test_exponents_are_the_quantizers_and_locked():
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 5), nn.ReLU(), nn.Linear(5, 3))
    x = pixels(4, 40, (1, 4, 4))
    made = nt.prepare(net, x, weight_bits=4)
    first = getattr(made, "1")
    want = nbq.fit(net[1].weight.detach().numpy(), 4)
    assert np.array_equal(first.exps.numpy(), want)
    learn(made, x, torch.arange(40) % 3, 20, lr=0.1, schedule=nt.AlphaSchedule(20))
    assert np.array_equal(first.exps.numpy(), want)


def test_layers_of_their_own_bits():
    net = nn.Sequential(nt.Conv2d(1, 4, 3, weight_bits=5), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(),
                        nn.Flatten(), nn.Linear(64, 3))
    x = pixels(5, 16, (1, 8, 8))
    info = nt.export(nt.prepare(net, x, layers={"5": 2}), x).info()
    assert [l.weight_bits for l in info.layers if l.weight_bits] == [5, 3, 2]
    with pytest.raises(ValueError, match="no layer is named head"):
        nt.prepare(net, x, layers={"head": 2})
    with pytest.raises(ValueError, match="head"):
        nt.prepare(net, x, layers={"head": 9})


def test_a_network_written_by_hand():
    torch.manual_seed(6)
    image, relu = nbq.ActFormat(8, True, -7), nbq.ActFormat(8, False, -6)
    net = nn.Sequential(nt.Image(1, 6, 6), nt.Conv2d(1, 4, 3, weight_bits=4, act=relu),
                        nt.GlobalAvgPool2d().requantised(relu), nt.Flatten(),
                        nt.Linear(4, 3, granularity="layer"))
    x = pixels(6, 20, (1, 6, 6))
    with pytest.raises(nbq.Error, match="1: .*quantised layers"):
        nt.export(net, x)
    net[1].lock(operand=image)
    net[4].lock(operand=relu)
    graph = nt.export(net, x)
    assert np.array_equal(logits(net, x, nbq.Model(graph)), nbq.Model(graph).run(x.numpy()))


def test_quantised_networks_go_on_after_a_break(tmp_path):
    x = pixels(7, 32, (3, 8, 8))
    made = nt.prepare(randomised(Residual(3, 8), 7), x, class_names=list("abcd"))
    learn(made, x, torch.arange(32) % 4, 3, schedule=nt.AlphaSchedule(3))
    nt.quantised_graph(made).save(tmp_path / "quantised.nbq")
    again = nt.from_graph(nbq.Graph.load(tmp_path / "quantised.nbq"))
    with torch.no_grad():
        assert torch.equal(again.eval()(x), made.eval()(x))
    learned = copy.deepcopy(made)
    with torch.no_grad():
        assert torch.equal(learned.eval()(x), made.eval()(x))
    again.load_state_dict(made.state_dict())
    torch.save(made, tmp_path / "made.pt")
    options = {"weights_only": False} if torch.__version__ >= "2" else {}
    read = torch.load(tmp_path / "made.pt", **options)
    for network in (learned, read):
        assert nt.export(network, x).to_bytes() == nt.export(made, x).to_bytes()


def test_digits_in_a_few_seconds(tmp_path, digits):
    (x, y), (test_x, test_y) = digits
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
                        nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(32),
                        nn.ReLU(), nn.Flatten(), nn.Linear(512, 10))
    learn(net, (x.float() - 128) / 128, y, 200)
    made = nt.prepare(net.eval(), x[:256], weight_bits=3, class_names=list("0123456789"))
    learn(made, x, y, 200, lr=0.002, freeze_last=20, schedule=nt.AlphaSchedule(200, final_steps=20))
    nt.export(made, x[:8], tmp_path / "digits.nbq")
    model = nbq.load(tmp_path / "digits.nbq")
    assert np.array_equal(logits(made, torch.from_numpy(test_x), model), model.run(test_x))
    assert model.evaluate(test_x, test_y).accuracy > 90
    assert model.class_names == list("0123456789")


def test_float_graphs(tmp_path):
    net = randomised(Residual(3, 8), 8)
    graph = nt.to_graph(net, (3, 8, 8), mean=[0.4] * 3, std=[0.3] * 3)
    graph.save(tmp_path / "float.nbq")
    read = nbq.Graph.load(tmp_path / "float.nbq")
    assert read.stage == nbq.Stage.FLOAT and read["stem"].state["weight"].shape == (8, 3, 3, 3)
    x = pixels(8, 4, (3, 8, 8))
    with torch.no_grad():
        want = net((x / 255 - 0.4) / 0.3)
        assert torch.allclose(nt.from_graph(read).eval()(x), want, atol=1e-4)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x):
        return self.conv(self.conv(x))


class Branches(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


@pytest.mark.parametrize("make, message", [
    (lambda: nn.Sequential(nn.Conv2d(1, 1, 3), nn.Sigmoid()), "1: Sigmoid is no layer"),
    (Twice, "conv: it is used twice"),
    (Branches, "Branches: torch.fx can't trace it"),
    (lambda: nn.Sequential(nn.Conv2d(1, 1, 3), nn.MaxPool2d(2, ceil_mode=True)), "1: ceil_mode=True"),
    (lambda: nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")), "0: padding_mode"),
    (lambda: nn.Sequential(nn.AvgPool2d(3, padding=1, count_include_pad=False)), "count_include_pad"),
    (lambda: nn.Sequential(nn.Conv2d(2, 1, 3)), "0: "),
    (lambda: nn.Sequential(nn.Linear(8, 2)), "0: linear needs a flat input"),
    (lambda: nn.Sequential(nn.AdaptiveAvgPool2d(2)), "output_size 2"),
])
def test_modules_that_nbq_has_no_layers_for(make, message):
    with pytest.raises(nbq.Error, match=message):
        nt.prepare(make(), pixels(0, 4, (1, 8, 8)))


def test_arguments_out_of_range():
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    x = pixels(0, 4, (1, 4, 4))
    for options, message in (({"weight_bits": 6}, "weight_bits is 6"), ({"act_bits": 1}, "act_bits is 1"),
                             ({"quantizer": "best"}, "no quantizer is named best"),
                             ({"granularity": "row"}, "granularity 'row'")):
        with pytest.raises(ValueError, match=message):
            nt.prepare(net, x, **options)
    with pytest.raises(ValueError, match="uint8"):
        nt.prepare(net, x.float())
    with pytest.raises(ValueError, match="alpha is 2"):
        nt.set_alpha(net, 2)
    with pytest.raises(ValueError, match="kind"):
        nt.AlphaSchedule(5, "cubic")
    made = nt.prepare(net, x)
    with pytest.raises(ValueError, match=r"the network reads \[n, 1, 4, 4\]"):
        made(x[:, :, :2])
    with pytest.raises(nbq.Error, match="quantised already|no layer"):
        nt.prepare(made, x)
    with pytest.raises(ValueError, match="doesn't learn"):
        nt.from_graph(nt.export(made, x))


def test_an_export_that_differs_is_refused(tmp_path):
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    x = pixels(0, 4, (1, 4, 4))
    made = nt.prepare(net, x)
    getattr(made, "1").finish = lambda acc: acc + 1
    with pytest.raises(nbq.Error, match="example 0, output 0: the module gives"):
        nt.export(made, x, tmp_path / "model.nbq")
    assert not list(tmp_path.iterdir())


def test_export_wants_pixels_and_leaves_modes_alone():
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 2), nn.ReLU(), nn.Linear(2, 2))
    x = pixels(0, 4, (1, 4, 4))
    made = nt.prepare(net, x)
    for bad in (x.float() / 255, x[0], x[:0]):
        with pytest.raises(ValueError, match=r"example: torch\..*uint8 \[n, channels, rows, columns\]"):
            nt.export(made, bad)
    getattr(made, "1").eval()
    modes = [m.training for m in made.modules()]
    assert True in modes and False in modes
    nt.export(made, x)
    assert [m.training for m in made.modules()] == modes
    with pytest.raises(ValueError, match="the network reads"):
        nt.export(made, x[:, :, :2])
    assert [m.training for m in made.modules()] == modes


def test_normalisation_as_arrays():
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(32, 2))
    x = pixels(0, 4, (3, 6, 6))
    mean, std = [0.25, 0.5, 0.75], [0.125, 0.25, 0.5]
    want = nt.to_graph(net, (3, 6, 6), mean=mean, std=std).to_bytes()
    for kind in (np.array, torch.tensor, tuple):
        assert nt.to_graph(net, (3, 6, 6), mean=kind(mean), std=kind(std)).to_bytes() == want
        nt.export(nt.prepare(net, x, mean=kind(mean), std=kind(std)), x)
    assert nt.Image(3, 6, 6, np.array(mean), np.array(std), quantised=False)(x).shape == x.shape
    with pytest.raises(ValueError, match=r"image: \(6, 6\)"):
        nt.to_graph(net, (6, 6))


def test_schedules():
    s = nt.AlphaSchedule(10, one_minus_alpha=(0.5, 0.01), final_steps=2)
    assert s.alpha(0) == 0.5 and math.isclose(s.alpha(7), 0.99) and s.alpha(8) == s.alpha(99) == 1
    assert all(a < b for a, b in zip(map(s.alpha, range(8)), map(s.alpha, range(1, 9))))
    ramp = nt.AlphaSchedule(10, "linear", (0.4, 0.2), ramp_steps=3)
    assert [round(ramp.alpha(i), 9) for i in range(4)] == [0.6, 0.7, 0.8, 0.8]
    assert nt.AlphaSchedule(3, "constant", (0.2, 0.2)).alpha(1) == 0.8
