"""Networks of the catalogue with random weights, behind batch norms that have seen images.

Tests: tests/cli/test_bench.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model.export.save_model import save
from bnnhw.model.networks.catalogue import architecture, build_network


def untrained(name: str, *, options: tuple[str, ...] = (), **kinds: Any) -> Graph:
    """The integer graph of a network for images of 32 x 32 pixels in colour and ten classes.

    kinds: `method` and others of `build_network`.
    """
    with torch.random.fork_rng(devices=()), torch.no_grad(), TemporaryDirectory(prefix="bnnhw-") as folder:
        torch.manual_seed(0)
        made = build_network(architecture(name, options=options), shape=(32, 32, 3), lo=0, hi=255, classes=10, **kinds)
        blocks = torch.randint(0, 256, (4, 16, 4, 4, 3)).repeat_interleave(8, 2).repeat_interleave(8, 3)
        images = (blocks + torch.randint(-40, 41, blocks.shape)).clamp(0, 255)
        for batch in images[:3]:
            made(batch.float())
        saved = save(made.eval(), Path(folder) / "model.pt", example_input=images[3].to(torch.uint8).numpy())
    return integerize(saved)
