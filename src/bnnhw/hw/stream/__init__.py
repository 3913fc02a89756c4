"""Streams with valid and ready: registers, queues (FIFOs), width converters, and when beats pass."""
