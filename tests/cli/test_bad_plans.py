"""Devices, foldings, rates and clocks that cannot be."""

import json
from pathlib import Path
from typing import Any

import pytest

from .case import Case, run_case
from .stock import model_bytes

LAYERS = ("hidden1.linear", "output.linear")
UDP = "--board ecpix5-85f --link udp"


def folding(*, pe: int = 1, simd: int = 1, names: tuple[str, ...] = LAYERS, **others: Any) -> str:
    """A folding.json with the same folding for all layers."""
    layers = [{"name": name, "pe": pe, "simd": simd, "store": "auto"} for name in names]
    return json.dumps({"format": "bnnhw-folding", "version": 1, "vectors": 1, "layers": layers, **others})


def folded(id: str, message: str, text: str | bytes | None) -> Case:
    """A build with the folding file `text`."""
    files = {} if text is None else {"f.json": text}
    return Case(f"folding: {id}", "build model.pt --folding f.json -o out", f"f.json: {message}", files)


LARGE = {"large.pt": lambda path: path.write_bytes(model_bytes(1200, 1200))}
HUGE = {"huge.pt": lambda path: path.write_bytes(model_bytes(2100, 2100))}

CASES = [
    Case(
        "network too large for the device",
        "build large.pt --board ulx3s-12f -o out",
        r"the network's 1.5 Mbit of weights need at least \d+ of 56 EBR and \d+ of 24288 LUTs on LFE5U-12F; "
        "fits: LFE5U-45F, LFE5U-85F, .*",
        LARGE,
    ),
    Case(
        "network too large for every device",
        "build huge.pt -o out",
        r"the network's 4.6 Mbit of weights need at least \d+ of 208 EBR and \d+ of 83640 LUTs on LFE5U-85F; "
        "fits: networks of up to about 3.8 Mbit, on LFE5U-85F",
        HUGE,
    ),
    folded("missing", "cannot be read: No such file or directory", None),
    folded("empty", "is not JSON: .*", ""),
    folded("no JSON", "is not JSON: .*", '{"format": '),
    folded("no text", "cannot be read: .*", b"\xff\xfe\x00"),
    folded("list", "lacks what a bnnhw-folding file has: .*", "[]"),
    folded("other format", "is not a bnnhw-folding file of version 1", folding(format="finn")),
    folded("later version", "is not a bnnhw-folding file of version 1", folding(version=2)),
    folded("pe does not divide", "layer 'hidden1.linear': pe=3 must divide rows=8; legal values are .*", folding(pe=3)),
    folded("simd does not divide", "layer .*: simd=7 must divide cols=64; legal values are .*", folding(simd=7)),
    folded("pe 0", "has pe=0; it must be a whole number of at least 1", folding(pe=0)),
    folded(
        "pe is text", "has pe='1'; it must be a whole number of at least 1", folding().replace('"pe": 1', '"pe": "1"')
    ),
    folded("unknown store", "layer 'hidden1.linear': store='paper' .*", folding().replace("auto", "paper")),
    folded("vectors 17", "vectors=17 .*", folding(vectors=17)),
    folded("wrong layers", r"has foldings of \['a', 'b'\], but the network's layers are .*", folding(names=("a", "b"))),
    folded(
        "layer twice",
        r"has foldings of \['hidden1.linear', 'output.linear', 'output.linear'\], but .*",
        folding(names=(*LAYERS, "output.linear")),
    ),
    Case("folding: a folder", "build model.pt --folding build -o out", "build: cannot be read: Is a directory"),
    Case(
        "folding beside a rate",
        "build model.pt --folding f.json --target-fps 5 -o out",
        "target_fps and folding exclude each other; give one of them",
        {"f.json": folding()},
    ),
    Case(
        "rate out of reach",
        "build model.pt --target-fps 1e12 -o out",
        r"target_fps=1e\+12 at 110 MHz .*; fits: up to \d+ .*",
    ),
    Case(
        "rate of no number", "build model.pt --target-fps nan -o out", ".*'--target-fps': nan is not a finite number.*"
    ),
    Case("rate below 0", "build model.pt --target-fps -5 -o out", ".*'--target-fps': -5.0 is not in the range x>0.*"),
    Case(
        "fill too small",
        "build model.pt --fill 0.0001 -o out",
        "fill=0.0001 is too small .*; fits: fill=0.0. and above",
    ),
    Case("fill above 1", "build model.pt --fill 1.5 -o out", ".*'--fill': 1.5 is not in the range 0<x<=1.*"),
    Case("vectors 0", "build model.pt --vectors 0 -o out", ".*'--vectors': 0 is not in the range 1<=x<=16.*"),
    Case("vectors 17", "verify model.pt --vectors 17", ".*'--vectors': 17 is not in the range 1<=x<=16.*"),
    Case("clock too slow for click", "build model.pt --clock-mhz 0.001 -o out", ".*'--clock-mhz': 0.001 is not in .*"),
    Case("clock too slow for the PLL", "build model.pt --clock-mhz 1 -o out", "output_hz=1000000 must be in .*"),
    Case(
        "clock too fast",
        "build model.pt --clock-mhz 10000 -o out",
        r"output_hz=10000000000 must be in 10000000\.\.400000000, .*",
    ),
    Case("endless clock", "build model.pt --clock-mhz inf -o out", ".*'--clock-mhz': inf is not a finite number.*"),
    Case(
        "UDP without Ethernet", "build model.pt --link udp -o out", "link=udp needs gigabit Ethernet, .* ulx3s-85f .*"
    ),
    Case(
        "address of a UART",
        "build model.pt --address 192.0.2.7:80 -o out",
        "address=192.0.2.7:80 is of a link over UDP or USB; .*",
    ),
    Case(
        "UART without one",
        "build model.pt --board butterstick --link uart -o out",
        "link=uart needs a UART, .* butterstick to have; take link=udp",
    ),
    Case(
        "baud where a socket is the default",
        "build model.pt --board orangecrab --baud 9600 -o out",
        "baud=9600 is of a UART; link=usb has none",
    ),
    Case(
        "engine without a UART",
        "engine --board butterstick --link uart -o out",
        "link=uart needs a UART, .* butterstick to have; take link=udp",
    ),
    Case("baud over UDP", f"build model.pt {UDP} --baud 9600 -o out", "baud=9600 is of a UART; link=udp has none"),
    Case("no address", f"build model.pt {UDP} --address here:80 -o out", "address='here:80' must be IP:PORT, .*"),
    Case("link of a core", f"build model.pt --as core {UDP} -o out", "--link is for bitstreams: .*"),
    Case("baud too fast for the clock", "build model.pt --baud 90000000 -o out", ".*baud=90000000 .*"),
    Case("baud too slow", "build model.pt --baud 1 -o out", ".*'--baud': 1 is not in the range x>=1200.*"),
    Case(
        "unknown board",
        "build model.pt --board ulx3s-58f -o out",
        "board='ulx3s-58f' is unknown; the boards are ulx3s-85f, ulx3s-.*, ecp5-evn, .*",
    ),
    Case(
        "unknown board, nothing to build", "verify nothing.pt --board ulx", "board='ulx' is unknown; the boards are .*"
    ),
    Case("unknown command", "biuld model.pt", r"No such command 'biuld'.*\(try 'bnnhw --help'\)"),
    Case("unknown option", "build model.pt --bord ulx3s", r"No such option.*--bord.*\(try 'bnnhw build --help'\)"),
    Case("no model", "build", r"Missing argument 'MODEL'. \(try 'bnnhw build --help'\)"),
    *(
        Case(
            f"core with --{option}",
            f"build model.pt --as core --{option} {value} -o out",
            rf"--{option} is for bitstreams: a core has no link, and is not placed \(try .*\)",
        )
        for option, value in {"baud": 9600, "seed": 1, "retries": 0, "stop-after": "rtl", "time-limit": 9}.items()
    ),
    Case("core of an unknown board", "build model.pt --as core --board ulx -o out", "board='ulx' is unknown; .*"),
    Case("core out of reach", "build model.pt --as core --target-fps 1e12 -o out", r"target_fps=1e\+12 at 110 MHz .*"),
    Case("unknown kind", "build model.pt --as asic -o out", ".*'--as': 'asic' is not one of 'bitstream', 'core'.*"),
    Case("unknown stage", "build model.pt --stop-after lunch", ".*'--stop-after': 'lunch' is not one of 'rtl', .*"),
    Case("unknown rung", "verify model.pt --through moon", ".*'--through': 'moon' is not one of 'graph', .*"),
    Case("no samples", "verify model.pt --samples 0", ".*'--samples': 0 is not in the range x>=1.*"),
    Case(
        "more samples than images",
        "verify model.pt --samples 100000 --dataset digits",
        "samples=100000 must be at most 360, .*",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_says_what_would_do(case: Case, workplace: Path, capfd: pytest.CaptureFixture[str]):
    run_case(case, workplace, capfd)
