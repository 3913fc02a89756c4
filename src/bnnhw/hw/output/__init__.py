"""From the last layer's sums to a label."""
