"""The units that a core is made of, one file a kind: timing, flow, cells, hardware, and the ops that it lowers.

All of them are imported with the package, so each registers its ops (`step.steps_of`).
"""

from importlib import import_module
from pkgutil import walk_packages

for module in walk_packages(__path__, f"{__name__}."):
    import_module(module.name)
