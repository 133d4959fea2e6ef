"""One training step of Brevitas at a time: for each line on stdin, the seconds of one step on stdout.

The network is nbq's resnet_cifar: 3-bit weights per output channel, 8-bit activations, batch norm live.
Arguments: depth batch channels height width classes threads clock (wall or cpu). Needs torch 1.13 and brevitas (scripts/bench-setup).
"""
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import torch
from torch import nn
import brevitas.nn as qnn
from brevitas.quant import Int8ActPerTensorFloat, Int8WeightPerChannelFloat, Uint8ActPerTensorFloat


class Weight3(Int8WeightPerChannelFloat):
    bit_width = 3


def conv(inputs, outputs, kernel, stride):
    return qnn.QuantConv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False,
                           weight_quant=Weight3)


def relu():
    return qnn.QuantReLU(act_quant=Uint8ActPerTensorFloat)


def identity():
    return qnn.QuantIdentity(act_quant=Int8ActPerTensorFloat)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.main = nn.Sequential(conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs), relu(),
                                  conv(outputs, outputs, 3, 1), nn.BatchNorm2d(outputs), identity())
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs),
                                          identity())
        self.relu = relu()

    def forward(self, x):
        return self.relu(self.main(x) + self.shortcut(x))


def resnet(depth, channels, classes):
    if depth < 8 or depth % 6 != 2:
        sys.exit(f"brevitas_step: depth must be 6 n + 2, it is {depth}")
    blocks = (depth - 2) // 6
    layers = [identity(), conv(channels, 16, 3, 1), nn.BatchNorm2d(16), relu()]
    inputs = 16
    for stage in range(3):
        for block in range(blocks):
            outputs = 16 << stage
            layers.append(Block(inputs, outputs, 2 if stage > 0 and block == 0 else 1))
            inputs = outputs
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), identity(),
               qnn.QuantLinear(inputs, classes, bias=True, weight_quant=Weight3)]
    return nn.Sequential(*layers)


class Stepper:
    def __init__(self, net, images, labels, layout, clock):
        self.clock = clock
        self.net = net.to(memory_format=layout)
        self.images = images.contiguous(memory_format=layout)
        self.labels = labels
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9, nesterov=True,
                                         weight_decay=5e-4)

    def step(self):
        start = self.clock()
        logits = self.net(self.images)
        loss = nn.functional.cross_entropy(logits, self.labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return self.clock() - start


def faster_layout(make):
    """Stepper in whichever memory layout suits Brevitas better."""
    steppers = [make(torch.channels_last), make(torch.contiguous_format)]
    times = [min(s.step() for _ in range(4)) for s in steppers]
    return steppers[times.index(min(times))]


def main():
    depth, batch, channels, height, width, classes, threads = map(int, sys.argv[1:-1])
    clock = time.process_time if sys.argv[-1] == "cpu" else time.perf_counter
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    images, labels = torch.randn(batch, channels, height, width), torch.arange(batch) % classes
    stepper = faster_layout(lambda layout: Stepper(resnet(depth, channels, classes), images, labels, layout,
                                                    clock))
    print("ready", flush=True)
    for _ in sys.stdin:
        print(stepper.step(), flush=True)


main()
