"""An engine on its board: programs in, frames in, answers out.

Tests: tests/boards/host/test_engine_board.py
"""

import secrets
from collections.abc import Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.boards.engines.manifest import EngineManifest
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.hw.engine.program import packets
from bnnhw.hw.engine.program.packets import Answer, Status

from .link import BoardLink
from .serial_port import LinkError, choose_port

__all__ = ["EngineBoard"]


class EngineBoard:
    """A board that holds an engine, with a program in it; a context manager.

    Parameters
    ----------
    program : EngineProgram
    engine : EngineManifest
        Of the bitstream that is on the board.
    port : str, optional
        Its serial port; by default this computer's only one.
    timeout_s : float
        Seconds for an answer, beside those of a run.

    Raises
    ------
    LinkError
        Where the board does not answer, or holds something else than this engine.
    ValueError
        Where the program is for another engine.
    """

    def __init__(
        self,
        program: EngineProgram,
        engine: EngineManifest,
        *,
        port: str | None = None,
        timeout_s: float = 1.0,
        retries: int = 3,
    ):
        if program.shape.identity != engine.shape.identity:
            raise ValueError(
                f"the program is for the engine {program.shape.identity.hex()}, and {engine.board} has "
                f"{engine.shape.identity.hex()}; build the network again"
            )
        self.program = program
        self.link = BoardLink(
            choose_port() if port is None else port,
            baud=engine.baud,
            network_id=engine.shape.identity,
            timeout_s=timeout_s + program.cycles / engine.clock_hz,
            retries=retries,
        )
        try:
            self.link.info()
            self._ask(program.load())
        except BaseException:
            self.link.close()
            raise

    def __enter__(self) -> "EngineBoard":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.link.close()

    def answers(self, images: Iterable[NDArray[Any]]) -> Iterator[tuple[NDArray[np.int64], int]]:
        """Of each image (H, W, C) of raw integers, in order: the network's answer, and the cycles of its batch."""
        left = iter(images)
        while batch := list(islice(left, self.program.frames)):
            sums, cycles = self._run(np.stack(batch))
            for answer in self.program.network.answers(sums[: len(batch)]):
                yield answer, cycles

    def _run(self, images: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
        """The sums of one batch, and its cycles. Nothing runs before all that was written has been answered."""
        self._ask(self.program.feed(self.program.network.codes(images.astype(np.int64))))
        (ran,) = self._ask([packets.run(tag=1 + secrets.randbelow(2**32 - 1), limit=self.program.cycles)])
        return self.program.outputs([ran, *self._ask(self.program.reads())]), ran.cycles

    def _ask(self, requests: list[NDArray[np.uint32]]) -> list[Answer]:
        """The answers to packets. Raises LinkError where one is not DONE."""
        sent = (np.ascontiguousarray(packet, "<u4").tobytes() for packet in requests)
        answers: list[Answer] = []
        for reply in self.link.infer_many(sent):
            try:
                answers.append(Answer.of(np.frombuffer(reply.outputs, "<u4")))
            except ValueError as error:
                raise LinkError(f"the board at {self.link.port} does not answer as an engine does: {error}") from error
            if (status := answers[-1].status) is not Status.DONE:
                raise LinkError(f"the engine at {self.link.port} {_REFUSALS[status]}")
        return answers


_REFUSALS = {
    Status.UNKNOWN: "does not know a request; flash it again",
    Status.STOPPED: "was not done when it should have been, so its answers are not taken; flash it again",
    Status.NO_MEMORY: "has a memory chip that does not give back what is written; flash it again, or make one with a "
    "slower clock",
}
