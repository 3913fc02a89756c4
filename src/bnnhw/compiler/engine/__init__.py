"""Programs for the engine: an integer graph as instructions, taps, parameters and weights."""
