"""Modules of which it is not clear what they compute are refused in one line that says what to give instead."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, prune

from bnnhw.model import BinaryLinear
from bnnhw.model.errors import ExportError
from bnnhw.model.export.save_model import save
from tests.model.toy import scramble

from .wrapping import IMAGES, Net, X, changed, child, whole


class Kept(Net):
    """Has a compiled layer in a list, where nobody finds it."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = [torch.compile(self.h, backend="eager")]

    def forward(self, x: Tensor) -> Tensor:
        return self.s(self.kept[0](self.t(x).flatten(1)))


class Scaling(nn.DataParallel):
    def forward(self, *inputs: Any, **kwargs: Any) -> Tensor:
        return 2 * super().forward(*inputs, **kwargs)


class Calling(Net):
    def __call__(self, *inputs: Any) -> Tensor:
        return 2 * super().__call__(*inputs)


class Holder(nn.Module):
    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module


class Optional(Net):
    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return super().forward(x if y is None else x + y)


class Nothing(Net):
    def forward(self) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return torch.zeros(1, 3)


class AsDict(Net):
    def forward(self, x: Tensor) -> Any:
        return {"scores": super().forward(x)}


class InPlace(Net):
    def __init__(self, change: Callable[[Tensor], object] = lambda y: None):
        super().__init__()
        self.change = change
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.h[1](self.h[0](self.t(x).flatten(1)))
        self.change(y)
        return self.s(self.h[2](y))


class AddsInPlace(Net):
    def forward(self, x: Tensor) -> Tensor:
        y = z = self.h[1](self.h[0](self.t(x).flatten(1)))
        z += 3
        return self.s(self.h[2](y))


class Raising(Net):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if x.shape[0] == 1 else x[..., :0])


class Lazy(Net):
    def __init__(self) -> None:
        super().__init__()
        self.h[1] = nn.LazyBatchNorm1d()


class Compiled(Net):
    @torch.compile(backend="eager")
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)


class Quantised(Net):
    def __init__(self) -> None:
        super().__init__()
        self.s[1] = torch.ao.nn.quantized.Linear(3, 3)


class Negative(nn.Module):
    def forward(self, w: Tensor) -> Tensor:
        return -w


def in_place(change: Callable[[Tensor], object]) -> Callable[[], nn.Module]:
    return lambda: InPlace(change).eval()


def own_forward(network: Any) -> None:
    network.h[0].forward = lambda x: -BinaryLinear.forward(network.h[0], x)


def hook(network: Any) -> None:
    network.h[1].register_forward_hook(lambda *_: None)


