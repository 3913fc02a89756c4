"""Costs against the ABC-Net article's table, and against figures worked out by hand."""

from math import floor

import pytest
import torch
from torch import Tensor, nn

from bnnhw.model import (
    BinaryConv2d,
    BinaryConvTranspose2d,
    BinaryLinear,
    InputThreshold,
    Quantise,
    Sign,
    ToChannelsFirst,
)
from bnnhw.model.layers.joins import Add, Concat
from bnnhw.model.methods import method_named
from bnnhw.model.networks.catalogue import NETWORKS, Architecture, build_network
from bnnhw.model.report.energy import access_pj
from bnnhw.model.report.summary import Precision, summarize, theoretical_speedup

U_NET = [32, 32, 64, 64, 128, 128, 256, 256, 512, 512, 256, 256, 128, 128, 64, 64, 32]
"""Input channels of the 17 binary convolutions 3x3 of the U-Net "Learning to see in the dark"; the first and the last
convolution of the network are real."""


@pytest.mark.parametrize(
    ("m", "n", "speedup"),
    [(1, 1, 53.01), (3, 1, 17.74), (3, 3, 5.98), (3, 5, 3.63), (5, 1, 10.68), (5, 3, 3.63), (5, 5, 2.22)],
)
def test_the_speedups_of_the_abc_net_article(m: int, n: int, speedup: float) -> None:
    method = method_named("abc", [f"weight_bases={m}", f"activation_bases={n}"])
    bodies = [
        nn.Sequential(method.activation(), method.conv2d(channels, 8, 3, size=(4, 4), padding=1)) for channels in U_NET
    ]
    layers = [
        cost
        for body, channels in zip(bodies, U_NET, strict=True)
        for cost in summarize(body, (channels, 4, 4), input_bits=32)
    ]
    ends = summarize(nn.Sequential(nn.Conv2d(4, 32, 3), nn.Conv2d(32, 12, 1)), (4, 4, 4), input_bits=32)
    speedups = [cost.speedup for cost in (*layers, *ends)]
    assert len(speedups) == 19
    assert floor(sum(speedups) / 19 * 100) / 100 == speedup  # the article cuts digits off: 53.018 is its 53.01


def test_layers_of_a_network_worked_out_by_hand() -> None:
    network = nn.Sequential(
        ToChannelsFirst(),
        BinaryConv2d(2, 6, 3, groups=2),
        nn.BatchNorm2d(6),
        Quantise(2),
        nn.MaxPool2d(2),
        nn.Flatten(),
        BinaryLinear(24, 5),
        nn.BatchNorm1d(5),
        nn.Sequential(BinaryLinear(5, 4, activation=Sign())),
        nn.Linear(4, 3),
    )
    first, second, third, last = summarize(network, (6, 6, 2), input_bits=8)
    assert [cost.name for cost in (first, second, third, last)] == ["1", "6", "8.0", "9"]
    assert [(str(cost.inputs), str(cost.weights)) for cost in (first, second, third, last)] == [
        ("8", "1"), ("2", "1"), ("1", "1"), ("32", "32")
    ]  # fmt: skip
    assert (first.channels, first.kernel, first.output_shape, first.parameters) == (1, 9, (6, 4, 4), 54)
    assert [cost.macs for cost in (first, second, third, last)] == [9 * 6 * 16, 120, 20, 12]
    assert [cost.weight_bytes for cost in (first, second, third, last)] == [7, 15, 3, 48]
    assert first.speedup == pytest.approx(64 * 9 / (8 * (9 + 64)))
    assert second.speedup == pytest.approx(64 * 24 / (2 * (24 + 64)))
    assert last.speedup == 1
    assert first.energy_pj() == pytest.approx(864 * 0.03 + 1 * 10 + 9 * 10)  # 72 bytes of pixels, 7 of weights
    assert last.energy_pj() == last.energy_pj(as_float32=True) == pytest.approx(12 * 4.6 + 6 * 10 + 2 * 10)
    assert second.energy_pj(as_float32=True) == pytest.approx(120 * 4.6 + 60 * 10 + 12 * 10)


