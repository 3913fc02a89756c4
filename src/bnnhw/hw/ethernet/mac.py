"""MacReceiver and MacTransmitter: frames of Ethernet with their preamble, sizes and check sequence (IEEE 802.3)."""

from typing import Any

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.crc import Crc32
from bnnhw.hw.stream.buffer import flat_stream

from .arrivals import arrivals

__all__ = ["MAC_BYTES", "MacReceiver", "MacTransmitter", "check_mac"]

MAC_BYTES = 6
FCS_BYTES = 4
MIN_FRAME, MAX_FRAME = 64, 1518  # bytes, the FCS included
PREAMBLE, PREAMBLE_BYTES, START = 0x55, 7, 0xD5
GAP = 12


def check_mac(mac: bytes) -> bytes:
    """`mac`, if it is the address of one station. Raises ValueError."""
    if len(mac) != MAC_BYTES or mac[0] & 1:
        raise ValueError(f"mac={mac.hex(':')} must have {MAC_BYTES} bytes, the first of them even: a single station's")
    return mac


class MacReceiver(wiring.Component):
    """Takes the frames to `mac` and to all, from their destination on, without the FCS.

    A frame is good if it is of 64 to 1518 bytes, its FCS is right and no byte had an error. One that has begun before
    the receiver is left out.

    Parameters
    ----------
    mac : bytes
        Six, of this station.

    Members
    -------
    data, valid, error : In(8), In(1), In(1)
        From the PHY: a byte in each cycle of a frame, and whether it is damaged.
    o : Out(arrivals())
    """

    data: Signal
    valid: Signal
    error: Signal
    o: Any

    def __init__(self, *, mac: bytes):
        self.mac = check_mac(mac)
        super().__init__({"data": In(8), "valid": In(1), "error": In(1), "o": Out(arrivals())})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.crc = crc = Crc32(width=8)
        o = self.o
        byte, present, ended, failed = Signal(8), Signal(), Signal(), Signal()
        m.d.comb += [crc.bits.eq(byte), crc.enable.eq(present), crc.clear.eq(o.end)]
        m.d.sync += [byte.eq(self.data), present.eq(0), ended.eq(0)]
        with m.FSM():
            with m.State("IGNORE"), m.If(~self.valid):
                m.next = "IDLE"
            with m.State("IDLE"), m.If(self.valid):
                with m.If(self.error | (self.data != PREAMBLE)):
                    m.next = "IGNORE"
                with m.If(~self.error & (self.data == START)):
                    m.next = "FRAME"
            with m.State("FRAME"):
                m.d.sync += present.eq(self.valid)
                with m.If(~self.valid):
                    m.d.sync += ended.eq(1)
                    m.next = "IDLE"
                with m.Elif(self.error):
                    m.d.sync += failed.eq(1)

        count = Signal(range(MAX_FRAME + 2))
        to_me, to_all = Signal(init=1), Signal(init=1)
        latest = Signal(8 * FCS_BYTES)  # bytes, which may be the FCS
        m.d.comb += [o.data.eq(latest[-8:]), o.valid.eq(present & (count >= FCS_BYTES))]
        with m.If(present):
            m.d.sync += latest.eq(Cat(byte, latest))
            with m.If(count != MAX_FRAME + 1):
                m.d.sync += count.eq(count + 1)
            with m.If(count < MAC_BYTES):
                own = Array(Const(byte, 8) for byte in self.mac)[count[:3]]
                m.d.sync += [to_me.eq(to_me & (byte == own)), to_all.eq(to_all & (byte == 0xFF))]
        fits = (count >= MIN_FRAME) & (count <= MAX_FRAME)
        m.d.sync += [o.end.eq(ended), o.good.eq(ended & crc.good & ~failed & fits & (to_me | to_all))]
        with m.If(o.end):
            m.d.sync += [state.eq(state.init) for state in (count, to_me, to_all, failed)]
        return m


class MacTransmitter(wiring.Component):
    """Sends frames with their preamble in front, filled up with zeros to 60 bytes, the FCS and a gap behind them.

    A frame of n >= 60 bytes takes n + 24 cycles, and no more where the next one waits.

    Members
    -------
    i : In(stream of unsigned(9))
        Cat(byte, whether it is the last one of its frame), from the destination on, without the FCS. Once a frame is
        offered, its bytes must be there one a cycle: store it whole before.
    data, valid : Out(8), Out(1)
        To the PHY, from registers.
    """

    i: stream.Interface
    data: Signal
    valid: Signal

    def __init__(self):
        super().__init__({"i": In(flat_stream(9)), "data": Out(8), "valid": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.crc = crc = Crc32(width=8)
        byte, enable, appending = Signal(8), Signal(), Signal()
        m.d.comb += [enable.eq(1), crc.bits.eq(Mux(appending, crc.crc[:8], byte))]
        m.d.sync += [self.data.eq(byte), self.valid.eq(enable)]
        left = Signal(range(MIN_FRAME - FCS_BYTES), init=PREAMBLE_BYTES - 1)  # but one: of this state, or of the least
        m.d.sync += left.eq(left - (left != 0))

        def begin(state: str, count: int) -> None:
            m.d.sync += left.eq(count - 1)
            m.next = state

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [enable.eq(self.i.valid), byte.eq(PREAMBLE), crc.clear.eq(1)]
                begin("IDLE", PREAMBLE_BYTES)
                with m.If(self.i.valid):
                    begin("PREAMBLE", PREAMBLE_BYTES)
            with m.State("PREAMBLE"):
                m.d.comb += byte.eq(Mux(left == 0, START, PREAMBLE))
                with m.If(left == 0):
                    begin("FRAME", MIN_FRAME - FCS_BYTES)
            with m.State("FRAME"):
                m.d.comb += [byte.eq(self.i.payload[:8]), self.i.ready.eq(1), crc.enable.eq(1)]
                with m.If(self.i.payload[8] & (left != 0)):
                    m.next = "FILL"
                with m.Elif(self.i.payload[8]):
                    begin("FCS", FCS_BYTES)
            with m.State("FILL"):
                m.d.comb += crc.enable.eq(1)
                with m.If(left == 0):
                    begin("FCS", FCS_BYTES)
            with m.State("FCS"):
                m.d.comb += [byte.eq(~crc.crc[:8]), appending.eq(1), crc.enable.eq(1)]
                with m.If(left == 0):
                    begin("GAP", GAP)
            with m.State("GAP"):
                m.d.comb += enable.eq(0)
                with m.If(left == 0):
                    m.next = "IDLE"
        return m
