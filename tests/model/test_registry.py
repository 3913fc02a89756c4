"""An elementwise op and its torch layer, written outside the package: two definitions, from torch to integers."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.compiler import evaluate, integerize, load
from bnnhw.compiler.ir.ops.base import Op, as_float32
from bnnhw.compiler.ir.ops.kinds import Elementwise
from bnnhw.compiler.ir.ops.stored import OPS, stored_as
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.model import Affine, BinaryLinear, InputThreshold, Quantise, Sign, TensorNorm, registry
from bnnhw.model import load as load_module
from bnnhw.model.errors import ExportError
from bnnhw.model.export.save_model import save
from bnnhw.model.registry import module_of, op_of, op_of_call
from tests.model.toy import SHAPE, names_and_ops, random_images, scramble


class Leaky(nn.Module):
    """A user's layer: y = x where x > 0, else slope * x."""

    def __init__(self, slope: float):
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, x * self.slope)


def define() -> type[Op]:
    """What a user writes: the op, and which module it is."""

    @stored_as("leaky_relu")
    @dataclass(frozen=True)
    class LeakyRelu(Elementwise):
        """y = x where x > 0, else slope * x, rounded once."""

        MONOTONE = True

        slope: float

        def reference(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
            x = as_float32(inputs[0])
            return np.where(x > 0, x, x * np.float32(self.slope))

    @op_of(Leaky, nn.LeakyReLU)
    def op(module: Leaky | nn.LeakyReLU) -> LeakyRelu:
        return LeakyRelu(module.slope if isinstance(module, Leaky) else module.negative_slope)

    @op_of_call(functional.leaky_relu)
    def call(slope: float = 0.01) -> LeakyRelu:
        return LeakyRelu(slope)

    @module_of(LeakyRelu)
    def module(op: LeakyRelu) -> Leaky:
        return Leaky(op.slope)

    return LeakyRelu


@pytest.fixture(autouse=True)
def forgets() -> Iterator[None]:
    """What a test makes known is unknown to the next one."""
    tables: list[dict[Any, Any]] = [OPS, registry._OPS, registry._CALLS, registry._MAKERS]
    before = [dict(table) for table in tables]
    yield
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)


class Calling(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(x, 0.3)


def network(layer: nn.Module, activation: nn.Module) -> nn.Sequential:
    """The layer once before an activation of sums, its kink somewhere among them, once behind the last sums."""
    return nn.Sequential(
        InputThreshold(127.5), nn.Flatten(), BinaryLinear(12, 9), nn.BatchNorm1d(9), layer,
        Affine(torch.tensor([0.7]), torch.tensor([0.2])), activation, BinaryLinear(9, 3), TensorNorm(), Leaky(0.25),
    ).eval()  # fmt: skip


@pytest.mark.parametrize("activation", [Sign(), Quantise(2)], ids=repr)
@pytest.mark.parametrize("layer", [Leaky(0.3), nn.LeakyReLU(0.3), Calling()], ids=["own", "torch's", "function"])
def test_a_users_op_goes_from_torch_to_integers(tmp_path: Path, layer: nn.Module, activation: nn.Module) -> None:
    leaky = define()
    module, images = scramble(network(layer, activation)), random_images(400, seed=5)
    path = tmp_path / "model.pt"
    graph = save(module, path, example_input=images)
    assert [op for _, op in names_and_ops(graph)].count("leaky_relu") == 2
    assert sum(isinstance(node.op, leaky) for node in load(path).nodes) == 2
    x = torch.from_numpy(images).float()
    scores = module(x)
    assert torch.equal(load_module(path)(x), scores)
    feed = {graph.inputs[0].name: images}
    (traced,) = evaluate(load(path), feed).values()
    np.testing.assert_array_equal(traced, scores.detach().numpy())
    integers = integerize(load(path), check=True)
    (labels,) = evaluate(integers, feed).values()
    np.testing.assert_array_equal(labels, scores.argmax(1).numpy())
    np.testing.assert_array_equal(PackedKernel(integers)(images), labels)


def test_a_layer_that_nobody_registered_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"^layer '4' is a Softplus, which export does not support; supported are Ad"):
        save(network(nn.Softplus(), Sign()), tmp_path / "model.pt", example_input=random_images())


def test_an_op_without_a_layer_has_no_torch_network(tmp_path: Path) -> None:
    leaky = define()
    registry._MAKERS.pop((leaky, None))
    with pytest.raises(ValueError, match=r"^layer '4' \(LeakyRelu\) has no layer in torch$"):
        save(network(Leaky(0.3), Sign()), tmp_path / "model.pt", example_input=random_images())


def test_a_layer_for_some_inputs_only_says_so() -> None:
    op = registry.to_op("x", nn.BatchNorm1d(3).eval())
    assert isinstance(op, Op)
    with pytest.raises(ValueError, match=r"^layer 'x' \(BatchNorm\) needs an input with 1 or 3 axes, not \(4, 3\)$"):
        registry.to_module("x", op, SHAPE[:2])
