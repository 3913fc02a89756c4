"""Says in one line what is wrong with this Python, if anything, before pip says it in fifty."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 -- this file exists for the older ones
    sys.exit(f"bnnhw needs Python 3.11 or newer, this is {sys.version.split()[0]}: make setup PYTHON=python3.12")
try:
    import ensurepip  # noqa: F401
    import venv  # noqa: F401
except ImportError:
    sys.exit("this Python has no venv: apt-get install python3-venv")
