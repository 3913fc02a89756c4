"""docs/methods.md speaks of what there is, and its example works."""

import re
from pathlib import Path
from typing import Any

import torch

from bnnhw.model import BinaryConv2d
from bnnhw.model.layers.gradients import GRADIENTS
from bnnhw.model.methods import METHODS
from bnnhw.model.networks.catalogue import Architecture, build_network

PAGE = (Path(__file__).parents[3] / "docs" / "methods.md").read_text()


def test_every_method_and_gradient_has_its_row() -> None:
    rows = re.findall(r"^\| `([a-z][^`=]*)` \|", PAGE, flags=re.MULTILINE)
    assert rows == [*METHODS, *GRADIENTS]
    headings = ", ".join(re.findall(r"^## (.*)", PAGE, flags=re.MULTILINE)).split(", ")
    assert set(METHODS) <= set(headings)


def test_the_example_is_a_method() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}
    exec(compile(code, "methods.md", "exec"), names)
    network = build_network(
        Architecture(widths=(4,)), shape=(3, 3, 1), lo=0, hi=1, classes=2, method=names["Centred"](gradient="ppf")
    )
    network(torch.ones(2, 3, 3, 1)).sum().backward()
    assert all(tensor.grad is not None for tensor in network.parameters())
    conv = BinaryConv2d(2, 3, 3, weights=names["Centred"]().weights())
    conv.weight.data.fill_(0.5)[:, 0] = 0.1
    assert conv.quantised().values[:, :, 0, 0].tolist() == [[-1, 1]] * 3
