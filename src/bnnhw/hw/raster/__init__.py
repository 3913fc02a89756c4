"""What gives the pixels of an image another place, or leaves some out."""
