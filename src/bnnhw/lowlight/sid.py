"""The See-in-the-Dark data set in the folders and lists that its authors publish (Chen et al., arXiv:1805.01934)::

Sony_train_list.txt                  ./Sony/short/00001_00_0.1s.ARW ./Sony/long/00001_00_10s.ARW ISO200 F8
Sony/short/00001_00_0.1s.ARW         seconds of exposure in the name
Sony/long/00001_00_10s.ARW

Fuji's, of an X-Trans sensor, is alike.
"""

import re
from pathlib import Path

from .filters import BAYER, ColourFilter
from .pairs import MAX_RATIO, Exposures

__all__ = ["read_sid_list"]

_SECONDS = re.compile(r"_(\d+(?:\.\d+)?)s\.[^.]+$")


def read_sid_list(path: Path, filters: ColourFilter = BAYER) -> tuple[Exposures, ...]:
    """The pairs of a list, whose paths count from its folder; what stands behind the two paths is not looked at.

    The ratio of each is that of the seconds in the names, at most `MAX_RATIO`. ValueError, which names the line, where
    there are no two paths, no seconds or no such files.
    """
    try:
        lines = path.read_text().splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text; give a list such as Sony_train_list.txt") from error
    pairs = tuple(_pair(path, number, line, filters) for number, line in enumerate(lines, start=1) if line.strip())
    if not pairs:
        raise ValueError(f"{path} lists no pairs; give a list such as Sony_train_list.txt")
    return pairs


def _pair(path: Path, number: int, line: str, filters: ColourFilter) -> Exposures:
    names = line.split()[:2]
    if len(names) < 2:
        raise ValueError(f"{path}, line {number}: a short and a long exposure are needed, not {line!r:.80}")
    files = [path.parent / name for name in names]
    for file in files:
        if not file.is_file():
            raise ValueError(f"{path}, line {number}: there is no file {file}; unpack the data set beside its list")
    short, long = (_seconds(path, number, name) for name in names)
    if not 0 < short <= long:
        raise ValueError(
            f"{path}, line {number}: the first exposure must be the shorter one, not {short:g} s and {long:g} s"
        )
    return Exposures(short=files[0], long=files[1], ratio=min(long / short, MAX_RATIO), filters=filters)


def _seconds(path: Path, number: int, name: str) -> float:
    found = _SECONDS.search(name)
    if found is None:
        raise ValueError(f"{path}, line {number}: {name} must end in its exposure, such as _0.1s.ARW")
    return float(found[1])
