"""An engine's start: programs out of the flash that its board's FPGA is configured from."""
