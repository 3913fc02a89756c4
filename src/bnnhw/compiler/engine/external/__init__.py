"""Programs with external memory: tiling, places, schedule, and the order of layers and transfers."""
