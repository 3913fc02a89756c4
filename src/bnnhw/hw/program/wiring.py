"""Which elements of the beats are the inputs and the results of a program's groups.

Tests: tests/hw/program/test_pipeline.py
"""

from dataclasses import dataclass

__all__ = ["Wiring"]


@dataclass(frozen=True)
class Wiring:
    """A program runs on several groups of elements of a beat at once.

    Parameters
    ----------
    reads : tuple
        Of each group the elements of the input beat that are its inputs. Several groups may read one, or none.
    writes : tuple
        Of each group the elements of the output beat that are its results; each is one group's.
    elements : int
        Of an input beat.
    """

    reads: tuple[tuple[int, ...], ...]
    writes: tuple[tuple[int, ...], ...]
    elements: int

    def __post_init__(self) -> None:
        for name in ("reads", "writes"):
            if len({len(group) for group in getattr(self, name)}) != 1:
                raise ValueError(f"{name}={getattr(self, name)} must have at least one group, all of one size")
        if len(self.reads) != len(self.writes):
            raise ValueError(f"{len(self.reads)} groups read and {len(self.writes)} write; each must do both")
        beyond = [element for group in self.reads for element in group if not 0 <= element < self.elements]
        if beyond:
            raise ValueError(f"the groups read elements {beyond}, and a beat has 0 to {self.elements - 1}")
        written = sorted(element for group in self.writes for element in group)
        if written != list(range(len(written))):
            raise ValueError(f"the groups write elements {written}, which must be each of 0, 1, .. once")

    @classmethod
    def of(cls, groups: int, inputs: int, outputs: int) -> "Wiring":
        """Groups side by side, each with so many inputs and results."""
        reads, writes = (
            tuple(tuple(range(group * size, (group + 1) * size)) for group in range(groups))
            for size in (inputs, outputs)
        )
        return cls(reads, writes, groups * inputs)

    @property
    def groups(self) -> int:
        return len(self.reads)

    @property
    def results(self) -> int:
        """Elements of an output beat."""
        return self.groups * len(self.writes[0])
