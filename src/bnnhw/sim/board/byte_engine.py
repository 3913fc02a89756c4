"""A design of which the bytes of its link are taken and given without a port."""

from ctypes import Structure, c_int32, pointer

from bnnhw.sim.batch.program import Program

from .byte_ports import BYTE, BYTE_READY, BYTE_VALID, SAYS, SAYS_VALID
from .event_engine import EventEngine

__all__ = ["ByteEngine"]


class _Port(Structure):
    _fields_ = [("data", 8 * c_int32), ("valid", c_int32), ("ready", c_int32)]


class ByteEngine(EventEngine):
    """The simulation of a program of a netlist by `with_byte_ports`, from its initial state.

    busy: an output of one bit that says when the design works; by default, it does while anything moves in it.
    """

    def __init__(self, program: Program, *, busy: str | None = None):
        ins, outs = program.inputs, program.outputs
        taken = _Port((8 * c_int32)(*ins[BYTE]), ins[BYTE_VALID][0], outs[BYTE_READY][0])
        given = _Port((8 * c_int32)(*outs[SAYS]), outs[SAYS_VALID][0], -1)
        net = c_int32(-1 if busy is None else outs[busy][0])
        super().__init__(program, "byte_engine", pointer(taken), pointer(given), net)
