"""The engine: an array of popcounts that runs programs, so that one bitstream computes any network."""
