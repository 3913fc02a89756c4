"""How pages are made of templates: one file each, without scripts, fonts or anything else from outside.

Tests: tests/compiler/report/test_page.py
"""

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from . import formats

__all__ = ["page_environment"]

_FILTERS = ("count", "si", "percent", "signed_percent", "seconds", "byte_count", "shape")


def page_environment(package: str) -> Environment:
    """Templates of `package`, which may include `style.css.j2`; the functions of `formats` are their filters."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader("bnnhw.pages", ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: formats.text(value) if type(value) is str else value,
    )
    environment.filters |= {name: getattr(formats, name) for name in _FILTERS}
    return environment
