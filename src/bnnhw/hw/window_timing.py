"""The exact cycles of a sliding window: which rows wait for which, and what a waiting sink holds up."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .window_shape import WindowShape

__all__ = ["HeldPipeline", "window_interval", "window_timing"]


class HeldPipeline:
    """A pipeline of `latency` registers that stand still while a beat at the output waits.

    take(cycle), called for each beat in order, is the cycle in which the sink takes a beat that is offered from `cycle`
    on. `leaving` collects these cycles.
    """

    def __init__(self, latency: int, take: Callable[[int], int]):
        self.latency = latency
        self.take = take
        self.leaving: list[int] = []
        self._waits: deque[tuple[int, int]] = deque()  # begin and end, in order

    def moving(self, cycle: int) -> int:
        """The first cycle from `cycle` on in which the pipeline moves. Calls come in the order of time."""
        while self._waits and self._waits[0][1] <= cycle:
            self._waits.popleft()
        return self._waits[0][1] if self._waits and self._waits[0][0] <= cycle else cycle

    def enter(self, cycle: int) -> int:
        """Takes in a beat, in the first cycle from `cycle` on in which the pipeline moves, which is the result."""
        entered = cycle = self.moving(cycle)
        moves = self.latency
        for begin, end in self._waits:
            if begin >= cycle + moves:
                break
            if begin >= cycle:
                moves -= begin - cycle
                cycle = end
        offered = cycle + moves
        self.leaving.append(self.take(offered))
        if self.leaving[-1] > offered:
            self._waits.append((offered, self.leaving[-1]))
        return entered


def window_timing(
    shape: "WindowShape", offered: Sequence[int], take: Callable[[int], int] | None = None
) -> tuple[list[int], list[int]]:
    """See `WindowShape.timing`."""
    accepted: list[int] = []
    free = step = 0
    pipeline = HeldPipeline(shape.latency, (lambda cycle: cycle) if take is None else take)

    def accept_row(room: int) -> int:
        nonlocal free
        free = max(free, room)
        for cycle in offered[len(accepted) : len(accepted) + shape.row_beats]:
            accepted.append(max(cycle, free))
            free = accepted[-1] + 1
        return free

    def send_row(there: int) -> int:
        nonlocal step
        step = max(step, there)
        for _ in range(shape.row_words):
            step = pipeline.enter(step) + 1
        return pipeline.moving(step) + 1

    images = len(offered) // (shape.height * shape.row_beats)
    rooms = _run_rows(shape, shape.rows, images, accept_row, send_row)
    while len(accepted) < len(offered):
        accept_row(rooms[len(accepted) // shape.row_beats])
    return accepted, pipeline.leaving


def window_interval(shape: "WindowShape", rows: int) -> int:
    """The cycles from image to image in the steady state, with so many rows in the memory, by rows alone."""
    free = step = 0
    begins: list[int] = []

    def accept_row(room: int) -> int:
        nonlocal free
        free = max(free, room) + shape.row_beats
        return free

    def send_row(there: int) -> int:
        nonlocal step
        begins.append(max(step, there))
        step = begins[-1] + shape.row_words
        return step + 1

    _run_rows(shape, rows, 4, accept_row, send_row)
    return begins[-1] - begins[-1 - shape.out_height]


def _run_rows(
    shape: "WindowShape", rows: int, images: int, accept_row: Callable[[int], int], send_row: Callable[[int], int]
) -> list[int]:
    """Accepts and sends rows in the order in which they need each other.

    accept_row(room) accepts the next image row, from cycle `room` on, and gives the first cycle after its last beat.
    send_row(there) sends the next output row, whose image rows are there from cycle `there` on, and gives the cycle
    from which there is room in the place of those that it frees. The result is that cycle for each image row.
    """
    rooms = [0] * rows
    there = row = 0
    for output_row in range(images * shape.out_height):
        for _ in range(shape.claims[output_row % shape.out_height] if output_row else shape.first_claim):
            there = accept_row(rooms[row])
            row += 1
        rooms += [send_row(there)] * shape.frees[output_row % shape.out_height]
    return rooms
