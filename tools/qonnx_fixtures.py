"""Networks from Brevitas as QONNX files: tests/data/qonnx. Needs brevitas 0.13, qonnx and onnxoptimizer.

python tools/qonnx_fixtures.py tests/data/qonnx [NAME ..]
"""

import sys
from collections.abc import Callable
from pathlib import Path

import brevitas.nn as qnn
import onnx
import torch
from brevitas.core.restrict_val import RestrictValueType
from brevitas.core.scaling import ScalingImplType
from brevitas.export import export_qonnx
from brevitas.quant import (
    Int8ActPerTensorFloat,
    Int8WeightPerChannelFloat,
    Int8WeightPerTensorFloat,
    ShiftedUint8ActPerTensorFloat,
    SignedBinaryActPerTensorConst,
    SignedBinaryWeightPerTensorConst,
    SignedTernaryActPerTensorConst,
    SignedTernaryWeightPerTensorConst,
)
from torch import Tensor, nn


class BinaryWeight(SignedBinaryWeightPerTensorConst):
    scaling_const = 1.0


class BinaryAct(SignedBinaryActPerTensorConst):
    scaling_const = 1.0


class ScaledBinaryWeight(SignedBinaryWeightPerTensorConst):
    scaling_impl_type = ScalingImplType.STATS
    scaling_stats_op = "ave"
    scaling_per_output_channel = True


class TernaryWeight(SignedTernaryWeightPerTensorConst):
    scaling_const = 0.125


class TernaryAct(SignedTernaryActPerTensorConst):
    scaling_const = 1.0


class PowerOfTwoAct(Int8ActPerTensorFloat):
    restrict_scaling_type = RestrictValueType.POWER_OF_TWO


def conv(into: int, out: int, size: int = 3, **options) -> qnn.QuantConv2d:
    return qnn.QuantConv2d(into, out, size, **{"bias": False, **options})


def linear(into: int, out: int, **options) -> qnn.QuantLinear:
    return qnn.QuantLinear(into, out, **{"bias": False, **options})


def fc_w1a1() -> nn.Module:
    binary = {"weight_quant": BinaryWeight}
    return nn.Sequential(
        nn.Flatten(), qnn.QuantIdentity(act_quant=BinaryAct), linear(64, 32, **binary), nn.BatchNorm1d(32),
        qnn.QuantIdentity(act_quant=BinaryAct), linear(32, 10, **binary),
    )  # fmt: skip


class Normalised(nn.Module):
    """Pixels over 255, then 2x - 1."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            qnn.QuantIdentity(act_quant=BinaryAct), linear(64, 24, weight_quant=ScaledBinaryWeight),
            nn.BatchNorm1d(24), nn.Dropout(), qnn.QuantIdentity(act_quant=TernaryAct),
            linear(24, 10, weight_quant=TernaryWeight), nn.BatchNorm1d(10),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(2 * (x / 255).flatten(1) - 1)


def fc_w2a2() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), qnn.QuantIdentity(bit_width=8, act_quant=PowerOfTwoAct), linear(64, 24, weight_bit_width=2),
        nn.BatchNorm1d(24), qnn.QuantReLU(bit_width=2), linear(24, 16, weight_bit_width=2), nn.BatchNorm1d(16),
        qnn.QuantReLU(bit_width=2), linear(16, 10, weight_bit_width=2, bias=True),
    )  # fmt: skip


def conv_w1a1() -> nn.Module:
    """As FINN's cnv: convolutions without padding, poolings before batch norm and sign, three linear layers."""
    binary = {"weight_quant": BinaryWeight}

    def act() -> nn.Module:
        return qnn.QuantIdentity(act_quant=BinaryAct)

    return nn.Sequential(
        qnn.QuantIdentity(bit_width=8, act_quant=PowerOfTwoAct), conv(3, 8, **binary), nn.BatchNorm2d(8), act(),
        conv(8, 8, **binary), nn.MaxPool2d(2), nn.BatchNorm2d(8), act(), conv(8, 16, **binary), nn.BatchNorm2d(16),
        act(), nn.Flatten(), linear(144, 32, **binary), nn.BatchNorm1d(32), act(), linear(32, 10, **binary),
    )  # fmt: skip


def conv_net(bits: int, weight_quant: type = Int8WeightPerTensorFloat) -> nn.Module:
    weights = {"weight_bit_width": bits, "weight_quant": weight_quant}
    return nn.Sequential(
        qnn.QuantIdentity(bit_width=8, act_quant=PowerOfTwoAct), conv(3, 8, padding=1, **weights), nn.BatchNorm2d(8),
        qnn.QuantReLU(bit_width=bits), nn.MaxPool2d(2), conv(8, 12, padding=1, stride=2, **weights),
        nn.BatchNorm2d(12), qnn.QuantReLU(bit_width=bits), nn.Flatten(), linear(12 * 9, 10, bias=True, **weights),
    )  # fmt: skip


def depthwise() -> nn.Module:
    return nn.Sequential(
        qnn.QuantIdentity(bit_width=8, act_quant=Int8ActPerTensorFloat),
        conv(3, 8, stride=2, padding=1, weight_bit_width=4), nn.BatchNorm2d(8), qnn.QuantReLU(bit_width=4),
        conv(8, 8, padding=1, groups=8, weight_bit_width=4), nn.BatchNorm2d(8), qnn.QuantReLU(bit_width=4),
        conv(8, 16, 1, weight_bit_width=4, bias=True), nn.BatchNorm2d(16), qnn.QuantReLU(bit_width=4),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear(16, 10, weight_bit_width=4, bias=True),
    )  # fmt: skip


