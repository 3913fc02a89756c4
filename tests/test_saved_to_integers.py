"""What `save` accepts is what the compiler makes integers of, equal to torch: chains of any layers in any order."""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model import Affine, BinaryConv2d, BinaryLinear, InputThreshold, Quantise, Sign
from bnnhw.model.errors import ExportError
from bnnhw.model.export.integer_form import check_integer_form
from bnnhw.model.export.layer_check import check_layer
from bnnhw.model.export.layer_format import Layer, encode
from bnnhw.model.export.model_file import ModelFile
from bnnhw.model.export.save_model import save
from bnnhw.model.files import torch_bytes

SHAPE, LO, HI = (3, 3, 2), -8, 7
IMAGES = np.random.default_rng(0).integers(LO, HI + 1, (60, *SHAPE))


def norm(channels: int, *, falls: bool = True) -> nn.Module:
    layer = nn.BatchNorm1d(channels)
    layer.weight.data = torch.randn(channels) if falls else torch.rand(channels)
    layer.bias.data, layer.running_mean = torch.randn(channels), torch.randn(channels)
    return layer


def affine(weight: float, bias: float) -> nn.Module:
    return Affine(torch.tensor([weight]), torch.tensor([bias]))


KINDS: dict[str, Callable[[tuple[int, ...]], nn.Module]] = {
    "threshold": lambda shape: InputThreshold(1.5),
    "sign": lambda shape: Sign(),
    "quantise": lambda shape: Quantise(2),
    "linear": lambda shape: BinaryLinear(shape[-1], 3),
    "scaled": lambda shape: BinaryLinear(shape[-1], 3, scale=True, bias=True),
    "conv": lambda shape: BinaryConv2d(shape[-1], 4, 2, padding=1),
    "conv padded by 1": lambda shape: BinaryConv2d(shape[-1], shape[-1], 1, padding=1, pad_value=1, groups=shape[-1]),
    "norm": lambda shape: norm(shape[-1]),
    "rising norm": lambda shape: norm(shape[-1], falls=False),
    "rise": lambda shape: affine(2 / 7, -1.0),
    "fall": lambda shape: affine(-2 / 7, 1.0),
    "overflow": lambda shape: affine(3e38, 3e38),
    "zero": lambda shape: affine(0.0, 0.0),
    "clip": lambda shape: nn.Hardtanh(),
    "relu": lambda shape: nn.ReLU(),
    "flatten": lambda shape: nn.Flatten(),
    "max": lambda shape: nn.MaxPool2d(2, 1),
    "mean of 4": lambda shape: nn.AvgPool2d(2, 1),
    "mean of 3": lambda shape: nn.AvgPool2d((3, 1), 1),
    "mean": lambda shape: nn.AdaptiveAvgPool2d(1),
}


def network(kinds: Sequence[str]) -> ModelFile | None:
    """The layers one after the other, flattened and with a dense layer at the end where they give no scores; None where
    their shapes do not fit."""
    layers: list[Layer] = []
    shape: tuple[int, ...] = SHAPE

    def add(kind: str) -> None:
        nonlocal shape
        ops = (layer.op for layer in reversed(layers) if layer.op not in ("flatten", "max_pool"))
        if kind == "clip" and next(ops, "") in ("sign", "input_threshold"):
            return  # export leaves it out
        layer = encode(f"{len(layers)} {kind}", KINDS[kind](shape).eval())
        shape = check_layer(layer, shape)
        layers.append(layer)

    try:
        for kind in kinds:
            add(kind)
        if len(shape) > 1:
            add("flatten")
            add("linear")
    except ValueError:
        return None
    meta = {"classes": [str(label) for label in range(shape[0])]}
    return ModelFile(shape=SHAPE, lo=LO, hi=HI, layers=tuple(layers), meta=meta)


def networks(*, pairs: bool, longer: int) -> Iterator[ModelFile]:
    """All chains of two kinds, and so many random ones of three to six."""
    drawn = random.Random(1)
    torch.manual_seed(0)
    for kinds in product(KINDS, repeat=2) if pairs else ():
        if file := network(kinds):
            yield file
    while longer:
        if file := network(drawn.choices(list(KINDS), k=drawn.randint(3, 6))):
            longer -= 1
            yield file


def test_what_has_an_integer_form_is_what_the_compiler_takes(tmp_path) -> None:
    path, taken = tmp_path / "model.pt", 0
    for file in networks(pairs=True, longer=300):
        what = [layer.name for layer in file.layers]
        path.write_bytes(torch_bytes(file.to_plain()))
        try:
            check_integer_form(file.layers, file.shape, file.lo, file.hi)
        except ExportError as error:
            if "overflows float32" in str(error):
                continue  # the compiler may find a use for NaN: as a sign it is -1
            with pytest.raises(ValueError):  # noqa: PT011 each of the compiler's own
                pytest.fail(f"{what} is refused ({error}), but becomes {integerize(load(path))}")
            continue
        answers = PackedKernel(integerize(load(path)))
        with torch.inference_mode():
            scores = file.module()(torch.from_numpy(IMAGES).float())
        assert np.array_equal(answers(IMAGES), scores.numpy().argmax(1)), what
        taken += 1
    assert taken > 100


def test_save_refuses_what_has_no_integer_form(tmp_path) -> None:
    saved = refused = 0
    for file in networks(pairs=False, longer=80):
        try:
            check_integer_form(file.layers, file.shape, file.lo, file.hi)
        except ExportError:
            with pytest.raises(ExportError):
                save(file.module(), tmp_path / "model.pt", example_input=IMAGES, input_range=(LO, HI))
            refused += 1
        else:
            save(file.module(), tmp_path / "model.pt", example_input=IMAGES, input_range=(LO, HI))
            integerize(load(tmp_path / "model.pt"))
            saved += 1
    assert min(saved, refused) > 8
