"""A design of which the bytes of its link are taken and given without a UART."""

from ctypes import Structure, c_int32, c_int64, pointer

from bnnhw.sim.batch.program import Program

from .byte_ports import BYTE, BYTE_VALID, SAYS, SAYS_VALID
from .event_engine import EventEngine

__all__ = ["ByteEngine"]

_PACE = 16  # cycles from a byte to the next one, as bnnhw.hw.link's FrameReceiver needs them


class _Port(Structure):
    _fields_ = [("data", 8 * c_int32), ("valid", c_int32)]


class ByteEngine(EventEngine):
    """The simulation of a program of a netlist by `with_byte_ports`, from its initial state.

    busy: an output of one bit that says when the design works; by default, it does while anything moves in it.
    """

    def __init__(self, program: Program, *, busy: str | None = None):
        ins, outs = program.inputs, program.outputs
        taken = _Port((8 * c_int32)(*ins[BYTE]), ins[BYTE_VALID][0])
        given = _Port((8 * c_int32)(*outs[SAYS]), outs[SAYS_VALID][0])
        net = c_int32(-1 if busy is None else outs[busy][0])
        super().__init__(program, "byte_engine", pointer(taken), pointer(given), net, c_int64(_PACE))