class Residual(nn.Module):
    """A sum of two activations of one quantiser."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        weights = {"weight_bit_width": bits}
        self.first = nn.Sequential(
            qnn.QuantIdentity(bit_width=8, act_quant=PowerOfTwoAct), conv(3, 8, padding=1, **weights), nn.BatchNorm2d(8)
        )
        self.shared = qnn.QuantReLU(bit_width=bits)
        self.branch = nn.Sequential(conv(8, 8, padding=1, **weights), nn.BatchNorm2d(8))
        self.last = nn.Sequential(
            conv(8, 8, **weights), nn.BatchNorm2d(8), qnn.QuantReLU(bit_width=bits), nn.Flatten(),
            linear(8 * 64, 10, **weights),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        x = self.shared(self.first(x))
        return self.last(x + self.shared(self.branch(x)))


class BinaryResidual(nn.Module):
    """A sum of two products, then batch norm and sign."""

    def __init__(self) -> None:
        super().__init__()
        binary = {"weight_quant": BinaryWeight}
        self.first = nn.Sequential(
            qnn.QuantIdentity(bit_width=8, act_quant=PowerOfTwoAct), conv(3, 8, **binary), nn.BatchNorm2d(8)
        )
        self.sign, self.again = qnn.QuantIdentity(act_quant=BinaryAct), qnn.QuantIdentity(act_quant=BinaryAct)
        self.a, self.b = conv(8, 8, padding=1, **binary), conv(8, 8, 1, **binary)
        self.norm, self.last = nn.BatchNorm2d(8), linear(8 * 64, 10, **binary)

    def forward(self, x: Tensor) -> Tensor:
        x = self.sign(self.first(x))
        return self.last(self.again(self.norm(self.a(x) + self.b(x))).flatten(1))


class UNet(nn.Module):
    """Down, up, and a skip beside it; an image comes out."""

    def __init__(self) -> None:
        super().__init__()
        weights = {"weight_bit_width": 3}
        self.first = nn.Sequential(
            qnn.QuantIdentity(bit_width=8, act_quant=PowerOfTwoAct), conv(3, 6, padding=1, **weights), nn.BatchNorm2d(6)
        )
        self.shared = qnn.QuantReLU(bit_width=3)
        self.down = nn.Sequential(nn.MaxPool2d(2), conv(6, 8, padding=1, **weights), nn.BatchNorm2d(8))
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.last = conv(14, 2, 1, bias=True, **weights)

    def forward(self, x: Tensor) -> Tensor:
        x = self.shared(self.first(x))
        return self.last(torch.cat([x, self.up(self.shared(self.down(x)))], dim=1))


def signed() -> nn.Module:
    """Signed activations, one of them with a zero point of its own, leaking rectifiers between."""
    return nn.Sequential(
        qnn.QuantIdentity(bit_width=8, act_quant=PowerOfTwoAct), conv(3, 8, weight_bit_width=4), nn.BatchNorm2d(8),
        nn.LeakyReLU(0.125), qnn.QuantIdentity(bit_width=3, act_quant=Int8ActPerTensorFloat), nn.MaxPool2d(2),
        conv(8, 8, weight_bit_width=4), nn.BatchNorm2d(8),
        qnn.QuantIdentity(bit_width=4, act_quant=ShiftedUint8ActPerTensorFloat), nn.Flatten(),
        linear(8 * 4, 10, weight_bit_width=4),
    )  # fmt: skip


IMAGE = (3, 12, 12)
NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "fc_w1a1": (fc_w1a1, (1, 8, 8)),
    "fc_normalised": (Normalised, (1, 8, 8)),
    "fc_w2a2": (fc_w2a2, (1, 8, 8)),
    "conv_w1a1": (conv_w1a1, (3, 14, 14)),
    "conv_w2a2": (lambda: conv_net(2), IMAGE),
    "conv_w3a3_by_channel": (lambda: conv_net(3, Int8WeightPerChannelFloat), IMAGE),
    "conv_w4a4": (lambda: conv_net(4), IMAGE),
    "depthwise_w4a4": (depthwise, IMAGE),
    "residual_w2a2": (lambda: Residual(2), (3, 10, 10)),
    "residual_w1a1": (BinaryResidual, (3, 10, 10)),
    "unet_w3a3": (UNet, (3, 8, 8)),
    "signed_w4a4": (signed, (3, 10, 10)),
}


def prepared(make: Callable[[], nn.Module], shape: tuple[int, ...], *, pixels: bool) -> nn.Module:
    """A network whose statistics and scales have seen inputs, some of its channels falling."""
    torch.manual_seed(0)
    network = make()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(layer.weight)
            nn.init.normal_(layer.bias, std=0.3)
    for _ in range(30):
        network(torch.rand(16, *shape) * 255 if pixels else torch.randn(16, *shape))
    return network.eval()


def strip(path: Path) -> None:
    """Without what the exporter says of itself, which is most of a small file."""
    model = onnx.load(path)
    graph = model.graph
    for each in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del each.metadata_props[:]
        each.doc_string = ""
    onnx.save(model, path)


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or NETWORKS:
        make, shape = NETWORKS[name]
        path = folder / f"{name}.onnx"
        network = prepared(make, shape, pixels=make is Normalised)
        export_qonnx(network, args=torch.zeros(1, *shape), export_path=str(path))
        path.with_suffix(".onnx.data").unlink(missing_ok=True)  # torch leaves it behind
        strip(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
