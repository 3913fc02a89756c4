"""The ladder: levels of a network that must be equal, bit for bit."""
