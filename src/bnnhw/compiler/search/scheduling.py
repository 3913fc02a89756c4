"""The way from an integer graph to a schedule: a folding file, a rate to reach, or a share of the device to fill."""

from bisect import bisect_left
from math import inf
from pathlib import Path

from bnnhw.compiler.dataflow.schedule import MAX_VECTORS, Schedule, plan_network
from bnnhw.compiler.errors import DeviceError, ScheduleError
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.lowering.folding_plan import read_folding
from bnnhw.compiler.lowering.network import lower_network
from bnnhw.hw.targets import DEVICES, Cells, Device

from .graph_search import search_of
from .search import Design, Search, fastest_within, smallest_at

DEFAULT_FILL = 0.5


def schedule(
    graph: Graph,
    device: Device,
    *,
    target_fps: float | None = None,
    fill: float | None = None,
    folding: str | Path | None = None,
    vectors: int | None = None,
    clock_hz: float | None = None,
) -> Schedule:
    """The schedule of an integer graph on a device. Deterministic.

    Parameters
    ----------
    target_fps
        Frames a second that the core must reach: the smallest design that does.
    fill
        Share of the device's LUTs, flip-flops, block RAMs and multipliers, at most 1: the fastest design within it. 0.5
        where none of these three is given.
    folding
        A file of foldings, used as it is.
    vectors
        Frames in lockstep; where not given, from 1 to 16 whatever is best. Not with `folding`.
    clock_hz
        The clock that rates are reckoned with. Where not given, the first of what the device's designs route at; with
        `target_fps` the slowest of these at which the design is smallest.

    Raises ScheduleError where nothing fits: by how much it misses, and what would fit; a DeviceError where that is so
    at any rate.
    """
    given = {"target_fps": target_fps, "fill": fill, "folding": folding}
    if len(names := [name for name, value in given.items() if value is not None]) > 1:
        raise ScheduleError(f"{' and '.join(names)} exclude each other; give one of them")
    if vectors is not None and not 1 <= vectors <= MAX_VECTORS:
        raise ScheduleError(f"vectors={vectors} must lie between 1 and {MAX_VECTORS}")
    if clock_hz is not None and not clock_hz > 0:
        raise ScheduleError(f"clock_hz={clock_hz} must be positive")
    clocks = device.target.fabric.clocks_hz if clock_hz is None else (clock_hz,)
    clock_hz = clocks[0]
    if folding is not None:
        if vectors is not None:
            raise ScheduleError(f"vectors={vectors} cannot be given beside a folding file, which has its own")
        plan = read_folding(folding)
        try:
            return plan_network(lower_network(graph, clock_hz=clock_hz), plan, device=device, clock_hz=clock_hz)
        except ScheduleError as error:
            raise ScheduleError(f"{folding}: {error}") from error
    network = lower_network(graph, clock_hz=clock_hz)
    if vectors is not None:
        network.pipeline.check_vectors(vectors)
    search = search_of(network.pipeline, device.target)
    counts = range(1, MAX_VECTORS + 1) if vectors is None else range(vectors, vectors + 1)
    if target_fps is None:
        design = fill_up(search, device, fill=DEFAULT_FILL if fill is None else fill, counts=counts)
        return plan_network(network, design.plan, device=device, clock_hz=clock_hz)
    aim = target_fps
    while True:
        design, clock_hz = reach(search, device, target_fps=aim, clocks=clocks, counts=counts)
        chosen = plan_network(network, design.plan, device=device, clock_hz=clock_hz)
        if chosen.frames_per_second >= target_fps * (1 - 1e-12):
            return chosen
        # Units that wait for each other take longer than the search, which looks at each by itself, has reckoned with.
        aim *= target_fps / chosen.frames_per_second


