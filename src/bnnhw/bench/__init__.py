"""Every figure that docs/benchmarks.md quotes, measured anew."""
