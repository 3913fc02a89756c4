"""What the accumulators of a matrix unit start a row fold with: the thresholds, so that no comparator is needed.

Tests: tests/hw/product/test_matrix_unit.py
"""

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.memory import Memory

from bnnhw.hw.logic.delays import delay

from .matrix_shape import MatrixShape

__all__ = ["fold_starts", "restart", "start_bits", "starts_from_rom", "starts_from_stream"]


def fold_starts(thresholds: Sequence[int], shape: MatrixShape) -> np.ndarray:
    """The start of each row's accumulator: -(t + 1), so that the sum's sign is the result m <= t.

    A threshold beyond the range -1..maximum of m is clipped to it. int64 (folds, pe), modulo 2^accumulator_width.
    """
    clipped = np.clip(np.asarray(thresholds), -1, shape.greatest_sum).astype(np.int64)
    return ((-1 - clipped) & ((1 << shape.accumulator_width) - 1)).reshape(shape.folds, shape.pe)


def start_bits(starts: np.ndarray, shape: MatrixShape) -> np.ndarray:
    """The starts as they stand beside the weights: (depth, pe, shape.start_bits) of 0 and 1.

    The last words of a row fold hold the start of the next one (of the first one at the end), low bits first.
    """
    bits = shape.start_bits
    beats = -(-shape.accumulator_width // bits)
    following = np.roll(starts, -1, axis=0)
    spread = (following[:, None, :, None] >> np.arange(beats * bits).reshape(beats, 1, bits)) & 1
    result = np.zeros((shape.folds, shape.words, shape.pe, bits), np.uint8)
    result[:, shape.words - beats :] = spread
    return result.reshape(shape.depth, shape.pe, bits)


def starts_from_rom(m: Module, starts: np.ndarray, width: int, fold: Value) -> list[Value]:
    """starts[fold] of each PE, one cycle later, from a ROM in logic."""
    if len(starts) == 1:
        return [Const(int(start), width) for start in starts[0]]
    pes = starts.shape[1]
    init = [sum(int(start) << (pe * width) for pe, start in enumerate(row)) for row in starts]
    m.submodules.starts = memory = Memory(shape=width * pes, depth=len(starts), init=init, attrs={"rom_style": "logic"})
    port = memory.read_port(domain="comb")
    word = Signal(width * pes, name="starts", reset_less=True)
    m.d.comb += port.addr.eq(fold)
    m.d.sync += word.eq(port.data)
    return [word[pe * width : (pe + 1) * width] for pe in range(pes)]


def starts_from_stream(
    m: Module, bits: Sequence[Value], first_starts: np.ndarray, width: int, *, latency: int, shift: Value
) -> list[Value]:
    """The start of each PE, shifted together from `bits`, which take part `latency` cycles late in cycles of `shift`.

    `first_starts` are those of the first row fold after the reset.
    """
    starts = []
    for pe, (part, first) in enumerate(zip(bits, first_starts, strict=True)):
        part = delay(m, part, latency, name=f"start_bits{pe}_")
        register = Signal(-(-width // len(part)) * len(part), name=f"start{pe}", init=int(first))
        with m.If(shift):
            m.d.sync += register.eq(Cat(register[len(part) :], part))
        starts.append(register[:width])
    return starts


def restart(
    m: Module, start: Value, total: Value, shape: MatrixShape, *, first: Value, plane_first: Value, name: str
) -> Value:
    """What an accumulator goes on with at the begin of a bit plane: `start` at the first one, or where each plane has a
    sum of its own, else 2 * `total`.

    The start's low planes - 1 bits, which the doublings would move out of place, come in one by one where a doubling
    frees the lowest bit: highest first, so that they end up in theirs.
    """
    low = shape.planes - 1
    if low == 0 or shape.levels:
        return start
    pending = Signal(low, name=f"pending{name}", reset_less=True)
    with m.If(first):
        m.d.sync += pending.eq(start[:low])
    with m.Elif(plane_first):
        m.d.sync += pending.eq(pending << 1)
    sign_extended = Cat(start[low:], start[-1].replicate(low)) if shape.thresholded else Const(0, len(start))
    return Mux(first, sign_extended, Cat(pending[-1], total[:-1]))
