"""The tools from RTL to a bitstream, run as processes."""
