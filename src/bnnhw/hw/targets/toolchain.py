"""A family's tools as data: what boards/ runs, and how it reads what they say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .cells import Cells

__all__ = ["UNTIL_LUTS", "Program", "ToolChain"]

UNTIL_LUTS = "until_luts"
"""The attribute of wires that synthesis keeps until it makes LUTs of gates, and no longer."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program that is on PATH, or that a Python package brings.

    Attributes
    ----------
    name : str
        On PATH.
    package, distribution : str
        The package that is imported, and what pip calls it.
    run : tuple of str
        What Python is given to run it.
    minimum : tuple of int
        The oldest version of the program on PATH that will do.
    extra : str, optional
        Of bnnhw, that brings the distribution where bnnhw alone does not.
    """

    name: str
    package: str
    distribution: str
    run: tuple[str, ...]
    minimum: tuple[int, ...] = ()
    extra: str | None = None


@dataclass(frozen=True, kw_only=True)
class ToolChain:
    """From RTLIL to a bitstream: yosys, a nextpnr, a packer.

    Attributes
    ----------
    synthesise : str
        Yosys' command, without the name of the top.
    before : tuple of str
        Yosys' commands before that.
    maps_luts : str
        Its label from which on it makes LUTs of gates.
    place_and_route, pack : Program
    pack_options : tuple of str
        With `{config}` and `{bitstream}` for the files' names.
    bitstream : str
        The name of the file that the packer writes, with the suffix that loaders know.
    chip_options : callable
        nextpnr's options for a device by name, a package and a speed grade. Raises ValueError for a foreign device.
    pins_suffix : str
        Of the file of pins and clocks, which amaranth writes as top.SUFFIX.
    pins_option, free_pins_options
        nextpnr's option before the name of that file, and its options without one.
    core_options : tuple of str
        Its further options for a netlist whose ports are no pins.
    hide_ports, show_ports : callable, optional
        Where it knows no such netlist: what makes one without ports, and what gives them to the one that was placed,
        from what it was before.
    config_option : str
        nextpnr's option before the name of the file that it writes for the packer.
    packages : mapping
        Amaranth's name of a package -> nextpnr's.
    common_package, slowest_speed
        A package that every device comes in, and the lowest speed grade.
    prepare : callable
        What is changed in a netlist by yosys' write_json before nextpnr reads it.
    netlist_cells, routed_cells : callable
        The cells of a netlist by yosys' counts of them; of a routed design by nextpnr's utilisation and its log.
    """

    synthesise: str
    before: tuple[str, ...]
    maps_luts: str
    place_and_route: Program
    pack: Program
    pack_options: tuple[str, ...]
    bitstream: str
    chip_options: Callable[[str, str, int], tuple[str, ...]]
    pins_suffix: str
    pins_option: str
    free_pins_options: tuple[str, ...]
    core_options: tuple[str, ...]
    config_option: str
    packages: Mapping[str, str]
    common_package: str
    slowest_speed: int
    prepare: Callable[[dict[str, Any]], None]
    netlist_cells: Callable[[Mapping[str, int]], Cells]
    routed_cells: Callable[[Mapping[str, int], str], Cells]
    hide_ports: Callable[[dict[str, Any]], None] | None = None
    show_ports: Callable[[dict[str, Any], dict[str, Any]], None] | None = None
