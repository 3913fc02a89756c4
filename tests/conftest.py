import gc
import signal

import hypothesis.internal.observability  # noqa: F401  (its plugin does so when all is over; CPython 3.11 may fail then)
from hypothesis import settings

# `make test` draws the same examples each time, and says the same of the same code; `make slow` draws new ones.
settings.register_profile("suite", derandomize=True)
settings.load_profile("suite")

# Programs that are started in the background of a shell ignore Ctrl-C, and hand that on to those that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What stays for the whole run, modules and thousands of tests, is no garbage to be looked for."""
    gc.collect()
    gc.freeze()
