"""Many writers of one output, each with contents of its own, beside readers who look for anything else."""

import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

__all__ = ["trouble_of_writers"]

SIZE = 50_000
SPAWN = multiprocessing.get_context("spawn")


def trouble_of_writers(
    write: Callable[[Path, bytes], object], read: Callable[[Path], set[bytes]], target: Path, *, writes: int
) -> Counter[str]:
    """What went wrong in so many `writes` of two processes with two threads each, all at once.

    `write` gets SIZE times the same byte; `read` gives all the contents that it finds, which must be one of those.
    """
    write(target, b"0" * SIZE)
    with SPAWN.Pool(2) as pool:
        jobs = [pool.apply_async(_run, (write, read, target, writes // 4, digits)) for digits in ("12", "34")]
        return sum((job.get(120) for job in jobs), Counter())


def _run(
    write: Callable[[Path, bytes], object],
    read: Callable[[Path], set[bytes]],
    target: Path,
    writes: int,
    digits: str,
) -> Counter[str]:
    said: Counter[str] = Counter()

    def work(digit: str) -> None:
        for _ in range(writes):
            try:
                write(target, digit.encode() * SIZE)
                said["writes"] += 1
            except Exception as error:
                said[f"{type(error).__name__}: {error}"] += 1
            try:
                found = read(target)
            except Exception as error:
                said[f"reader: {type(error).__name__}: {error}"] += 1
                continue
            if len(found) != 1 or found.pop() not in [each.encode() * SIZE for each in "01234"]:
                said["mixed"] += 1

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, digits))
    return said
