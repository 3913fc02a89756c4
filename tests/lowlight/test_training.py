from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from bnnhw.lowlight.enhance import by_torch
from bnnhw.lowlight.filters import BAYER, XTRANS, ColourFilter
from bnnhw.lowlight.judging import judge
from bnnhw.lowlight.network.bbcu_unet import BbcuUNetShape
from bnnhw.lowlight.network.kinds import Shape
from bnnhw.lowlight.network.unet import AbcLsid, AbcLsidShape
from bnnhw.lowlight.network.xnor_unet import XnorUNetShape
from bnnhw.lowlight.noise import Sensor
from bnnhw.lowlight.pairs import Bright
from bnnhw.lowlight.patches import Patches
from bnnhw.lowlight.photo import photo_mosaic
from bnnhw.lowlight.training import Epoch, Recipe, example_mosaics, train_network
from bnnhw.model.methods.xnor import XnorConv2d

from .dng import write_dng
from .network.test_unet import network

SHAPE = AbcLsidShape(width=2, weight_bases=1, activation_bases=1)
RECIPE = Recipe(epochs=2, batch_size=2, crop=32, learning_rate=1e-2, last_learning_rate=1e-3, ratios=(10.0, 20.0))


def smooth_patches(*, bright: bool = True, seed: int = 0) -> Patches:
    """Four patches with broad stripes of colour."""
    generator = np.random.default_rng(seed)
    coarse = torch.from_numpy(generator.random((4, 3, 4, 4), np.float32))
    pictures = functional.interpolate(coarse, size=(68, 68), mode="bilinear").permute(0, 2, 3, 1).numpy()
    mosaics = np.stack([photo_mosaic(picture) for picture in pictures])
    stored = [np.rint(images * 65535).astype(np.uint16) for images in (mosaics, pictures)]
    return Patches(mosaics=stored[0], pictures=stored[1], bright=bright)


def weights(trained: nn.Module) -> list[Any]:
    return [tensor.tolist() for tensor in trained.state_dict().values()]


@pytest.mark.parametrize(
    "shape",
    [
        replace(SHAPE, width=4, weight_bases=0, activation_bases=0),
        replace(SHAPE, width=4, weight_bases=3, activation_bases=2),
        BbcuUNetShape(width=2),
        XnorUNetShape(width=4),
    ],
    ids=str,
)
def test_learns(shape: Shape) -> None:
    trained, history = train_network(shape, [smooth_patches()], recipe=replace(RECIPE, epochs=12))
    assert not trained.training
    assert history[-1].loss < 0.8 * history[0].loss
    assert [epoch.epoch for epoch in history] == list(range(1, 13))


def test_latent_weights_stay_where_their_layers_keep_them() -> None:
    """XNOR-Net's are centred after each step."""
    trained, _ = train_network(XnorUNetShape(width=2), [smooth_patches()], recipe=RECIPE)
    latent = [layer.weight.detach() for layer in trained.modules() if isinstance(layer, XnorConv2d)]
    assert all(float(weight.mean(1).abs().max()) < 1e-6 for weight in latent)


def test_is_a_function_of_the_seed_and_recipe() -> None:
    patches = [smooth_patches()]
    one, again = (weights(train_network(SHAPE, patches, recipe=RECIPE, seed=3)[0]) for _ in range(2))
    assert one == again
    assert one != weights(train_network(SHAPE, patches, recipe=RECIPE, seed=4)[0])
    for change in ({"ratios": (10.0,)}, {"sensor": Sensor(read_noise=9.0)}, {"last_learning_rate": 1e-2}):
        assert one != weights(train_network(SHAPE, patches, recipe=replace(RECIPE, **change), seed=3)[0])


