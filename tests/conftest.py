import signal

# Programs that are started in the background of a shell ignore Ctrl-C, and hand that on to those that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
