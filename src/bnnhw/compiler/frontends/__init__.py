"""Files of trained networks, read into graphs."""
