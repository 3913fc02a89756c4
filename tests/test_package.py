"""The package as a whole: quick to import, and each of its names leads somewhere."""

import subprocess
import sys
from types import ModuleType

import pytest

import bnnhw
import bnnhw.compiler

HEAVY = ("torch", "numpy", "amaranth", "click", "rich")


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("bnnhw", HEAVY),
        ("bnnhw.cli.options.plan", HEAVY[:3]),
        ("bnnhw.cli.verify", HEAVY[:3]),
        ("bnnhw.compiler", HEAVY),
        ("bnnhw.model", HEAVY[2:]),
        ("bnnhw.model.named", HEAVY[2:]),
    ],
)
def test_imports_nothing_heavy(module: str, heavy: tuple[str, ...]) -> None:
    program = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


@pytest.mark.parametrize(
    ("package", "name"), [(package, name) for package in (bnnhw, bnnhw.compiler) for name in package.__all__]
)
def test_every_name_leads_somewhere(package: ModuleType, name: str) -> None:
    found = getattr(package, name)
    assert found.__name__ == name
    assert name in dir(package)


@pytest.mark.parametrize("package", [bnnhw, bnnhw.compiler])
def test_other_names_are_refused(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match=rf"^module '{package.__name__}' has no attribute 'bild'$"):
        _ = package.bild
