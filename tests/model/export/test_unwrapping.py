"""Wrapped modules are exported as what is in them, where that is clear."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import prune
from torch.optim.swa_utils import AveragedModel

from bnnhw.model import load
from bnnhw.model.export.save_model import save
from bnnhw.model.export.tracing import trace
from tests.model.toy import scramble

from .wrapping import IMAGES, Net, X, changed, child, compiled, run, whole

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
