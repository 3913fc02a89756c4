"""The package as a whole: quick to import, and each of its names leads somewhere."""

import subprocess
import sys

import pytest

import bnnhw

HEAVY = ("torch", "numpy", "amaranth", "click", "rich")


@pytest.mark.parametrize(
    ("module", "heavy"), [("bnnhw", HEAVY), ("bnnhw.cli.options.plan", HEAVY[:3]), ("bnnhw.cli.verify", HEAVY[:3])]
)
def test_imports_nothing_heavy(module: str, heavy: tuple[str, ...]) -> None:
    program = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


@pytest.mark.parametrize("name", bnnhw.__all__)
def test_every_name_leads_somewhere(name: str) -> None:
    found = getattr(bnnhw, name)
    assert found.__name__ == name
    assert name in dir(bnnhw)


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match=r"^module 'bnnhw' has no attribute 'bild'$"):
        _ = bnnhw.bild  # type: ignore[attr-defined]