UNCLEAR: dict[str, tuple[Callable[[], Any], str]] = {
    "class": (lambda: Net, "export takes a module, not the class Net; give an instance of it"),
    "state_dict": (whole(nn.Module.state_dict), "export takes a module, not a state_dict; load it into its module .*"),
    "path": (lambda: Path("a.pt"), "export takes a module, not the path 'a.pt'; give the module itself, in memory"),
    "function": (lambda: print, "export takes a module, not a builtin_function_or_method; give the nn.Module that .*"),
    "traced": (whole(lambda network: torch.jit.trace(network, X)), "TopLevelTracedModule was traced or .* made of"),
    "scripted": (
        child(lambda h: torch.jit.trace(h, torch.ones(2, 12))),
        "layer 'h' .* was traced or scripted by torch.jit; .*",
    ),
    "half": (whole(nn.Module.half), "weight of layer 'h.0' .* is float16; export takes float32: .* after .float.*"),
    "double": (whole(nn.Module.double), "weight of layer 'h.0' .* is float64; .*"),
    "bfloat16 layer": (changed(lambda network: network.h[1].bfloat16()), "weight of layer 'h.1' .* is bfloat16; .*"),
    "pruned": (
        changed(lambda network: prune.l1_unstructured(network.h[0], "weight", 0.5)),
        r"layer 'h.0' \(BinaryLinear\) is pruned by .* permanent with torch.nn.utils.prune.remove\(layer, name\); .*",
    ),
    "parametrised": (
        changed(lambda network: parametrize.register_parametrization(network.h[0], "weight", Negative())),
        "layer 'h.0' .* has a parametrised weight; make it permanent with .*remove_parametrizations.layer, 'weight'.",
    ),
    "weight norm": (
        changed(lambda network: parametrizations.weight_norm(network.h[0])),
        "layer 'h.0' .* has a parametrised weight; .*",
    ),
    "forward hook": (changed(hook), r"layer 'h.1' .* carries a forward hook, hook.<locals>.<lambda>, which a .*"),
    "pre-hook of all": (
        changed(lambda network: network.register_forward_pre_hook(lambda module, inputs: (inputs[0] + 1,))),
        "Net carries a forward hook, .* remove it before export",
    ),
    "own forward": (changed(own_forward), "layer 'h.0' .* does not run the forward of its class; .*"),
    "own call": (lambda: scramble(Calling()), "Calling does not run the forward of its class; .*"),
    "compiled forward": (lambda: scramble(Compiled()), "Compiled has a forward that torch.compile made; .*"),
    "wrapper that scales": (
        whole(Scaling),
        r"Scaling.forward takes \*inputs: Any; give a module, such as the one in it, with one input",
    ),
    "no forward": (whole(Holder), "Holder has no forward; give the module that computes the scores"),
    "list": (whole(lambda network: nn.ModuleList([network])), "ModuleList has no forward; .*"),
    "second input": (
        lambda: scramble(Optional()),
        "Optional.forward takes a second input, 'y'; export supports one: .*",
    ),
    "no input": (lambda: scramble(Nothing()), "Nothing.forward takes no input; export supports one: the images"),
    "dict": (
        lambda: scramble(AsDict()),
        r"AsDict must return scores \(N, classes\), images .*, not a dict",
    ),
    "lazy": (Lazy, r"layer 'h.1' \(LazyBatchNorm1d\) does not know its sizes yet; call the network once .*"),
    "meta": (whole(lambda network: network.to("meta")), "weight of layer 'h.0' .* is on the meta device, .*"),
    "sparse": (
        changed(lambda network: setattr(network.h[1], "running_mean", network.h[1].running_mean.to_sparse())),
        "running_mean of layer 'h.1' .* is torch.sparse_coo; make it dense .*",
    ),
    "quantised": (lambda: Quantised().eval(), "layer 's.1' is a Linear, which export does not support; .*"),
    "empty": (nn.Sequential, "Sequential has no layers that change its input; give a network with binary weights"),
    "nothing to do": (lambda: nn.Sequential(nn.Dropout()), "Sequential has no layers that change its input; .*"),
    "kept besides": (lambda: scramble(Kept()), "Kept.forward cannot be traced .*"),
    "not to be copied": (
        changed(lambda network: setattr(network, "lock", __import__("threading").Lock())),
        "Net cannot be copied .cannot pickle '_thread.lock' object.; remove what it keeps besides .*",
    ),
    "method in place": (
        in_place(lambda y: y.relu_()),
        "'relu_' changes a value in place, which .*",
    ),
    "function in place": (in_place(lambda y: nn.functional.relu(y, inplace=True)), "'relu' changes a value in place.*"),
    "out": (in_place(lambda y: torch.neg(y, out=y)), "'neg' changes a value in place.*"),
    "added in place": (lambda: scramble(AddsInPlace()), "'add' changes a value in place.*"),
    "assigned in place": (in_place(lambda y: y.__setitem__(0, 1)), "'__setitem__' changes a value in place.*"),
    "raising": (lambda: scramble(Raising()), "Raising.forward cannot be traced .*"),
    "another shape": (lambda: nn.Sequential(BinaryLinear(12, 3)), "Sequential fails on example_input of shape .*"),
}


@pytest.mark.parametrize("name", UNCLEAR)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_what_is_unclear_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    make, message = UNCLEAR[name]
    with pytest.raises(ExportError, match=rf"\A{message}\Z"):
        save(make(), tmp_path / "model.pt", example_input=IMAGES)
    assert list(tmp_path.iterdir()) == []
