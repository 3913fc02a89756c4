"""The report of an engine's program: its page, with the roofline."""
