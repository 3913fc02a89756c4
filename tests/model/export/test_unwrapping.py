"""Wrapped modules: exported as what is in them where that is clear, else refused in one line that says what to give."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import parametrizations, parametrize, prune
from torch.optim.swa_utils import AveragedModel

from bnnhw.model import BinaryLinear, InputThreshold, Sign, TensorNorm, load
from bnnhw.model.errors import ExportError
from bnnhw.model.export.save_model import save
from bnnhw.model.export.tracing import trace
from tests.model.toy import random_images, scramble

IMAGES = random_images()
X = torch.from_numpy(random_images(200, seed=9)).float()


class Net(nn.Module):
    """h is layers 0 to 2, s the scores."""

    def __init__(self) -> None:
        super().__init__()
        self.t = InputThreshold(110)
        self.h = nn.Sequential(BinaryLinear(12, 8), nn.BatchNorm1d(8), Sign())
        self.s = nn.Sequential(BinaryLinear(8, 3), TensorNorm())

    def forward(self, x: Tensor) -> Tensor:
        return self.s(self.h(self.t(x).flatten(1)))


def changed(change: Callable[[Any], object], kind: type[Net] = Net) -> Callable[[], nn.Module]:
    """A network after `change` has been at it."""

    def make() -> nn.Module:
        network = scramble(kind())
        change(network)
        return network

    return make


def child(wrap: Callable[[nn.Module], Any], name: str = "h") -> Callable[[], nn.Module]:
    """A network with a wrapped child."""
    return changed(lambda network: setattr(network, name, wrap(getattr(network, name))))


def whole(wrap: Callable[[nn.Module], Any]) -> Callable[[], Any]:
    return lambda: wrap(scramble(Net()))


def compiled(module: nn.Module) -> nn.Module:
    return torch.compile(module, backend="eager")  # pyright: ignore[reportReturnType]


def run(module: nn.Module) -> nn.Module:
    module(X)
    return module


class Kept(Net):
    """Has a compiled layer in a list, where nobody finds it."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = [torch.compile(self.h, backend="eager")]

    def forward(self, x: Tensor) -> Tensor:
        return self.s(self.kept[0](self.t(x).flatten(1)))


CLEAR: dict[str, Callable[[], nn.Module]] = {
    "compiled": whole(compiled),
    "compiled, run": whole(lambda network: run(compiled(network))),
    "compiled in place": changed(lambda network: network.compile(backend="eager")),
    "compiled child": child(compiled),
    "compiled layer": changed(lambda network: network.h.__setitem__(0, compiled(network.h[0]))),
    "parallel": whole(nn.DataParallel),
    "parallel child": child(nn.DataParallel),
    "parallel in a Sequential": whole(lambda network: nn.Sequential(nn.DataParallel(network))),
    "averaged": whole(AveragedModel),
    "all of them": whole(lambda network: nn.DataParallel(compiled(AveragedModel(compiled(network))))),
    "synchronised norm": whole(nn.SyncBatchNorm.convert_sync_batchnorm),
    "graph module": whole(trace),
    "cut back": changed(lambda network: prune.remove(prune.l1_unstructured(network.h[0], "weight", 0.5), "weight")),
    "backward hook": changed(lambda network: network.h.register_full_backward_hook(lambda *_: None)),
}


@pytest.mark.parametrize("name", CLEAR)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch.compile's own
def test_wrappers_are_taken_off(tmp_path: Path, name: str) -> None:
    network = CLEAR[name]()
    kinds = [type(module) for module in network.modules()]
    before = copy.deepcopy(network.state_dict())
    network.train()
    save(network, tmp_path / "model.pt", example_input=IMAGES)
    assert [type(module) for module in network.modules()] == kinds
    assert all(module.training for module in network.modules())
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())
    with torch.inference_mode():
        assert torch.equal(load(tmp_path / "model.pt")(X), network.eval()(X))


def test_distributed_networks_are_taken_off(tmp_path: Path) -> None:
    store = distributed.FileStore(  # pyright: ignore[reportPrivateImportUsage]
        str(tmp_path / "store"), 1
    )
    distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        network = scramble(Net())
        for wrapped in (
            DistributedDataParallel(network),
            nn.Sequential(DistributedDataParallel(copy.deepcopy(network))),
        ):
            save(wrapped, tmp_path / "model.pt", example_input=IMAGES)
            assert torch.equal(load(tmp_path / "model.pt")(X), network(X))
    finally:
        distributed.destroy_process_group()


def test_names_are_those_without_wrappers(tmp_path: Path) -> None:
    network = nn.DataParallel(child(compiled)())
    model = save(network, tmp_path / "model.pt", example_input=IMAGES)
    assert [node.name for node in model.nodes] == ["t", "flatten", "h.0", "h.1", "h.2", "s.0", "s.1"]
    assert model.meta["network"] == "Net"


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
    "dict": (lambda: scramble(AsDict()), r"AsDict must return one tensor of scores \(N, classes\), not a dict"),
    "lazy": (Lazy, r"layer 'h.1' \(LazyBatchNorm1d\) does not know its sizes yet; call the network once .*"),
    "meta": (whole(lambda network: network.to("meta")), "weight of layer 'h.0' .* is on the meta device, .*"),
    "sparse": (
        changed(lambda network: setattr(network.h[1], "running_mean", network.h[1].running_mean.to_sparse())),
        "running_mean of layer 'h.1' .* is torch.sparse_coo; make it dense .*",
    ),
    "quantised": (lambda: Quantised().eval(), "layer 's.1' is a Linear, which export does not support; .*"),
    "empty": (nn.Sequential, "Sequential must return one tensor of scores .*, not .32, 4, 3, 1."),
    "nothing to do": (lambda: nn.Sequential(nn.Dropout()), "Sequential must return one tensor .*"),
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
