"""The sliding window that makes a convolution's vectors of an image, FINN's SWU."""
