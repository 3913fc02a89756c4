"""Whether a layer's parameters and buffers can be exported: float32, and finite.

Tests: tests/model/export/test_save_model.py
"""

from torch import Tensor, float32, nn, strided

from bnnhw.model.errors import ExportError

__all__ = ["check_parameters"]


def check_parameters(name: str, module: nn.Module) -> None:
    """ExportError for tensors of `module`, the layer `name`, of another type than float32; ValueError for NaN, infinity
    and negative variances. Counts, which are integers, are let be."""
    for field, parameter in (*module.named_parameters(), *module.named_buffers()):
        tensor = parameter.detach()
        what = f"{field} of layer {name!r} ({type(module).__name__})"
        if tensor.layout != strided:
            raise ExportError(f"{what} is {tensor.layout}; make it dense with to_dense() before export")
        if tensor.is_floating_point() or tensor.is_complex():
            if tensor.dtype != float32:
                raise ExportError(
                    f"{what} is {_text(tensor.dtype)}; export takes float32: give the module after .float(), "
                    "once it is found accurate so"
                )
            _check_finite(what, tensor)
        if field.endswith("running_var") and bool((tensor < 0).any()):
            raise ValueError(f"{what} must be at least 0, but is {float(tensor.min()):g}; it must be a variance")


def _check_finite(what: str, tensor: Tensor) -> None:
    if not bool((finite := tensor.isfinite()).all()):
        place = tuple((~finite).nonzero()[0].tolist())
        raise ValueError(
            f"{what} must hold finite numbers only, but holds {float(tensor[place])} at {place}; "
            "give a network from before its training diverged"
        )


def _text(dtype: object) -> str:
    return str(dtype).removeprefix("torch.")
