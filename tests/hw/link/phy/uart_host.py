"""The other end of a UART, in Icarus Verilog: bytes in, frames out."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bnnhw.hw.protocol import Decoder, ErrorCode, Frame
from tests.hw.verilog_scenario import to_verilog

_BENCH = Path(__file__).with_name("uart_bench.v")
CYCLES_PER_BIT = 4


class UartHost:
    """Talks to `dut`, a component with `rx` and `tx`, which is compiled once in `folder`."""

    def __init__(self, dut: Any, folder: Path):
        self.folder = folder
        to_verilog(dut, folder)
        sources = ["dut.v", "models.v", str(_BENCH)]
        subprocess.run(["iverilog", "-g2012", "-s", "bench", "-o", "bench", *sources], cwd=folder, check=True)

    def timed_exchange(
        self, writes: Sequence[bytes | int], *, mismatch: float = 0, silence: int = 400
    ) -> list[tuple[Frame | ErrorCode, int]]:
        """Sends `writes` after a reset; returns the frames that come back, and the cycle at which each was whole.

        An int in `writes` is a pause in bit times, or where negative, a break (the line low) of as many. The run ends
        `silence` bit times after the last byte. mismatch: by what part the host's baud rate is too high.
        """
        words: list[int] = []
        for item in writes:
            if isinstance(item, int):
                words.append((1 if item >= 0 else 2) << 24 | abs(item))
            else:
                words += item
        (self.folder / "writes.hex").write_text("".join(f"{word:08x}\n" for word in [*words, 3 << 24]))
        options = [f"+cycles_per_bit={CYCLES_PER_BIT}", f"+mismatch={round(1000 * mismatch)}", f"+silence={silence}"]
        command = ["vvp", "-n", "bench", *options]
        output = subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout
        decoder = Decoder()
        received: list[tuple[Frame | ErrorCode, int]] = []
        for line in output.splitlines():
            fields = line.split()
            if len(fields[0]) == 2:  # not a remark of the simulator
                assert len(fields) == 2, f"a low stop bit: {line}"
                received += [(frame, int(fields[1])) for frame in decoder.feed(bytes.fromhex(fields[0]))]
        return received

    def exchange(self, writes: Sequence[bytes | int], **options: Any) -> list[Frame | ErrorCode]:
        """As `timed_exchange`, without the cycles."""
        return [frame for frame, _ in self.timed_exchange(writes, **options)]
