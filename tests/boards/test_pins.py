"""The pins of whole designs, link by link, against each board's own constraints, written down from their sources.

orangecrab-*: smunaut/had2019-playground, projects/bootloader/data/top-oc-r02.lpf
logicbone-*: oskirby/logicbone-tests, verilog/logicbone-rev0.lpf
butterstick: butterstick-fpga/butterstick-bootloader, gateware/rtl/platform/butterstick_r1d0.py
supercon19: Spritetm/hadbadge2019_fpgasoc, soc/had19_prod.lpf
versa-ecp5*: YosysHQ/prjtrellis, examples/soc_versa5g/versa.lpf; of Ethernet litex-hub/litex-boards,
    platforms/lattice_versa_ecp5.py, whose target delays no clock
icepi-zero: litex-hub/litex-boards, platforms/icepi_zero.py
ulx3s-*: emard/ulx3s, doc/constraints/ulx3s_v20.lpf

The ButterStick's PHY is the ECPIX-5's, a KSZ9031RNX; that it wants its clock late, and no other delay:
litex-hub/litex-boards, pull request 372.
"""

import re
from pathlib import Path

import pytest

from bnnhw.api.builds.plan import PlanOptions
from bnnhw.boards.board import BOARDS, get_board
from bnnhw.boards.build import make_top
from bnnhw.boards.description import LinkMedium
from bnnhw.boards.design import DesignFiles, emit_design
from bnnhw.boards.link_choice import LinkChoice

from .networks import make_schedule

ORANGECRAB = {
    "": "clk=A9",
    "uart": "rx=N17 tx=M18",
    "usb": "dp=N1 dn=M2 pullup=N2",
}
LOGICBONE = {
    "": "clk=M19 led=D16",
    "uart": "rx=B6 tx=A7",
    "usb": "dp=B12 dn=C12 pullup=C16",
}
VERSA = {
    "": "clk=P3 led=E16",
    "uart": "rx=C11 tx=A11",
    "udp": "rst=U17 txc=P19 txctl=R20 tx0=N19 tx1=N20 tx2=P18 tx3=P20 "
    "rxc=L20 rxctl=U19 rx0=T20 rx1=U20 rx2=T19 rx3=R18",
}
ULX3S = {
    "": "clk=G2 led=B2",
    "uart": "rx=M1 tx=L4",
    "usb": "dp=D15 dn=E15 pullup=B12",
}
SITES: dict[str, dict[str, str]] = {
    "ulx3s-12f": ULX3S,
    "ulx3s-85f": ULX3S,
    "orangecrab-25f": ORANGECRAB,
    "orangecrab-85f": ORANGECRAB,
    "logicbone-45f": LOGICBONE,
    "logicbone-85f": LOGICBONE,
    "butterstick": {
        "": "clk=B12",
        "udp": "rst=B20 txc=E15 txctl=D15 tx0=C15 tx1=B16 tx2=A18 tx3=B19 "
        "rxc=D11 rxctl=B18 rx0=A16 rx1=C17 rx2=B17 rx3=A17",
    },
    "supercon19": {
        "": "clk=U18 led=E3",
        "uart": "rx=U2 tx=U1",
        "usb": "dp=F3 dn=G3 pullup=E4",
    },
    "versa-ecp5": VERSA,
    "versa-ecp5-5g": VERSA,
    "icepi-zero": {
        "": "clk=M1 led=E13",
        "uart": "rx=K16 tx=K15",
        "usb": "dp=F15 dn=E16 pullup=G15",
    },
}
"""Of each board those of the clock and the LED, and those of each link that it has."""
NAMES = {
    r"(?:refclk|clk\d*)_0__(?:io|p)": "clk",
    r"led_0__io": "led",
    r"uart_0__(rx|tx)__io": r"\1",
    r"usb_socket_0__d_(p|n)__io": r"d\1",
    r"usb_socket_0__pullup__io": "pullup",
    r"eth_rgmii_0__rst__io": "rst",
    r"eth_rgmii_0__(rx|tx)_clk__io": r"\1c",
    r"eth_rgmii_0__(rx|tx)_(ctl)__io": r"\1\2",
    r"eth_rgmii_0__(rx|tx)_data__io\[(\d)\]": r"\1\2",
}
"""What the ports of designs are called there."""
CASES = [(name, link) for name, links in SITES.items() for link in links if link]


def whole_design(folder: Path, name: str, link: LinkChoice) -> DesignFiles:
    """A small network's on that board."""
    board = get_board(name)
    pll = board.target.clock_settings(input_hz=board.clock_hz, output_hz=50_000_000)
    port = link.port(board, clock_hz=pll.output_hz)
    top = make_top(make_schedule(folder, seed=1), clock_hz=pll.output_hz, port=port, network_id=bytes(8))
    return emit_design(top, board, pll=pll)


def called(port: str) -> str:
    for pattern, name in NAMES.items():
        if (match := re.fullmatch(pattern, port)) is not None:
            return match.expand(name)
    return port


@pytest.mark.parametrize(("name", "medium"), CASES)
def test_are_those_of_the_boards_constraints(tmp_path: Path, name: str, medium: LinkMedium):
    design = whole_design(tmp_path, name, PlanOptions(board=name, link=medium).link_choice)
    found = {called(port): site for port, site in re.findall(r'LOCATE COMP "(\S+)" SITE "(\w+)"', design.pins)}
    assert found == dict(pin.split("=") for pin in f"{SITES[name]['']} {SITES[name][medium]}".split())


def test_of_every_link():
    """Each board that is named here has all its links checked."""
    for name, links in SITES.items():
        assert {*links} - {""} == {*BOARDS[name].links}


@pytest.mark.parametrize(
    ("name", "taps"), [("ecpix5-85f", "80"), ("butterstick", "80"), ("versa-ecp5", "0"), ("versa-ecp5-5g", "0")]
)
def test_the_clock_to_the_phy_is_as_late_as_it_wants(tmp_path: Path, name: str, taps: str):
    """In 25 ps."""
    design = whole_design(tmp_path, name, LinkChoice(address="192.0.2.7:4096"))
    assert re.findall(r"parameter \\DEL_VALUE (\S+)", design.rtlil) == [taps]
