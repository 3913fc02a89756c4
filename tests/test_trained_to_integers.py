"""From torch to integers, through the file: torch in eval mode, the trained graph, the integer graph, packed bits."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from bnnhw.compiler import evaluate, integerize, load
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.model import BinaryLinear, InputThreshold, Sign
from bnnhw.model.export.save_model import save
from bnnhw.model.networks.catalogue import Architecture, build_network

SHAPE = (8, 8, 1)


def named(input_bits: int) -> nn.Module:
    return build_network(Architecture(widths=(48, 32)), shape=SHAPE, lo=0, hi=255, classes=10, input_bits=input_bits)


def own() -> nn.Module:
    """Scales, biases, an activation before the sign, and an output batch norm that orders each class by its own."""
    return nn.Sequential(
        OrderedDict(
            binarise=InputThreshold(100.5),
            flatten=nn.Flatten(),
            first=BinaryLinear(64, 24, scale=True, bias=True),
            squash=nn.Hardtanh(),
            sign=Sign(),
            second=BinaryLinear(24, 10, scale=True),
            norm=nn.BatchNorm1d(10),
        )
    )


def shake(module: nn.Module, *, seed: int) -> nn.Module:
    """The module in eval mode, every parameter and statistic drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                noise = torch.randn(tensor.shape, generator=generator)
                tensor.copy_(noise.abs() * 50 + 1 if "var" in name else noise * (8 if "mean" in name else 1))
    return module.eval()


@pytest.mark.parametrize("network", [lambda: named(1), lambda: named(8), own], ids=["1 bit", "8 bits", "own"])
def test_torch_equals_the_trained_graph_equals_the_integers(tmp_path, network):
    module = shake(network(), seed=7)
    images = np.random.default_rng(7).integers(0, 256, (300, *SHAPE)).astype(np.uint8)
    save(module, tmp_path / "model.pt", example_input=images, input_range=(0, 255))
    with torch.inference_mode():
        scores = module(torch.from_numpy(images).float()).numpy()
    trained = load(tmp_path / "model.pt")
    (traced,) = evaluate(trained, {trained.inputs[0].name: images}).values()
    np.testing.assert_array_equal(traced, scores)
    integers = integerize(trained, check=True)
    (labels,) = evaluate(integers, {trained.inputs[0].name: images}).values()
    np.testing.assert_array_equal(labels, np.argmax(scores, axis=1))
    np.testing.assert_array_equal(PackedKernel(integers)(images), labels)
