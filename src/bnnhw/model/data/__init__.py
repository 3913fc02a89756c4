"""Data sets in their official files, and the images that are made of them."""
