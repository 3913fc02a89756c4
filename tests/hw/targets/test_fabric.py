"""Shapes and prices of a made-up fabric, unlike that of any family here: nothing is taken from elsewhere."""

import pytest

from bnnhw.hls.scheduling.delays import Delays
from bnnhw.hw.targets import Cells, Fabric

FABRIC = Fabric(
    lut_inputs=5,
    block_ram_shapes={256: 16, 512: 8},
    block_ram_luts=100,
    distributed_ram=(32, 2, 3),
    queue_luts_per_bit={32: 1.5},
    carry_luts=1,
    carry_end_luts=5,
    chain_positions=6,
    delays=Delays(clock=0.5, lut=1.0, carry=2.0, carry_bit=0.1, multiplier=((5.0, 0.0),), enable=3.0, enable_bit=0.001),
    lone_ffs=0.5,
    usable=0.8,
    link_block_rams=2,
    clocks_hz=(30e6,),
)


@pytest.mark.parametrize(("depth", "width", "rams"), [(1, 16, 1), (256, 17, 2), (257, 8, 1), (512, 9, 2)])
def test_block_rams_stand_side_by_side(depth, width, rams):
    assert FABRIC.block_rams(depth, width) == rams


def test_no_block_ram_is_deeper_than_the_deepest():
    assert (FABRIC.block_ram_depth, FABRIC.block_ram_bits) == (512, 4096)
    with pytest.raises(ValueError, match=r"^depth=513 must be at most 512, the depth of one block RAM$"):
        FABRIC.block_ram_width(513)


@pytest.mark.parametrize(("ways", "luts"), [(1, 0), (2, 1), (4, 2), (8, 5)])
def test_multiplexers(ways, luts):
    assert FABRIC.multiplexer_luts(ways) == luts


@pytest.mark.parametrize(("depth", "width", "luts"), [(32, 2, 3), (32, 3, 6), (33, 2, 2 * 3 + 2 * 1), (1, 1, 3)])
def test_distributed_ram(depth, width, luts):
    assert FABRIC.distributed_ram_luts(depth, width) == luts


def test_depths():
    assert (FABRIC.distributed_ram_depth, FABRIC.lut_depth) == (32, 32)


@pytest.mark.parametrize(
    ("adder", "luts"),
    [
        ((2, 2, True, 3), 3),  # five inputs: a LUT a bit
        ((3, 2, True, 4), 3 + 1),
        ((3, 2, False, 4), 4),
        ((3, 1, True, 3), 3),
        ((6, 6, False, 7), 6 + 1),
    ],
)
def test_adders(adder, luts):
    assert FABRIC.adder_luts(*adder) == luts


@pytest.mark.parametrize(("u_bits", "v_bits", "luts"), [(3, 2, 4), (3, 3, 4 + 1)])
def test_subtractions(u_bits, v_bits, luts):
    assert FABRIC.adder_luts(u_bits, v_bits, False, 4, subtract=True) == luts


@pytest.mark.parametrize(
    ("adders", "cells"),
    [
        ([], (0, 0)),
        ([(4, False)], (4, 0)),
        ([(4, False), (4, False)], (8, 0)),  # one chain, begun before it is full
        ([(6, True), (4, True)], (10, 2)),  # two chains, of which each hands out a carry
        ([(4, True), (4, False)], (8, 0)),  # the first carry leaves within the chain
    ],
)
def test_carry_cells(adders, cells):
    assert FABRIC.carry_cells(adders) == cells


def test_all_that_takes_the_place_of_a_lut_is_logic():
    assert FABRIC.cells(luts=3, carries=4, carry_ends=2, ffs=1, ebr=1) == Cells(
        logic=3 + 4 + 10, luts=3, carries=4, ffs=1, ebr=1
    )
