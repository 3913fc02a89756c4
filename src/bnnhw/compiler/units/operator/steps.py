"""What an operator is in hardware.

Tests: tests/operators/test_operators_in_hardware.py
"""

from bnnhw.compiler.ir.ops import Operator
from bnnhw.compiler.ir.types import TensorType
from bnnhw.compiler.units.codes import Codes, element_of
from bnnhw.compiler.units.step import Step, steps_of
from bnnhw.hls.scan import Scan
from bnnhw.hls.window import Window

from .computing import Computing, window_codes
from .offsets import carried_as
from .patch import Coded
from .scanning import Scanning


@steps_of.register
def _(op: Operator, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    element, result, kind = element_of(x), element_of(y), op.traced.kind
    if op.traced.parameters and codes.channels != x.shape[-1]:
        raise ValueError(
            f"it has factors of {x.shape[-1]} channels, and the image that is flattened before it has pixels of "
            f"{codes.channels}; put it before the Flatten, with {codes.channels} channels"
        )
    after = Codes.of(result, y.shape[-1])
    if not isinstance(kind, Scan | Window):
        return [Computing(op.traced, Coded(codes, (element.lo, element.hi)), result)], after
    before, _ = carried_as(element, codes)
    if isinstance(kind, Scan):
        return [*before, Scanning(op.traced, element, result)], after
    coded, border = window_codes(kind, element) if isinstance(kind, Window) else (Coded.of(element), 0)
    return [*before, Computing(op.traced, coded, result, border)], after
