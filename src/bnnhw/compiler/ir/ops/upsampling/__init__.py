"""Larger images of images."""
