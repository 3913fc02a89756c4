from dataclasses import replace
from pathlib import Path

import pytest

from bnnhw.lowlight.comparison import BASES, compare_networks, shapes_of
from bnnhw.lowlight.enhance import by_torch
from bnnhw.lowlight.judging import judge
from bnnhw.lowlight.network.bbcu_unet import BbcuUNetShape
from bnnhw.lowlight.network.macs import macs_of
from bnnhw.lowlight.network.unet import AbcLsidShape
from bnnhw.lowlight.network.xnor_unet import XnorUNetShape
from bnnhw.lowlight.patches import PatchOptions, cut_patches
from bnnhw.lowlight.training import train_network

from .test_training import RECIPE, SHAPE, photo


def test_compares_networks_that_differ_in_nothing_else(tmp_path: Path) -> None:
    source = photo(tmp_path / "a.dng")
    patches = [cut_patches(source, options=PatchOptions(size=32, overlap=4), cache=tmp_path)]
    shapes = (replace(SHAPE, weight_bases=0, activation_bases=0), BbcuUNetShape(width=1))
    done: list[float] = []
    rows = list(compare_networks(shapes, patches, [source], recipe=RECIPE, seeds=(0, 1), on_step=done.append))
    assert [(row.shape, row.seed) for row in rows] == [(shape, seed) for shape in shapes for seed in (0, 1)]
    assert [row.network for row in rows] == ["abclsid"] * 2 + ["bbcu-unet"] * 2
    assert [row.macs for row in rows[1:3]] == [macs_of(shape) for shape in shapes]
    trained, history = train_network(shapes[1], patches, recipe=RECIPE, seed=1)
    assert rows[3].quality == judge(by_torch(trained), [source], recipe=RECIPE)
    assert rows[3].loss == history[-1].loss
    assert done == sorted(done)
    assert done[-1] == 4


def test_abclsid_has_a_shape_for_each_pair_of_bases_and_each_kind_of_transposed_convolutions() -> None:
    assert shapes_of(["bbcu-unet", "xnor-unet"], width=2) == (BbcuUNetShape(width=2), XnorUNetShape(width=2))
    assert shapes_of(["abclsid", "bbcu-unet", "abclsid"], width=2) == (
        *(AbcLsidShape(width=2, weight_bases=m, activation_bases=n) for m, n in BASES),
        BbcuUNetShape(width=2),
    )
    assert shapes_of(["abclsid"], width=1, bases=[(3, 1), (3, 1)], transposed=["real", "binary"]) == (
        AbcLsidShape(width=1, weight_bases=3, activation_bases=1, transposed="real"),
        AbcLsidShape(width=1, weight_bases=3, activation_bases=1),
    )


def test_u_nets_have_a_shape_for_each_number_of_levels_and_all_kinds_are_for_one_filter() -> None:
    kinds = ["abclsid", "bbcu-unet", "xnor-unet"]
    assert shapes_of(kinds, width=1, bases=[(1, 1), (3, 1)], levels=[5, 2], mosaic="xtrans") == (
        *(
            AbcLsidShape(width=1, weight_bases=m, activation_bases=1, levels=levels, mosaic="xtrans")
            for levels in (5, 2)
            for m in (1, 3)
        ),
        BbcuUNetShape(width=1, mosaic="xtrans"),
        *(XnorUNetShape(width=1, levels=levels, mosaic="xtrans") for levels in (5, 2)),
    )


def test_kinds_that_are_none() -> None:
    with pytest.raises(ValueError, match=r"^network='unet' must be one of abclsid, bbcu-unet, xnor-unet$"):
        shapes_of(["unet"], width=1)
