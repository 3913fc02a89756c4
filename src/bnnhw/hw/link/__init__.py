"""Frames of images and answers around a core; docs/link-protocol.md."""
