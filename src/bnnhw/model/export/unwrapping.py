"""The network inside what is wrapped around one: torch.compile, data parallelism, averages of weights."""

import copy
import inspect
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import fx, jit, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import is_lazy
from torch.nn.utils.parametrize import is_parametrized
from torch.nn.utils.prune import BasePruningMethod
from torch.optim.swa_utils import AveragedModel

from bnnhw.model.errors import ExportError

__all__ = ["first_line", "unwrapped"]

_WRAPPERS: Mapping[type[nn.Module], str] = {
    nn.DataParallel: "module",
    DistributedDataParallel: "module",
    AveragedModel: "module",
}
"""Modules whose forward does nothing but call the module in them, and what they call it; besides torch.compile's."""


def unwrapped(module: Any) -> nn.Module:
    """A copy of `module` on the CPU, in eval mode, with every wrapper in it replaced by what it wraps.

    ExportError says what to give instead of anything but a module with parameters, one input and a forward that its
    class and those of its layers define.
    """
    if not isinstance(module, nn.Module):
        raise ExportError(f"export takes a module, not {_no_module(module)}")
    wrappers: list[tuple[nn.Module, nn.Module]] = []
    for name, outer in _walk(module):
        inner = _inside(outer)
        _check(f"layer {name!r} ({type(inner).__name__})" if name else type(inner).__name__, inner)
        if inner is not outer:
            wrappers.append((outer, inner))
    _check_forward(_inside(module))
    copies: dict[int, Any] = {}  # by identity, so that a wrapper's copy is that of its inside wherever it stands
    try:
        for outer, inner in reversed(wrappers):
            copies[id(outer)] = copy.deepcopy(inner, copies)
        network = copy.deepcopy(module, copies).cpu().eval()
    except Exception as error:  # whatever an attribute of the user's says to being copied
        raise ExportError(
            f"{type(module).__name__} cannot be copied ({first_line(error)}); "
            "remove what it keeps besides layers, parameters and buffers"
        ) from error
    for layer in network.modules():  # they see gradients, and no values
        layer._backward_hooks.clear()
        layer._backward_pre_hooks.clear()
    return network


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or its kind where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _no_module(given: Any) -> str:
    """What `given` is, and what to give instead."""
    if isinstance(given, type):
        return f"the class {given.__name__}; give an instance of it"
    if isinstance(given, Mapping):
        return "a state_dict; load it into its module with load_state_dict, and give that"
    if isinstance(given, str | Path):
        return f"the path {str(given)!r}; give the module itself, in memory"
    return f"a {type(given).__name__}; give the nn.Module that computes the scores"


def _walk(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """(dotted name as if there were no wrappers, module) of `module` and all that it consists of, outer ones first."""
    seen: set[nn.Module] = set()
    waiting = [("", module)]
    while waiting:
        name, outer = waiting.pop()
        if outer not in seen:
            seen.add(outer)
            yield name, outer
            children = _inside(outer).named_children()
            waiting += [(f"{name}.{child}".lstrip("."), inner) for child, inner in reversed(list(children))]


def _inside(module: nn.Module) -> nn.Module:
    """What the wrappers around `module` wrap; a subclass with a forward of its own is none."""
    dynamo = sys.modules.get("torch._dynamo.eval_frame")  # slow to import, and there once anything was compiled
    wrappers = _WRAPPERS if dynamo is None else {dynamo.OptimizedModule: "_orig_mod", **_WRAPPERS}
    for kind, attribute in () if isinstance(module, jit.ScriptModule) else wrappers.items():
        plain = type(module).forward is kind.forward and type(module).__call__ is kind.__call__
        if isinstance(module, kind) and plain:
            return _inside(getattr(module, attribute))
    return module


def _check(what: str, module: nn.Module) -> None:
    """ExportError where `module` does more, or has less, than its class says."""
    if isinstance(module, jit.ScriptModule):
        raise ExportError(f"{what} was traced or scripted by torch.jit; give the module that it was made of")
    tensors = {**module._parameters, **module._buffers}  # pyright: ignore[reportPrivateUsage] named_ ones touch lazies
    for name, tensor in tensors.items():
        if tensor is not None and is_lazy(tensor):
            raise ExportError(f"{what} does not know its sizes yet; call the network once on an input before export")
        if tensor is not None and tensor.is_meta:
            raise ExportError(f"{name} of {what} is on the meta device, without values; load them before export")
    if is_parametrized(module):
        (name, *_) = module.parametrizations  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues]
        raise ExportError(
            f"{what} has a parametrised {name}; make it permanent with "
            f"torch.nn.utils.parametrize.remove_parametrizations(layer, {name!r})"
        )
    for hook in (*module._forward_pre_hooks.values(), *module._forward_hooks.values()):
        if isinstance(hook, BasePruningMethod):
            raise ExportError(
                f"{what} is pruned by torch.nn.utils.prune; make it permanent with "
                "torch.nn.utils.prune.remove(layer, name); as a binary weight, 0 counts as +1"
            )
        name = getattr(hook, "__qualname__", type(hook).__name__)
        raise ExportError(
            f"{what} carries a forward hook, {name}, which a model.pt cannot hold; remove it before export"
        )
    if hasattr(getattr(module.forward, "__func__", module.forward), "_torchdynamo_orig_callable"):
        raise ExportError(f"{what} has a forward that torch.compile made; give the module as it was before")
    calling = next(kind for kind in type(module).__mro__ if "__call__" in vars(kind))
    is_torchs = calling.__module__.startswith("torch.") or isinstance(module, fx.GraphModule)
    if "forward" in vars(module) or not is_torchs:
        raise ExportError(f"{what} does not run the forward of its class; give a module whose forward does the work")


def _check_forward(module: nn.Module) -> None:
    """ExportError unless `module` has a forward with one input."""
    name = type(module).__name__
    if type(module).forward is nn.Module.forward:
        raise ExportError(f"{name} has no forward; give the module that computes the scores")
    inputs = list(inspect.signature(module.forward).parameters.values())
    for extra in inputs:
        if extra.kind in (extra.VAR_POSITIONAL, extra.VAR_KEYWORD):
            raise ExportError(f"{name}.forward takes {extra}; give a module, such as the one in it, with one input")
    if len(inputs) != 1:
        second = f"a second input, {inputs[1].name!r}" if inputs else "no input"
        raise ExportError(f"{name}.forward takes {second}; export supports one: the images")
