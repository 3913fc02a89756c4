"""A raw frame, and what each of the camera's operators makes of it.

python picture.py cat.npy picture.png
"""

import sys
from pathlib import Path

import numpy as np
from camera import OPERATORS, WHITE
from matplotlib.figure import Figure


def main(frame: Path, output: Path) -> None:
    """Writes `output`."""
    images = [("the sensor's raw frame", np.load(frame).astype(np.int64))]
    for operator in OPERATORS:
        images.append((f"{operator.name}", operator(images[-1][1])))
    figure = Figure(figsize=(3 * len(images), 3.4), layout="constrained")
    for axes, (name, image) in zip(figure.subplots(1, len(images)), images, strict=True):
        height, width, channels = image.shape
        white = 255 if name == OPERATORS[-1].name else WHITE
        shown = image[..., 0] if channels == 1 else np.clip(image / white, 0, 1)
        axes.imshow(shown, cmap="gray", vmin=0, vmax=WHITE if channels == 1 else 1)
        axes.set_title(f"{name}\n{width} x {height} x {channels}", fontsize=10)
        axes.set_axis_off()
    figure.savefig(output, dpi=80)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
