"""What an operator is in hardware.

Tests: tests/operators/test_operators_in_hardware.py
"""

from bnnhw.compiler.ir.ops import Operator
from bnnhw.compiler.ir.types import TensorType
from bnnhw.compiler.units.codes import Codes, element_of
from bnnhw.compiler.units.offsets import carried_as
from bnnhw.compiler.units.step import Step, steps_of
from bnnhw.hls.scan import Scan

from .computing import Computing
from .scanning import Scanning


@steps_of.register
def _(op: Operator, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    element, result = element_of(x), element_of(y)
    before, _ = carried_as(element, codes)
    step = Scanning if isinstance(op.traced.kind, Scan) else Computing
    return [*before, step(op.traced, element, result)], Codes.of(result, y.shape[-1])