def test_real_inputs_of_binary_weights_are_added() -> None:
    network = nn.Sequential(nn.ReLU(), BinaryLinear(8, 4))
    (cost,) = summarize(network, (8,), input_bits=8)
    assert (str(cost.inputs), cost.speedup) == ("32", 1)
    assert cost.energy_pj() == pytest.approx(32 * 0.9 + 1 * 10 + 4 * 10)


def test_binarised_inputs_have_one_bit_and_the_network_stays_as_it_is() -> None:
    network = build_network(NETWORKS["lenet"], shape=(8, 8, 1), lo=0, hi=16, classes=10, input_bits=1).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert isinstance(next(network.children()), InputThreshold)
    assert [str(cost.inputs) for cost in summarize(network, (8, 8, 1), input_bits=5)] == ["1"] * 4
    assert all(layer.training for layer in network.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert not any(layer._forward_hooks for layer in network.modules())


@pytest.mark.parametrize(
    ("method", "options", "inputs", "weights"),
    [
        ("dorefa", ["weight_bits=3", "activation_bits=4"], "4", "3"),
        ("abc", ["weight_bases=5", "activation_bases=2"], "2 x 1", "5 x 1"),
        ("bwn", [], "8", "1"),
        ("ternary", [], "2", "2"),
        ("xnor", ["input_scale=yes"], "1", "1"),
    ],
)
def test_precisions_of_methods(method: str, options: list[str], inputs: str, weights: str) -> None:
    network = build_network(
        Architecture(widths=(6, 5)), shape=(3, 3, 1), lo=0, hi=1, classes=2, method=method_named(method, options)
    )
    _, *others = summarize(network, (3, 3, 1), input_bits=1)
    assert {(str(cost.inputs), str(cost.weights)) for cost in others} == {(inputs, weights)}


class Meeting(nn.Module):
    """Activations of 2 bits are added and lie beside signs."""

    def __init__(self) -> None:
        super().__init__()
        self.sign, self.codes, self.add, self.join = Sign(), Quantise(2), Add(), Concat()
        self.of_sums, self.of_both, self.of_floats = BinaryLinear(4, 3), BinaryLinear(8, 3), BinaryLinear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        codes = self.codes(x)
        sums = self.add(codes, codes)
        y = self.join(self.of_sums(sums), self.of_both(self.join(self.sign(x), sums)))
        return self.of_floats(y)


def test_precisions_where_branches_meet() -> None:
    assert [str(cost.inputs) for cost in summarize(Meeting(), (4,), input_bits=8)] == ["3", "3", "32"]


def test_planes_share_the_words() -> None:
    one = theoretical_speedup(channels=64, kernel=9, weights=Precision(1), inputs=Precision(1))
    assert one == pytest.approx(57.6)
    assert theoretical_speedup(channels=64, kernel=9, weights=Precision(1, 3), inputs=Precision(4)) == one / 12


@pytest.mark.parametrize(
    ("bits", "size", "pj"), [(64, 8192, 10), (65, 8192, 20), (64, 8193, 20), (64, 1 << 20, 100), (64, 1 << 24, 1300)]
)
def test_memories_grow_dearer(bits: int, size: int, pj: float) -> None:
    assert access_pj(bits, memory_bytes=size) == pj


def test_a_weight_of_a_transposed_convolution_meets_each_input_pixel() -> None:
    network = nn.Sequential(
        ToChannelsFirst(), BinaryConvTranspose2d(2, 3, 4, stride=2, padding=1), nn.Upsample(scale_factor=2)
    )
    (cost,) = summarize(network, (5, 4, 2), input_bits=1)
    assert (cost.channels, cost.kernel, cost.output_shape, cost.macs) == (2, 16, (3, 10, 8), 2 * 3 * 16 * 20)


def test_an_upsampling_keeps_bits() -> None:
    network = nn.Sequential(ToChannelsFirst(), Sign(), nn.Upsample(scale_factor=2), BinaryConv2d(2, 3, 1))
    (cost,) = summarize(network, (2, 2, 2), input_bits=8)
    assert str(cost.inputs) == "1"
