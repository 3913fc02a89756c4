"""What the page of an engine's program says.

Tests: tests/compiler/report/program/test_page.py
"""

from dataclasses import dataclass, field
from functools import cached_property

from bnnhw.compiler.engine.figures import LayerFigures, Moved
from bnnhw.compiler.report.data import Climbed, LadderRow, Link
from bnnhw.hw.engine.engine_shape import EngineShape

__all__ = ["OPERATIONS", "ProgramReport"]

OPERATIONS = 2
"""Of a product: it and its sum."""


@dataclass(frozen=True, kw_only=True)
class ProgramReport(Climbed):
    """A program and the engine that it is for.

    Attributes
    ----------
    model : str
        The network's name.
    dataset : str, optional
    board : str
    shape : EngineShape
        The engine's.
    chip : str, optional
        Its memory's.
    clock_hz : float
    frames, cycles : int
        Of a run.
    layers : tuple of LayerFigures
    lists : Moved
        What comes from the external memory of the program itself.
    link : Link
        The way to the host. The engine runs while nothing is sent.
    metrics : dict
        The model's own, as its training recorded them; accuracies are shares.
    hashes : dict
        File -> its SHA-256.
    ladder : tuple of LadderRow
    bnnhw : str
        The version that made it.
    """

    model: str
    dataset: str | None
    board: str
    shape: EngineShape
    chip: str | None
    clock_hz: float
    frames: int
    cycles: int
    layers: tuple[LayerFigures, ...]
    lists: Moved
    link: Link
    metrics: dict[str, float] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    ladder: tuple[LadderRow, ...] = ()
    bnnhw: str

    @property
    def frames_per_second(self) -> float:
        """The engine's, the link apart."""
        return self.frames * self.clock_hz / self.cycles

    @property
    def frames_per_second_with_link(self) -> float:
        """What arrives at the host at most."""
        return 1 / (1 / self.frames_per_second + 1 / self.link.frames_per_second)

    @property
    def link_share(self) -> float:
        """Of the time of a frame that which goes by on the link."""
        return self.frames_per_second_with_link / self.link.frames_per_second

    @cached_property
    def moved(self) -> Moved:
        """From and to the external memory in a run."""
        moves = [*(layer.moves.all for layer in self.layers), self.lists]
        return Moved(bytes=sum(each.bytes for each in moves), cycles=sum(each.cycles for each in moves))

    @property
    def products(self) -> int:
        """Products of signs of a run that the network asks for."""
        return sum(layer.products for layer in self.layers)

    @property
    def used(self) -> float:
        """Their share of those that the array can make in the run."""
        return self.products / (self.shape.array.macs * self.cycles)

    @property
    def between_cycles(self) -> int:
        """Cycles of the run in which the array is at work for no layer."""
        return self.cycles - sum(layer.cycles for layer in self.layers)

    @property
    def operations_per_second(self) -> float:
        """Binary operations, 2 for each product, of the whole run."""
        return OPERATIONS * self.products * self.clock_hz / self.cycles

    def rate_of(self, layer: LayerFigures) -> float:
        """A layer's binary operations a second while the longer of its work and its transfers goes on."""
        return OPERATIONS * layer.products * self.clock_hz / layer.least_cycles

    def intensity(self, products: int, moved: Moved) -> float:
        """Binary operations for each byte that is moved."""
        return OPERATIONS * products / moved.bytes

    @property
    def peak(self) -> float:
        """Binary operations a second of the whole array."""
        return OPERATIONS * self.shape.array.macs * self.clock_hz

    @property
    def bandwidth(self) -> float:
        """Bytes a second of the external memory, a word a cycle; 0 where there is none."""
        return 0.0 if self.shape.external is None else self.shape.external.width / 8 * self.clock_hz
