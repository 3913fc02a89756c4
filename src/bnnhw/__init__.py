"""bnnhw: from a binary neural network trained in PyTorch to an FPGA accelerator, with open tools only.

What the commands do, as functions: docs/python.md. Each is loaded when it is first asked for.

Tests: tests/test_package.py
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bnnhw.version import __version__ as __version__

if TYPE_CHECKING:
    from bnnhw.api.build import build
    from bnnhw.api.build_core import build_core
    from bnnhw.api.builds.plan import PlanOptions
    from bnnhw.api.engine import build_program, engine
    from bnnhw.api.enhance import enhance
    from bnnhw.api.evaluate import evaluate
    from bnnhw.api.flash import flash
    from bnnhw.api.imports.qonnx import import_qonnx
    from bnnhw.api.inspect import inspect
    from bnnhw.api.lowlight import compare_lowlight, train_lowlight
    from bnnhw.api.lowlight_cores import lowlight_cores
    from bnnhw.api.operator import operator
    from bnnhw.api.operators import save_chain
    from bnnhw.api.prune import prune
    from bnnhw.api.quantise import quantise
    from bnnhw.api.run import run
    from bnnhw.api.samples import samples
    from bnnhw.api.simulate import simulate
    from bnnhw.api.train import train
    from bnnhw.api.verify import verify
    from bnnhw.model.training.recipes import default_recipe

__all__ = [
    "PlanOptions",
    "build",
    "build_core",
    "build_program",
    "compare_lowlight",
    "default_recipe",
    "engine",
    "enhance",
    "evaluate",
    "flash",
    "import_qonnx",
    "inspect",
    "lowlight_cores",
    "operator",
    "prune",
    "quantise",
    "run",
    "samples",
    "save_chain",
    "simulate",
    "train",
    "train_lowlight",
    "verify",
]

_ELSEWHERE = {
    "PlanOptions": "bnnhw.api.builds.plan",
    "build_program": "bnnhw.api.engine",
    "compare_lowlight": "bnnhw.api.lowlight",
    "default_recipe": "bnnhw.model.training.recipes",
    "import_qonnx": "bnnhw.api.imports.qonnx",
    "save_chain": "bnnhw.api.operators",
    "train_lowlight": "bnnhw.api.lowlight",
}
"""Where that lies which is not in the file of its name in api/."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ELSEWHERE.get(name, f"{__name__}.api.{name}")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
