"""Memory beside the chip: what its users speak, and a controller of SDRAM."""
