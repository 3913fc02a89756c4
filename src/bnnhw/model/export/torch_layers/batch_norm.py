"""torch's batch norms.

Tests: tests/model/export/test_save_model.py
"""

from typing import Any

import torch
from torch import nn

from bnnhw.compiler.ir.ops import BatchNorm
from bnnhw.model.errors import ExportError
from bnnhw.model.registry import array_of, module_of, op_of, tensor_of


@op_of(nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)
def _op(module: nn.BatchNorm1d | nn.BatchNorm2d | nn.SyncBatchNorm) -> BatchNorm:
    if module.running_mean is None or module.running_var is None:
        raise ExportError("keeps no running statistics; it needs track_running_stats=True")
    mean, variance = array_of(module.running_mean), array_of(module.running_var)
    return BatchNorm(module.eps, mean, variance, array_of(module.weight), array_of(module.bias))


@module_of(BatchNorm, axes=1)
def _module_of_features(op: BatchNorm) -> nn.Module:
    return _loaded(nn.BatchNorm1d, op)


@module_of(BatchNorm, axes=3, channels_first=True)
def _module_of_images(op: BatchNorm) -> nn.Module:
    return _loaded(nn.BatchNorm2d, op)


def _loaded(kind: type[nn.BatchNorm1d] | type[nn.BatchNorm2d], op: BatchNorm) -> nn.Module:
    module = kind(len(op.mean), eps=op.eps, affine=op.weight is not None)
    arrays: dict[str, Any] = {"running_mean": op.mean, "running_var": op.variance, "weight": op.weight, "bias": op.bias}
    tensors = {name: tensor_of(array) for name, array in arrays.items() if array is not None}
    module.load_state_dict({**tensors, "num_batches_tracked": torch.tensor(0)})
    return module
