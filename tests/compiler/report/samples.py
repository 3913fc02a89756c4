"""Reports to test with: a small network whose figures are easy to tell apart, complete and cut short."""

from dataclasses import replace

from bnnhw.compiler.report import (
    BuildPhase,
    BuildReport,
    Candidate,
    Chip,
    Clock,
    DesignResources,
    LadderRow,
    Link,
    Performance,
    Provenance,
    Stream,
    Unit,
)
from bnnhw.compiler.report.inspect import LayerSummary, NetworkSummary
from bnnhw.hw.targets import Cells


def matmul(name: str, cols: int, rows: int, **options) -> LayerSummary:
    fixed = {
        "op": "MatMul",
        "input_shape": (cols,),
        "output_shape": (rows,),
        "input_element": "±1",
        "output_element": f"\u2212{cols}..{cols}",
        "input_bits": 1,
        "output_bits": (2 * cols).bit_length(),
        "weights": rows * cols,
        "macs": rows * cols,
        "rows": rows,
        "unique_rows": rows - 3,
        "plus_share": 0.4931,
    }
    return LayerSummary(name=name, **(fixed | options))


def threshold(name: str, channels: int, *, cols: int) -> LayerSummary:
    return LayerSummary(
        name=name,
        op="Threshold",
        input_shape=(channels,),
        output_shape=(channels,),
        input_element=f"\u2212{cols}..{cols}",
        output_element="±1",
        input_bits=(2 * cols).bit_length(),
        output_bits=1,
        constant_channels=7,
    )


LADDER = (
    LadderRow(left="torch", right="trained graph", samples=10_000, differences=0, seconds=3.2),
    LadderRow(left="trained graph", right="integer graph", samples=10_000, differences=0, seconds=8.75),
    LadderRow(left="integer graph", right="packed kernel", samples=10_000, differences=0, seconds=0.41),
    LadderRow(left="packed kernel", right="RTL", samples=9_973, differences=0, seconds=97.0),
    LadderRow(left="RTL", right="netlist"),
)
CANDIDATES = tuple(
    Candidate(frames_per_second=rate, vectors=vectors, estimated=Cells(logic=comb, ffs=comb + 90, ebr=ebr))
    for rate, vectors, comb, ebr in ((1_167_968, 4, 44_832, 167), (291_992, 1, 13_088, 165), (72_998, 1, 4_929, 164))
)
STAGES = ("load and fold", "schedule", "RTL", "synthesis", "place and route", "bitstream")


def complete() -> BuildReport:
    """An lfc on the largest ULX3S, through to the bitstream."""
    hidden = [
        layer
        for index, cols in enumerate((784, 1024, 1024))
        for layer in (matmul(f"layers.{index}.linear", cols, 1024), threshold(f"layers.{index}.sign", 1024, cols=cols))
    ]
    network = NetworkSummary(layers=(*hidden, matmul("head.linear", 1024, 10)))
    units = tuple(
        Unit(
            name=f"layers.{index}",
            engine="matrix unit",
            cycles=cycles,
            pe=pe,
            simd=simd,
            planes=1,
            vectors=1,
            weight_store="block",
            pe_utilisation=cycles / 512,
            estimated=Cells(logic=comb, luts=comb - 1800, carries=900, ffs=2100 + index, ebr=ebr),
        )
        for index, (cycles, pe, simd, comb, ebr) in enumerate(
            ((448, 32, 56, 3911, 50), (512, 32, 64, 4466, 57), (511, 32, 64, 4467, 58))
        )
    )
    head = Unit(
        name="head",
        engine="matrix unit",
        cycles=320,
        pe=1,
        simd=32,
        planes=1,
        vectors=1,
        weight_store="lut",
        pe_utilisation=0.625,
        estimated=Cells(logic=203, luts=163, carries=20, ffs=88, ebr=0),
    )
    label = Unit(name="label", engine="label select", cycles=10, estimated=Cells(logic=41, luts=21, carries=10, ffs=19))
    return BuildReport(
        model="lfc",
        dataset="mnist",
        network=network,
        units=(*units, head, label),
        performance=Performance(
            clock=Clock(asked_hz=150e6, actual_hz=149.5e6, fmax_hz=163.27e6),
            interval_cycles=512,
            latency_cycles=2243,
            link=Link(name="UART, 3 Mbaud", frames_per_second=2884.6),
            other_links=(
                Link(name="UDP, gigabit Ethernet", frames_per_second=934_000.0),
                Link(name="USB, full speed", frames_per_second=9_700.0),
            ),
        ),
        device=Chip(name="LFE5U-85F", luts=83_640, ebr=208, multipliers=156),
        resources=DesignResources(
            estimated=Cells(logic=13_088, luts=7_648, carries=2_720, ffs=6_413, ebr=165),
            synthesised=Cells(logic=13_411, luts=7_989, carries=2_711, ffs=6_502, ebr=166),
            routed=Cells(logic=13_702, luts=8_001, carries=2_713, ffs=6_507, ebr=167),
        ),
        provenance=Provenance(
            bnnhw="0.1.0",
            model_sha256="5d" * 32,
            board="ulx3s-85f",
            seed=17,
            versions={"yosys": "0.70", "nextpnr-ecp5": "0.11", "amaranth": "0.5.10"},
            artifacts={"top.bit": "a7" * 32, "top.v": "0b" * 32},
            command="bnnhw build --board ulx3s-85f --seed 17 model.pt",
        ),
        metrics={"test_accuracy": 0.9894, "validation_accuracy": 0.9881, "epochs": 500.0},
        ladder=LADDER,
        stages=tuple(
            BuildPhase(name=name, seconds=seconds)
            for name, seconds in zip(STAGES, (1.84, 0.212, 6.3, 75.4, 311.9, 9.6), strict=True)
        ),
        candidates=CANDIDATES,
        streams=tuple(stream(number - 1, number, elements=32 + number, beats=512 >> number) for number in range(6)),
    )


