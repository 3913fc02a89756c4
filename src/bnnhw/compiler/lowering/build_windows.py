"""From a convolution to how it reads its input.

Tests: tests/compiler/lowering/test_pipeline.py
"""

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Node
from bnnhw.compiler.ir.ops import Conv
from bnnhw.compiler.ir.types import TensorType
from bnnhw.compiler.units.codes import element_of
from bnnhw.compiler.units.product.layer import Windows


def windows_of(node: Node, op: Conv, input_type: TensorType) -> Windows:
    """How a convolution reads its input. Raises ScheduleError where no hardware does."""
    if any(padding >= span for padding, span in zip(op.padding, op.extent, strict=True)):
        raise ScheduleError(
            f"node {node.name!r}: padding={op.padding} must be less than the kernel, {op.extent}: a window of "
            "nothing but padding has no hardware"
        )
    element = element_of(input_type)
    height, width, channels = input_type.shape
    inside = any(op.padding) and op.terms(element) == element
    return Windows(
        height=height,
        width=width,
        channels=channels,
        kernel=op.kernel,
        stride=op.stride,
        dilation=op.dilation,
        padding=op.padding,
        groups=op.groups,
        padding_code=(op.pad_value - element.lo) // element.step if inside else 0,
    )
