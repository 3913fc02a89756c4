"""Which op of the compiler each torch layer is, and which torch layer each op.

Both are said beside the layer (`layers/`, `export/torch_layers/`), or by whoever writes one outside the package:

    @op_of(nn.LeakyReLU)
    def _op(module: nn.LeakyReLU) -> LeakyRelu:
        return LeakyRelu(module.negative_slope)

    @module_of(LeakyRelu)
    def _module(op: LeakyRelu) -> nn.LeakyReLU:
        return nn.LeakyReLU(op.slope)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bnnhw.compiler.ir.ops.base import Op

from .errors import ExportError

__all__ = [
    "AlongAxis", "InARow", "Turn", "array_of", "calls", "module_of", "op_of", "op_of_call", "supported_modules",
    "takes_channels_first", "tensor_of", "to_module", "to_op", "to_op_of_call",
]  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """Images are turned to channels first, or last: a step of torch's, which graphs leave out."""

    first: bool


@dataclass(frozen=True)
class InARow:
    """What one layer is, one op behind the other: each by what its name gets behind the layer's, the last one by ""."""

    ops: Mapping[str, Op]


@dataclass(frozen=True)
class AlongAxis:
    """An op that puts its inputs side by side along this axis of torch's tensors, whose axis 0 is the batch."""

    op: Op
    axis: int


_Order = bool | Callable[[Any], bool | None] | None


@dataclass(frozen=True)
class _Maker:
    """How an op becomes a module, and whether that takes images channels first; None where it takes either."""

    make: Callable[[Any], nn.Module]
    channels_first: _Order


_OPS: dict[type[nn.Module], Callable[[Any], Op | AlongAxis | Turn | InARow]] = {}
_CALLS: dict[Any, Callable[..., Op | AlongAxis]] = {}
_MAKERS: dict[tuple[type[Op], int | None], _Maker] = {}
_Function = TypeVar("_Function", bound=Callable[..., Any])


def op_of(*kinds: type[nn.Module]) -> Callable[[_Function], _Function]:
    """The decorator of a function that makes the op of such a module in eval mode, kinds derived from it excepted.

    The function raises ExportError, whose text goes on behind the layer's name, for options that have no place there.
    """

    def register(function: _Function) -> _Function:
        _OPS.update(dict.fromkeys(kinds, function))
        return function

    return register


def op_of_call(*functions: Any) -> Callable[[_Function], _Function]:
    """The same for functions, and methods of tensors by name: the function gets the call's arguments but the first,
    `inplace` left out, and `Tensor` in the place of each that is a value of the network."""

    def register(function: _Function) -> _Function:
        _CALLS.update(dict.fromkeys(functions, function))
        return function

    return register


def module_of(
    kind: type[Op],
    *,
    axes: int | None = None,
    channels_first: _Order = None,
) -> Callable[[_Function], _Function]:
    """The decorator of a function that makes the torch module of such an op.

    Parameters
    ----------
    axes : int, optional
        It is for inputs with so many axes only, the batch not counted, and there may be others.
    channels_first : bool, optional, or a function of the op
        Whether the module takes images channels first, or last. Default: either.
    """

    def register(function: _Function) -> _Function:
        _MAKERS[kind, axes] = _Maker(function, channels_first)
        return function

    return register


def to_op(name: str, module: nn.Module) -> Op | AlongAxis | Turn | InARow:
    """The op that `module`, of a supported kind, is in eval mode. ExportError names the layer where there is none."""
    try:
        return _OPS[type(module)](module)
    except ExportError as error:
        raise ExportError(f"layer {name!r} {error}") from error
    except ValueError as error:
        raise ExportError(f"layer {name!r} ({type(module).__name__}): {error}") from error


def to_op_of_call(name: str, function: Any, options: tuple[Any, ...]) -> Op | AlongAxis | None:
    """The op of a call of `function`; None where it is known as none."""
    if function not in _CALLS:
        return None
    try:
        return _CALLS[function](*options)
    except ExportError as error:
        raise ExportError(f"{name!r} {error}") from error


def to_module(name: str, op: Op, shape: tuple[int, ...]) -> nn.Module:
    """The torch module, in eval mode, that computes what `op` does to inputs of `shape`, without batch axis."""
    if (maker := _maker(op, shape)) is None:
        axes = [f"{axes}" for kind, axes in _MAKERS if kind is type(op)]
        needs = f"needs an input with {' or '.join(axes)} axes, not {shape}" if axes else "has no layer in torch"
        raise ValueError(f"layer {name!r} ({type(op).__name__}) {needs}")
    return maker.make(op).eval()


def takes_channels_first(op: Op, shape: tuple[int, ...]) -> bool | None:
    """Whether the module of `op` takes images of `shape` channels first; None where it takes either."""
    maker = _maker(op, shape)
    if maker is None or len(shape) != 3:
        return None
    return maker.channels_first(op) if callable(maker.channels_first) else maker.channels_first


def _maker(op: Op, shape: tuple[int, ...]) -> _Maker | None:
    return _MAKERS.get((type(op), len(shape))) or _MAKERS.get((type(op), None))


def supported_modules() -> tuple[type[nn.Module], ...]:
    """The layers that can be exported, besides the containers that call them, by name."""
    return tuple(sorted(_OPS, key=lambda kind: kind.__name__))


def calls() -> list[str]:
    """The names of the functions and methods that stand for a layer."""
    return sorted({call if isinstance(call, str) else call.__name__ for call in _CALLS})


@overload
def array_of(tensor: Tensor) -> NDArray[Any]: ...
@overload
def array_of(tensor: Tensor | None) -> NDArray[Any] | None: ...
def array_of(tensor: Tensor | None) -> NDArray[Any] | None:
    """A parameter as an op's field."""
    return None if tensor is None else tensor.detach().numpy().copy()


def tensor_of(array: NDArray[Any]) -> Tensor:
    """An op's field as a parameter."""
    return torch.from_numpy(np.array(array))
