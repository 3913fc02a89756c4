"""What a design is asked to be: board, speed or share, clock, outputs, link.

Tests: tests/api/test_refusals.py
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bnnhw.boards.description import Board
    from bnnhw.boards.link_choice import LinkChoice
    from bnnhw.compiler.dataflow.schedule import Schedule
    from bnnhw.compiler.ir.graph import Graph

__all__ = ["DEFAULT_BOARD", "FILL_OF_A_FAST_LINK", "LINK_MARGIN", "PlanOptions"]

DEFAULT_BOARD = "ulx3s-85f"
"""Where no board is asked for."""

LINK_MARGIN = 10
"""Where no speed is asked for, a design is made this many times faster than its UART, or its USB of full speed."""

FILL_OF_A_FAST_LINK = 0.6
"""Where no share is asked for, and the core is what limits: what is fuller takes long to route, or is slower."""


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """Which board, and how much of the network works in parallel.

    board: by default DEFAULT_BOARD; of a core alone then only its FPGA's sizes. target_fps: the smallest design of at
    least so many frames a second. fill: the fastest one in this share of the FPGA, in (0, 1]. folding: a folding.json,
    such as a build wrote. One of the three at most. vectors: frames that share a weight fetch; by default the best
    number. clock_mhz: the core's clock; by default 100, with target_fps up to 110, whatever makes the design smallest;
    of an iCE40 24.
    link: what it goes over, a UART of `baud`, by default 3,000,000; UDP, where the board has the address IP:PORT, by
    default 192.168.1.50:4096; or USB, where its address is usb, or usb:SERIAL; by default a UART, or what the board has
    without an adapter. tile: of a network of `bnnhw.train_lowlight`, packed pixels along each side of what an image
    adds to the picture; by default 64.

    Raises ValueError where there is no such board, or it has no such link.
    """

    board: str | None = None
    target_fps: float | None = None
    fill: float | None = None
    folding: str | Path | None = None
    vectors: int | None = None
    clock_mhz: float | None = None
    outputs: Literal["label", "scores"] = "label"
    link: Literal["uart", "udp", "usb"] | None = None
    baud: int | None = None
    address: str | None = None
    tile: int | None = None

    def __post_init__(self):
        self.link_choice.check(self.target)

    @property
    def link_choice(self) -> "LinkChoice":
        """What the link goes over."""
        from bnnhw.boards.link_choice import LinkChoice

        medium = self.link or self.target.default_link
        return LinkChoice.of(medium, baud=self.baud, address=self.address).on(self.target)

    @property
    def target(self) -> "Board":
        """The board of that name; DEFAULT_BOARD where none was said."""
        from bnnhw.boards.board import get_board

        return get_board(self.board or DEFAULT_BOARD)

    def schedule(self, integers: "Graph") -> "Schedule":
        """The schedule of an integer graph that these options ask for.

        Without a speed, a share or a file: LINK_MARGIN times what the link carries, or what fits if that is less; over
        UDP and USB of high speed just what it carries, or what fits into FILL_OF_A_FAST_LINK of the FPGA.
        """
        from bnnhw.compiler.errors import DeviceError, ScheduleError
        from bnnhw.compiler.search.scheduling import schedule

        from .link_rate import wire_frames_per_second

        device, vectors = self.target.device, self.vectors
        clock_hz = None if self.clock_mhz is None else self.clock_mhz * 1e6
        if self.target_fps is None and self.fill is None and self.folding is None:
            link = self.link_choice
            margin, most = (1, FILL_OF_A_FAST_LINK) if link.is_as_fast_as_cores else (LINK_MARGIN, 1.0)
            target_fps = margin * wire_frames_per_second(integers, link)
            clock_hz = clock_hz or device.target.fabric.clocks_hz[0]
            try:
                return schedule(integers, device, target_fps=target_fps, vectors=vectors, clock_hz=clock_hz)
            except DeviceError:
                raise
            except ScheduleError:
                return schedule(integers, device, fill=most, vectors=vectors, clock_hz=clock_hz)
        return schedule(
            integers,
            device,
            target_fps=self.target_fps,
            fill=self.fill,
            folding=None if self.folding is None else Path(self.folding),
            vectors=vectors,
            clock_hz=clock_hz,
        )
