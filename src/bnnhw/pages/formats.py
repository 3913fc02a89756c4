"""Numbers and names as a person reads them. None is "not run".

Tests: tests/compiler/report/test_page.py
"""

import unicodedata

NOT_RUN = "not run"
SPACE = "\u202f"  # narrow and without a line break: between a number and its unit, and between thousands
MINUS = "\u2212"
TIMES = "\N{MULTIPLICATION SIGN}"


def text(name: str) -> str:
    """`name` with control characters and lone surrogates made visible: neither XML nor UTF-8 can hold them."""
    return "".join("\ufffd" if unicodedata.category(sign) in ("Cc", "Cs") else sign for sign in name)


def count(value: int | None) -> str:
    """12345 -> `12 345`."""
    return NOT_RUN if value is None else f"{value:,}".replace(",", SPACE)


def si(value: float, unit: str = "", digits: int = 3) -> str:
    """293_130 -> `293k`, 150e6 with `"Hz"` -> `150 MHz`: three digits and the SI prefix."""
    scaled, prefix = float(value), ""
    for prefix in ("", "k", "M", "G", "T", "P"):
        if abs(float(f"{scaled:.{digits}g}")) < 1000 or prefix == "P":
            break
        scaled /= 1000
    number = f"{float(f'{scaled:.{digits}g}'):g}".replace("-", MINUS)
    return f"{number}{SPACE}{prefix}{unit}" if unit else f"{number}{prefix}"


def percent(value: float | None, digits: int = 1) -> str:
    """0.1372 -> `13.7 %`."""
    return NOT_RUN if value is None else f"{value * 100:.{digits}f}{SPACE}%"


def signed_percent(value: float | None) -> str:
    """-0.042 -> `−4.2 %`."""
    if value is None:
        return ""
    return f"{value * 100:+.1f}{SPACE}%".replace("-", MINUS)


def seconds(value: float | None) -> str:
    """0.0123 -> `12 ms`, 4.25 -> `4.3 s`, 754 -> `12 min 34 s`."""
    if value is None:
        return NOT_RUN
    if value < 0.9995:
        return f"{value * 1e3:.0f}{SPACE}ms"
    if value < 59.95:
        return f"{value:.1f}{SPACE}s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes}{SPACE}min {rest}{SPACE}s"


def byte_count(value: int) -> str:
    """2901760 // 8 -> `354 KiB`."""
    for unit, size in (("MiB", 2**20), ("KiB", 2**10)):
        if value >= size:
            return f"{value / size:.3g}{SPACE}{unit}"
    return f"{value}{SPACE}B"


def shape(sizes: tuple[int, ...]) -> str:
    """(28, 28, 1) -> `28 × 28 × 1`; a scalar is `scalar`."""
    return f" {TIMES} ".join(map(str, sizes)) or "scalar"