def stream(source: int, target: int, *, output: str = "o", into: str = "i", count: int = 5, **beat: int) -> Stream:
    """Between units of these numbers, of `count`; -1 and `count` are the core's own ports."""
    return Stream(
        source=None if source < 0 else source,
        output="i" if source < 0 else output,
        target=None if target == count else target,
        input="o" if target == count else into,
        **{"bits": 1, "elements": 8, "beats": 64, **beat},
    )


def branched() -> BuildReport:
    """Of a core whose first layer's bits go three ways, one of them a queue, that meet again."""
    report = complete()
    matrix = report.units[0]
    units = (
        Unit(name="stem windows", engine="sliding window", cycles=64),
        replace(matrix, name="stem", cycles=512),
        Unit(name="stem thresholds", engine="thresholds", cycles=64),
        Unit(name="stem fork", engine="fork", cycles=64),
        replace(matrix, name="left", cycles=300),
        Unit(name="8 to 4 lanes", engine="width converter", cycles=128),
        replace(matrix, name="right", cycles=200, planes=2, vectors=4),
        Unit(name="cat i2 queue", engine="queue", cycles=0, depth=37),
        Unit(name="cat", engine="concatenation", cycles=64),
        Unit(name="cat max pooling", engine="pooling", cycles=64),
        replace(matrix, name="features.of.a.very.long.way.down.to.the.last.layer.of.them.all.scores", cycles=320),
        Unit(name="output", engine="label select", cycles=10),
    )
    ways = [
        *((number - 1, number) for number in range(4)),
        *((3, 4), (3, 5), (3, 7), (5, 6), (4, 8), (6, 8), (7, 8)),
        *((number - 1, number) for number in range(9, 13)),
    ]
    streams = tuple(
        stream(source, target, output=f"o{target}", into=f"i{source}", count=12, beats=512 if target == 1 else 64)
        for source, target in ways
    )
    return replace(report, units=units, streams=streams)


def stopped_after(rung: str) -> BuildReport:
    """The same, stopped after `"rtl"` or `"synth"`: no measured cells beyond, no Fmax, no later stages, no ladder."""
    report = complete()
    done = {"rtl": 3, "synth": 4}[rung]
    synthesised = report.resources.synthesised if rung == "synth" else None
    return replace(
        report,
        resources=replace(report.resources, synthesised=synthesised, routed=None),
        performance=replace(report.performance, clock=replace(report.performance.clock, fmax_hz=None)),
        stages=tuple(
            stage if index < done else replace(stage, seconds=None) for index, stage in enumerate(report.stages)
        ),
        ladder=(),
    )
