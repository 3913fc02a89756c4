"""Each supported layer as plain data and back: the `nodes` of model.pt (docs/architecture.md lists their fields).

A layer becomes a `Layer` by `encode` and a torch module again by `decode`, which compute the same bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from .layers import Affine, BinaryLinear, TensorNorm
from .quantise import InputThreshold, Sign

__all__ = ["OPS", "SUPPORTED_MODULES", "Layer", "decode", "encode"]

OPS = (
    "input_threshold", "flatten", "binary_linear", "batch_norm", "affine", "hard_tanh", "relu", "identity", "sign",
)  # fmt: skip
"""The ops of version 1 of the format."""

_NO_FIELDS = {nn.Flatten: "flatten", nn.Hardtanh: "hard_tanh", nn.ReLU: "relu", nn.Identity: "identity", Sign: "sign"}

SUPPORTED_MODULES = (
    InputThreshold, BinaryLinear, TensorNorm, Affine, Sign,
    nn.BatchNorm1d, nn.Flatten, nn.Dropout, nn.Identity, nn.Hardtanh, nn.ReLU,
)  # fmt: skip
"""The layers that can be exported, besides the containers that call them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Layer:
    """One node of the file: its dotted name, its op, and the op's numbers and tensors by field."""

    name: str
    op: str
    attributes: Mapping[str, int | float] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict)


def encode(name: str, module: nn.Module) -> Layer:
    """`module`, one of SUPPORTED_MODULES, in eval mode, as plain data. ValueError for options that have no place there.

    Dropout becomes an identity.
    """
    match module:
        case InputThreshold():
            return Layer(name=name, op="input_threshold", attributes={"threshold": module.threshold})
        case BinaryLinear():
            bits = (module.weight.detach() >= 0).numpy()
            weight = torch.from_numpy(np.packbits(bits, axis=1, bitorder="little"))
            return Layer(
                name=name, op="binary_linear",
                attributes={"in_features": module.in_features, "out_features": module.out_features},
                tensors=_present(weight=weight, scale=module.scale, bias=module.bias),
            )  # fmt: skip
        case nn.BatchNorm1d():
            if module.running_mean is None:
                raise ValueError(f"layer {name!r} keeps no running statistics; it needs track_running_stats=True")
            return Layer(
                name=name, op="batch_norm", attributes={"eps": module.eps},
                tensors=_present(
                    weight=module.weight, bias=module.bias, mean=module.running_mean, variance=module.running_var
                ),
            )  # fmt: skip
        case TensorNorm():
            weight, bias = module.folded()
            return Layer(name=name, op="affine", tensors=_present(weight=weight, bias=bias))
        case Affine():
            return Layer(name=name, op="affine", tensors=_present(weight=module.weight, bias=module.bias))
        case nn.Dropout():
            return Layer(name=name, op="identity")
        case nn.Hardtanh(min_val=lo, max_val=hi) if (lo, hi) != (-1, 1):
            raise ValueError(f"layer {name!r} clips to [{lo}, {hi}]; only Hardtanh(-1, 1) is supported")
        case nn.Flatten(start_dim=start, end_dim=end) if (start, end) != (1, -1):
            raise ValueError(f"layer {name!r} flattens axes {start} to {end}; only Flatten(1, -1) is supported")
        case _:
            return Layer(name=name, op=_NO_FIELDS[type(module)])


def _present(**tensors: Tensor | None) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items() if tensor is not None}


def decode(layer: Layer) -> nn.Module:
    """The torch module, in eval mode, that computes what `layer` says; `layer` has passed `check_layer`."""
    tensors = layer.tensors
    match layer.op:
        case "input_threshold":
            module = InputThreshold(layer.attributes["threshold"])
        case "binary_linear":
            rows, columns = int(layer.attributes["out_features"]), int(layer.attributes["in_features"])
            module = BinaryLinear(columns, rows, scale="scale" in tensors, bias="bias" in tensors)
            bits = np.unpackbits(tensors["weight"].numpy(), axis=1, bitorder="little", count=columns)
            parameters = {"weight": torch.from_numpy(bits).float() * 2 - 1}
            module.load_state_dict(parameters | {name: tensors[name] for name in tensors if name != "weight"})
        case "batch_norm":
            mean, variance = tensors["mean"], tensors["variance"]
            module = nn.BatchNorm1d(len(mean), eps=layer.attributes["eps"], affine="weight" in tensors)
            parameters = {"running_mean": mean, "running_var": variance, "num_batches_tracked": torch.tensor(0)}
            module.load_state_dict(parameters | {name: tensors[name] for name in tensors if name in ("weight", "bias")})
        case "affine":
            module = Affine(tensors["weight"], tensors["bias"])
        case _:
            (kind,) = (kind for kind, op in _NO_FIELDS.items() if op == layer.op)
            module = kind()
    return module.eval()
