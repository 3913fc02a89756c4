"""What carries the link's bytes."""
