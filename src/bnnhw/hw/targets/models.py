"""The names of a family's simulation models, which sim/ finds and runs."""

from dataclasses import dataclass

__all__ = ["SimulationModels"]


@dataclass(frozen=True, kw_only=True)
class SimulationModels:
    """What sim/ needs of a family.

    Attributes
    ----------
    folder : str
        The folder of sim/ that holds the Verilog models and is the package with the gates of its cells.
    library : str
        Yosys' own models.
    defines : tuple of str
        What leaves out parts of that library that nobody reads.
    overriding : tuple of str
        Verilog files of the folder with what that library leaves open or has in too much detail.
    verilog : tuple of str
        Files of the folder that only a simulator of Verilog reads.
    changes : tuple of str
        Yosys' commands that put models in the place of what a design has of the family's cells.
    """

    folder: str
    library: str
    overriding: tuple[str, ...]
    verilog: tuple[str, ...]
    changes: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
