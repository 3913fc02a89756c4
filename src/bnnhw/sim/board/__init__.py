"""The virtual board: a build's design behind a pseudo-terminal."""
