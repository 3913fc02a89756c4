"""Pictures of what the operators do; of the cat in examples/camera, and of what is computed here.

python pictures.py [FOLDER]
"""

import sys
from pathlib import Path

import camera
import measures
import numpy as np
import post
import signals
from matplotlib.figure import Figure
from PIL import Image

RAW = np.load(Path(__file__).parents[1] / "camera" / "cat.npy").astype(np.int64) >> 2
COLOURS = 64
"""Of a file."""


def save(figure: Figure, file: Path) -> None:
    """As a PNG file of few colours."""
    figure.savefig(file, dpi=72)
    Image.open(file).convert("RGB").quantize(COLOURS).save(file, optimize=True)


def shown(named: dict[str, np.ndarray], file: Path) -> None:
    """Images (H, W, 1 or 3) side by side."""
    figure = Figure(figsize=(2.1 * len(named), 2.4), layout="constrained")
    for axes, (name, image) in zip(figure.subplots(1, len(named)), named.items(), strict=True):
        axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=max(1, image.max()), interpolation="nearest")
        axes.set_title(name, fontsize=9)
        axes.set_axis_off()
    save(figure, file)


def of_the_camera() -> dict[str, np.ndarray]:
    """The chain, operator by operator."""
    found = {"raw": RAW}
    for operator in camera.picture.operators:
        found[operator.name] = operator([*found.values()][-1])
    return found


def of_windows() -> dict[str, np.ndarray]:
    """A grey picture with wrong pixels in it."""
    grey = camera.grey(camera.picture(RAW)).copy()
    wrong = np.random.default_rng(0).random(grey.shape) < 0.05
    grey[wrong] = 255
    found = {"grey, with errors": grey}
    found["median"] = camera.median(grey)
    for operator in (camera.sobel, camera.local_pattern, camera.tone_curve, camera.downscale):
        found[operator.name] = operator(found["median"])
    return found


def of_motion() -> dict[str, np.ndarray]:
    """A ball before a wall, under noise."""
    rng, (rows, columns) = np.random.default_rng(0), np.indices((64, 64))
    wall = 90 + 40 * ((rows // 8 + columns // 8) % 2)
    before, now = (
        np.where((rows - 32) ** 2 + (columns - middle) ** 2 < 150, 230, wall) + rng.integers(-16, 17, (64, 64))
        for middle in (24, 32)
    )
    frames = [each[..., None] for each in (before, now, wall + rng.integers(-16, 17, (64, 64)))]
    new = camera.background_subtraction(frames[1], frames[2])[..., 0]
    mask = camera.motion_mask(frames[1], frames[0])
    found = {"before": before, "now": now, "background_subtraction": new}
    return found | {"motion_mask": mask, "majority": camera.majority(mask)}


def draw_signals(file: Path) -> None:
    """Samples, and what becomes of them."""
    rng, time = np.random.default_rng(0), np.arange(256)
    wave = 60 * np.sin(time / 12) * (time % 128 < 80) + rng.normal(0, 12, 256)
    x = np.clip(np.round(wave), -128, 127).astype(int)[None, :, None]
    figure = Figure(figsize=(12, 2.4), layout="constrained")
    panels = {"fir": signals.fir, "moving_average": signals.moving_average, "smoothed": signals.smoothed}
    for axes, (name, operator) in zip(
        figure.subplots(1, 5), {**panels, "envelope": signals.envelope, "cic": signals.cic}.items(), strict=True
    ):
        axes.plot(time, x.ravel(), color="0.75", linewidth=0.8)
        y = operator(x + 128) / 16 - 128 if name == "cic" else operator(x)
        axes.plot(time[:: 256 // y.size], y.ravel(), color="C0")
        axes.set_title(name, fontsize=9)
        axes.set_ylim(-128, 128)
    save(figure, file)


def draw_scores(file: Path) -> None:
    """Curves of activations, a softmax, a histogram of the cat, and peaks."""
    figure = Figure(figsize=(12, 2.4), layout="constrained")
    curves, shares, counts, before, after = figure.subplots(1, 5)
    x = np.arange(-64, 65)
    curves.plot(x / 16, post.hard_swish(x) / 16, label="hard_swish")
    curves.plot(x / 16, post.prelu(np.repeat(x[:, None], 4, 1))[:, 2] / 16, label="prelu")
    curves.legend(fontsize=8)
    scores = np.array([3, -20, 41, 35, -7, 12, 28, -30, 0, 9])
    shares.bar(range(10), post.softmax(scores[None, None])[0, 0])
    shares.set_title(f"softmax; top5 = {post.top5(scores[None, None])[0, 0].tolist()}", fontsize=9)
    counts.bar(np.arange(16) * 16, measures.histogram(camera.grey(camera.picture(RAW))).ravel(), 14, align="edge")
    counts.set_title("histogram of the cat", fontsize=9)
    rows, columns = np.indices((24, 24))
    image = sum(
        height * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 12)
        for height, row, column in [(200, 6, 6), (120, 15, 8), (250, 12, 18), (90, 20, 20)]
    )
    scores = np.round(image).astype(int)[..., None]
    for axes, name, found in [(before, "scores", scores), (after, "peaks", post.peaks(scores))]:
        axes.imshow(found.squeeze(), cmap="gray", interpolation="nearest")
        axes.set_title(name, fontsize=9)
        axes.set_axis_off()
    save(figure, file)


def main(folder: Path) -> None:
    """Writes the five of them."""
    shown(of_the_camera(), folder / "camera.png")
    shown(of_windows(), folder / "windows.png")
    shown(of_motion(), folder / "motion.png")
    draw_signals(folder / "signals.png")
    draw_scores(folder / "scores.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