def reach(
    search: Search, device: Device, *, target_fps: float, clocks: tuple[float, ...], counts: range
) -> tuple[Design, float]:
    """The smallest design of at least `target_fps` at one of the clocks, in Hz, and the slowest such clock."""
    if not target_fps > 0:
        raise ScheduleError(f"target_fps={target_fps} must be positive")
    designs = [
        (design, clock_hz)
        for clock_hz in clocks
        if (design := smallest_at(search, device, cycles_per_frame=clock_hz / target_fps, counts=counts))
    ]
    if designs:
        return min(designs, key=lambda found: (device.size(found[0].resources), found[1]))
    clock_hz = max(clocks)
    cycles_per_frame = clock_hz / target_fps
    smallest_on(search, device)  # raises where the network is too large at any rate
    best = fastest_within(search, device, fill=1.0, counts=counts)
    assert best is not None  # the smallest one fits, so there is a fastest one
    if best.cycles_per_frame <= cycles_per_frame:
        return best, clock_hz
    limits = {vectors: vectors * cycles_per_frame for vectors in counts}
    needs = [search.needs(device, vectors=vectors, limit=limit) for vectors, limit in limits.items()]
    least = min((need for need in needs if need), key=device.size, default=None)
    raise ScheduleError(
        f"target_fps={target_fps:g} at {clock_hz / 1e6:g} MHz needs "
        f"{shortage(least, device) if least else f'more than {counts[-1]} frames a cycle'}; "
        f"fits: up to {int(clock_hz / best.cycles_per_frame)} frames/s on {device.name}"
    )


def fill_up(search: Search, device: Device, *, fill: float, counts: range) -> Design:
    """The fastest design within a share of the device."""
    if not 0 < fill <= 1:
        raise ScheduleError(f"fill={fill} must be above 0 and at most 1")
    if design := fastest_within(search, device, fill=fill, counts=counts):
        return design
    smallest_on(search, device)  # raises where the network is too large at any rate
    percents = range(1, 100)
    fits = bisect_left(
        percents,
        True,
        key=lambda percent: bool(search.smallest(device, vectors=counts[0], limit=inf, fill=percent / 100)),
    )
    raise ScheduleError(
        f"fill={fill:g} is too small for this network on {device.name}; fits: fill={(fits + 1) / 100:g} and above"
    )


def smallest_on(search: Search, device: Device) -> Design:
    """The network's smallest design on the device. Raises DeviceError where there is none."""
    if design := search.smallest(device, vectors=1, limit=inf):
        return design
    search.check_units(device)
    check_tables(search, device)
    needed = search.needs(device, vectors=1, limit=inf)
    assert needed is not None  # every layer has a folding
    family = family_of(device)
    fits = [other.name for other in family if search.smallest(other, vectors=1, limit=inf)]
    if not fits:
        largest = max(family, key=lambda other: other.ebr)
        fits = [f"networks of up to about {largest.ebr_bits / 1e6:.1f} Mbit, on {largest.name}"]
    raise DeviceError(
        f"the network's {search.pipeline.weight_bits / 1e6:.1f} Mbit of weights need at least "
        f"{shortage(needed, device)}; fits: {', '.join(fits)}"
    )


def check_tables(search: Search, device: Device) -> None:
    """Raises DeviceError where the table of an output's scores alone does not fit."""
    for output in search.pipeline.outputs:
        needed = search.options.table(output, 1)
        if needed.ebr > device.ebr and output.table is not None:
            fits = ["fewer inputs, or fewer bits, of the layer before it"]
            fits += [other.name for other in family_of(device) if needed.ebr <= other.ebr]
            raise DeviceError(
                f"output {output.name!r}: its table of {' x '.join(map(str, output.table.shape))} scores needs "
                f"{needed.ebr} of {device.ebr} EBR on {device.name}; fits: {', '.join(fits)}"
            )


def family_of(device: Device) -> list[Device]:
    """The devices of the same target."""
    return [other for other in DEVICES.values() if other.target is device.target]


def shortage(needed: Cells, device: Device) -> str:
    """What a design needs, beside what the device has."""
    cells = f"{needed.ebr} of {device.ebr} EBR and {needed.logic} of {device.luts} LUTs"
    if needed.multipliers > device.multipliers:
        cells = f"{needed.multipliers} of {device.multipliers} multipliers, {cells}"
    return f"{cells} on {device.name}"
