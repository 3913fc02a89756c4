import pytest
import torch
from torch import nn

from bnnhw.model import BinaryConv2d, BinaryLinear, InputThreshold
from bnnhw.model.networks.catalogue import NETWORKS, Architecture, architecture, build_network


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("tfc", [784, 64, 64, 64, 10]),
        ("sfc", [784, 256, 256, 256, 10]),
        ("lfc", [784, 1024, 1024, 1024, 10]),
        ("mlp-2048", [784, 2048, 2048, 2048, 10]),
        ("mlp-4096", [784, 4096, 4096, 4096, 10]),
    ],
)
def test_sizes(name: str, sizes: list[int]) -> None:
    network = build_network(NETWORKS[name], shape=(28, 28, 1), lo=0, hi=255, classes=10)
    linears = [layer for layer in network.modules() if isinstance(layer, BinaryLinear)]
    assert [linears[0].in_features, *(layer.out_features for layer in linears)] == sizes


def test_the_4096_network_has_the_papers_dropout() -> None:
    network = build_network(NETWORKS["mlp-4096"], shape=(28, 28, 1), lo=0, hi=255, classes=10)
    assert [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)] == [0.2, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("input_bits", [1, 8])
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_any_shape_goes_in_and_a_score_for_each_class_comes_out(depth: int, input_bits: int) -> None:
    network = build_network(
        architecture("mlp", width=7, depth=depth), shape=(5, 4, 3), lo=-8, hi=7, classes=6, input_bits=input_bits
    )
    assert network(torch.randint(-8, 8, (11, 5, 4, 3)).float()).shape == (11, 6)
    assert isinstance(next(network.children()), InputThreshold) == (input_bits == 1)


@pytest.mark.parametrize(("lo", "hi", "threshold"), [(0, 255, 127.5), (0, 16, 8), (-128, 127, -0.5)])
def test_inputs_are_cut_in_the_middle(lo: int, hi: int, threshold: float) -> None:
    network = build_network(Architecture(widths=(4,)), shape=(2, 2, 1), lo=lo, hi=hi, classes=2)
    assert network.get_submodule("binarise").threshold == threshold


def test_layers_have_speaking_names() -> None:
    network = build_network(NETWORKS["tfc"], shape=(2, 2, 1), lo=0, hi=1, classes=2)
    names = [name for name, _ in network.named_modules() if name.count(".") == 1 or name in ("binarise", "flatten")]
    assert names == [
        "binarise", "flatten",
        *(f"hidden{n}.{part}" for n in (1, 2, 3) for part in ("linear", "norm", "sign")),
        "output.linear", "output.norm",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"network": "vgg"},
            "unknown network 'vgg'; known ones are mlp, tfc, sfc, lfc, mlp-2048, mlp-4096, lenet, cnv, "
            "vgg-small, bnn-cifar10, bnn-svhn, densenet7, densenet16, preresnet6, preresnet11, mobilenet8, "
            "mobilenet20, reactnet8, reactnet20, resnet8, resnet18, resnet20, resnet34",
        ),
        (
            {"network": "tfc", "width": 3},
            "network 'tfc' has fixed widths (64, 64, 64); choose a width or depth with 'mlp'",
        ),
        ({"network": "mlp", "width": 0}, "width=0 must be at least 1"),
        ({"network": "mlp", "depth": -2}, "depth=-2 must be at least 1"),
    ],
)
def test_errors(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 the whole message is compared
        architecture(**arguments)
    assert str(caught.value) == message


def test_input_bits_must_be_1_or_8() -> None:
    with pytest.raises(ValueError, match=r"^input_bits=4 must be 1 or 8$"):
        build_network(NETWORKS["tfc"], shape=(2, 2, 1), lo=0, hi=1, classes=2, input_bits=4)


@pytest.mark.parametrize(
    ("name", "channels", "sizes", "shape"),
    [
        ("cnv", [64, 64, 128, 128, 256, 256], [256, 512, 512, 10], (32, 32, 3)),
        ("vgg-small", [128, 128, 256, 256, 512, 512], [8192, 10], (32, 32, 3)),
        ("bnn-cifar10", [128, 128, 256, 256, 512, 512], [8192, 1024, 1024, 10], (32, 32, 3)),
        ("bnn-svhn", [64, 64, 128, 128, 256, 256], [4096, 512, 512, 10], (32, 32, 3)),
        ("lenet", [16, 32], [128, 64, 10], (8, 8, 1)),
        ("lenet", [16, 32], [1568, 64, 10], (28, 28, 1)),
    ],
)
def test_sizes_of_convolutions(name: str, channels: list[int], sizes: list[int], shape: tuple[int, int, int]) -> None:
    network = build_network(NETWORKS[name], shape=shape, lo=0, hi=255, classes=10)
    convolutions = [layer for layer in network.modules() if isinstance(layer, BinaryConv2d)]
    linears = [layer for layer in network.modules() if isinstance(layer, BinaryLinear)]
    assert [layer.out_channels for layer in convolutions] == channels
    assert [linears[0].in_features, *(layer.out_features for layer in linears)] == sizes
    assert [layer.pad_value for layer in convolutions] == [0, *[-1] * (len(channels) - 1)]
    assert network.eval()(torch.zeros(1, *shape)).shape == (1, 10)


def test_the_first_padding_of_binary_pixels_is_minus_one() -> None:
    network = build_network(NETWORKS["lenet"], shape=(8, 8, 1), lo=0, hi=16, classes=10, input_bits=1)
    assert network.get_submodule("conv1.conv").pad_value == -1


def test_images_that_are_too_small_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^images of 8x8 are too small: nothing is left of them behind conv3; choose"):
        build_network(NETWORKS["cnv"], shape=(8, 8, 3), lo=0, hi=255, classes=10)


def test_a_network_with_a_share_of_its_channels() -> None:
    half = architecture("cnv", options=["channels=50"])
    assert isinstance(half, Architecture)
    assert [layer.channels for layer in half.convolutions] == [32, 32, 64, 64, 128, 128]
    assert half.widths == (256, 256)
    assert architecture("tfc", options=["channels=1"]).widths == (1, 1, 1)
    assert architecture("mlp", width=30, options=["channels=50"]).widths == (15, 15, 15)
    assert architecture("lfc", options=["channels=100"]) == NETWORKS["lfc"]
    for percent in (0, 401):
        with pytest.raises(ValueError, match=f"^channels={percent} must lie between 1 and 400 percent$"):
            architecture("cnv", options=[f"channels={percent}"])


def test_dropout_can_be_left_out() -> None:
    def dropouts(*options: str) -> list[float]:
        network = build_network(architecture("mlp-4096", options=options), shape=(4, 4, 1), lo=0, hi=1, classes=2)
        return [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)]

    assert dropouts() == [0.2, 0.5, 0.5, 0.5]
    assert dropouts("dropout=no") == []