def test_an_interrupted_training_ends_with_the_same_bits(tmp_path: Path) -> None:
    recipe, patches = replace(RECIPE, epochs=3), [smooth_patches()]
    checkpoint = tmp_path / "checkpoint"

    def interrupt(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_network(SHAPE, patches, recipe=recipe, checkpoint=checkpoint, on_epoch=interrupt)
    with pytest.raises(ValueError, match=r"belongs to an interrupted training with width=2, not 4"):
        train_network(replace(SHAPE, width=4), patches, recipe=recipe, checkpoint=checkpoint)
    done: list[float] = []
    trained, history = train_network(SHAPE, patches, recipe=recipe, checkpoint=checkpoint, on_step=done.append)
    assert done == pytest.approx([2.5, 3])
    assert len(history) == 3
    assert weights(trained) == weights(train_network(SHAPE, patches, recipe=recipe)[0])


def test_a_checkpoint_is_of_one_kind_of_network(tmp_path: Path) -> None:
    def interrupt(epoch: Epoch) -> None:
        raise KeyboardInterrupt

    options: dict[str, Any] = {"recipe": RECIPE, "checkpoint": tmp_path / "checkpoint"}
    with pytest.raises(KeyboardInterrupt):
        train_network(XnorUNetShape(width=2), [smooth_patches()], **options, on_epoch=interrupt)
    with pytest.raises(ValueError, match="with network='xnor-unet', not 'bbcu-unet'; give"):
        train_network(BbcuUNetShape(width=2), [smooth_patches()], **options)


@pytest.mark.parametrize(("filters", "channels"), [(BAYER, "RGBG"), (XTRANS, "RGBRBGGGG")], ids=["Bayer", "X-Trans"])
def test_networks_are_shown_each_colour_in_its_channel(filters: ColourFilter, channels: str) -> None:
    """As `enhance` shows it to them; crops are mirrored or not."""
    light = {"R": 0.125, "G": 0.5, "B": 0.25}
    colours = np.tile(filters.colours, (120 // filters.period,) * 2)
    mosaics = np.rint(np.array([*light.values()])[colours] * 65535).astype(np.uint16)[None]
    pictures = np.zeros((*mosaics.shape, 3), np.uint16)
    patches = Patches(mosaics=mosaics, pictures=pictures, bright=False, filters=filters)
    shown = example_mosaics([patches], RECIPE, seed=0)
    assert shown.shape == (8, 32, 32, len(channels))
    assert [set(shown[..., place].flat) for place in range(len(channels))] == [
        {round(light[colour] * 4095)} for colour in channels
    ]


def test_noise_is_for_bright_patches_only(monkeypatch: pytest.MonkeyPatch) -> None:
    darkened: list[float] = []
    darken = Recipe.darken

    def noting(self: Recipe, mosaic: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, float]:
        dark, ratio = darken(self, mosaic, generator)
        darkened.append(ratio)
        assert dark.mean() < mosaic.mean() / 5
        return dark, ratio

    monkeypatch.setattr(Recipe, "darken", noting)
    train_network(SHAPE, [smooth_patches(bright=False)], recipe=RECIPE)
    assert darkened == []
    train_network(SHAPE, [smooth_patches(), smooth_patches(bright=False)], recipe=RECIPE)
    assert len(darkened) == 2 * 4
    assert set(darkened) == {10, 20}


def photo(path: Path) -> Bright:
    rows, columns = np.indices((64, 98))
    write_dng(path, ((np.sin(rows / 9) * np.cos(columns / 7) + 1.1) * 5000).astype(np.uint16))
    return Bright(path=path)


def test_judges_all_networks_by_the_same_noise(tmp_path: Path) -> None:
    sources = [photo(tmp_path / "a.dng"), photo(tmp_path / "b.dng")]
    made = network(0, 0)
    one, again = (judge(by_torch(made), sources, recipe=RECIPE) for _ in range(2))
    assert one == again
    assert one != judge(by_torch(made), sources, recipe=RECIPE, seed=1)
    first = judge(by_torch(made), sources[:1], recipe=RECIPE)
    second = judge(by_torch(made), [sources[0], sources[0]], recipe=RECIPE)
    assert second == one  # equal photos, noise by their place
    assert first != second


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epochs": 0}, "epochs=0 must be at least 1"),
        ({"batch_size": 0}, "batch_size=0 must be at least 1"),
        ({"crop": 40}, "crop=40 must be a multiple of 16, and at least 32"),
        ({"crop": 16}, "crop=16 must be a multiple of 16, and at least 32"),
        ({"learning_rate": 0.0}, r"learning_rate=0\.0 must lie in \(0, 1e\+30\]"),
        ({"last_learning_rate": 1e39}, r"last_learning_rate=1e\+39 must lie in \(0, 1e\+30\]"),
        ({"ratios": ()}, r"ratios=\(\) must be one or more numbers in \[1, 300\]"),
        ({"ratios": (100.0, 301.0)}, r"ratios=\(100\.0, 301\.0\) must be one or more numbers in \[1, 300\]"),
    ],
)
def test_recipes_that_cannot_be(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        Recipe(**fields)


@pytest.mark.parametrize("name", ["weight", "running_var"])
def test_a_training_that_diverges_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    checkpoint, networks = tmp_path / "checkpoint", []
    to = AbcLsid.to
    monkeypatch.setattr(AbcLsid, "to", lambda self, device: networks.append(self) or to(self, device))

    def spoil(done: float) -> None:
        if done == 2:  # after the last step of all
            spoilt.append(next(each for each in networks[0].state_dict() if each.endswith(name)))
            networks[0].state_dict()[spoilt[0]].view(-1)[-1] = torch.nan

    spoilt: list[str] = []
    with pytest.raises(ValueError, match=r"^the training diverged: ") as caught:
        train_network(SHAPE, [smooth_patches()], recipe=RECIPE, checkpoint=checkpoint, on_step=spoil)
    assert str(caught.value) == (
        f"the training diverged: epoch 2 left numbers in '{spoilt[0]}' that are not finite; {checkpoint} keeps the "
        "epochs before; delete it and give a learning rate of less than 0.01"
    )
    monkeypatch.undo()
    trained, _ = train_network(SHAPE, [smooth_patches()], recipe=RECIPE, checkpoint=checkpoint)
    assert weights(trained) == weights(train_network(SHAPE, [smooth_patches()], recipe=RECIPE)[0])
