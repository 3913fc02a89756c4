"""What the compiler makes integers of is equal to torch, and is what `save` accepts: any layers in any order."""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from bnnhw.compiler.errors import FoldError, GraphError, ModelError
from bnnhw.compiler.frontends.model_file import load, to_plain
from bnnhw.compiler.ir.graph import Graph, Node, Value
from bnnhw.compiler.ir.ops import BinaryLayer, Op
from bnnhw.compiler.ir.types import FloatType, IntType, TensorType
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model import Affine, BinaryConv2d, BinaryLinear, InputThreshold, Quantise, Sign
from bnnhw.model.errors import ExportError
from bnnhw.model.export.modules import network_of
from bnnhw.model.export.save_model import save
from bnnhw.model.files import torch_bytes
from bnnhw.model.registry import to_op

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
    "leaking relu": lambda shape: nn.LeakyReLU(0.3),
    "flatten": lambda shape: nn.Flatten(),
    "max": lambda shape: nn.MaxPool2d(2, 1),
    "unshuffle": lambda shape: nn.PixelUnshuffle(2),
    "shuffle": lambda shape: nn.PixelShuffle(2),
    "nearest": lambda shape: nn.Upsample(scale_factor=2),
    "bilinear": lambda shape: nn.Upsample(scale_factor=2, mode="bilinear"),
    "crop": lambda shape: nn.ZeroPad2d((0, -1, 0, 0)),
    "mean of 4": lambda shape: nn.AvgPool2d(2, 1),
    "mean of 3": lambda shape: nn.AvgPool2d((3, 1), 1),
    "mean": lambda shape: nn.AdaptiveAvgPool2d(1),
}


def trained(kinds: Sequence[str]) -> Graph | None:
    """The layers one after the other, flattened and with a dense layer at the end where they give no scores; None where
    their shapes do not fit. Unchecked: it may read floats where it must not."""
    nodes: list[Node] = []
    type_ = TensorType(SHAPE, IntType(LO, HI))

    def add(kind: str) -> None:
        nonlocal type_
        name = f"{len(nodes)} {kind}"
        op = to_op(name, KINDS[kind](type_.shape).eval())
        assert isinstance(op, Op)
        if isinstance(op, BinaryLayer):
            type_ = TensorType(op.product.output_shape(type_.shape), FloatType())
        else:
            type_ = op.infer(type_)
        nodes.append(Node(name, op, (nodes[-1].output if nodes else "x",), name))

    try:
        for kind in kinds:
            add(kind)
        if len(type_.shape) > 1:
            add("flatten")
            add("linear")
    except ValueError:
        return None
    meta = {"classes": [str(label) for label in range(type_.size)]}
    return Graph((Value("x", TensorType(SHAPE, IntType(LO, HI))),), tuple(nodes), (nodes[-1].output,), meta)


def graphs(*, pairs: bool, longer: int) -> Iterator[Graph]:
    """All chains of two kinds, and so many random ones of three to six."""
    drawn = random.Random(1)
    torch.manual_seed(0)
    for kinds in product(KINDS, repeat=2) if pairs else ():
        if graph := trained(kinds):
            yield graph
    while longer:
        if graph := trained(drawn.choices(list(KINDS), k=drawn.randint(3, 6))):
            longer -= 1
            yield graph


def scores(graph: Graph) -> np.ndarray:
    with torch.inference_mode():
        return network_of(graph)(torch.from_numpy(IMAGES).float()).numpy()


def test_what_the_compiler_takes_is_equal_to_torch(tmp_path) -> None:
    path, taken = tmp_path / "model.pt", 0
    for graph in graphs(pairs=True, longer=300):
        what = [node.name for node in graph.nodes]
        path.write_bytes(torch_bytes(to_plain(graph)))
        try:
            answers = PackedKernel(integerize(load(path)))
        except (FoldError, ModelError):
            continue
        assert np.array_equal(answers(IMAGES), scores(load(path)).argmax(1)), what
        taken += 1
    assert taken > 100


def test_save_refuses_what_has_no_integer_form(tmp_path) -> None:
    saved = refused = 0
    for graph in graphs(pairs=False, longer=100):
        try:
            module = network_of(graph)
        except GraphError:
            continue  # floats where none may be: torch has no layers for that either
        try:
            integerize(graph)
        except FoldError:
            with pytest.raises(ExportError):
                save(module, tmp_path / "model.pt", example_input=IMAGES, input_range=(LO, HI))
            assert not (tmp_path / "model.pt").exists()
            refused += 1
        else:
            save(module, tmp_path / "model.pt", example_input=IMAGES, input_range=(LO, HI))
            integerize(load(tmp_path / "model.pt"))
            (tmp_path / "model.pt").unlink()
            saved += 1
    assert min(saved, refused) > 8, (saved, refused)
