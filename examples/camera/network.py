"""The camera's operators before a network that was trained on 32 x 32 colours: one model file.

python network.py cnv.pt camera.pt
"""

import sys
from pathlib import Path

import numpy as np
from camera import OPERATORS, WHITE
from torch import nn

from bnnhw import hls
from bnnhw.compiler.frontends.model_file import load as load_graph
from bnnhw.model import ToChannelsFirst, ToChannelsLast
from bnnhw.model.export import save
from bnnhw.model.export.loading import load


def main(trained: Path, output: Path) -> None:
    """Writes `output`."""
    layers: list[nn.Module] = [ToChannelsFirst()]
    channels = 1
    for operator in OPERATORS:
        layers.append(hls.Layer(operator, channels=channels))
        channels = 3 if operator.name == "demosaic" else channels
    network = nn.Sequential(*layers, ToChannelsLast(), *load(trained).children())
    frames = np.random.default_rng(0).integers(0, WHITE + 1, (20, 64, 64, 1))
    classes = load_graph(trained).meta["classes"]
    save(
        network.eval(),
        output,
        example_input=frames,
        input_range=(0, WHITE),
        meta={"network": "camera and cnv", "classes": classes},
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
