import signal

import hypothesis.internal.observability  # noqa: F401  (its plugin does so when all is over; CPython 3.11 may fail then)

# Programs that are started in the background of a shell ignore Ctrl-C, and hand that on to those that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
