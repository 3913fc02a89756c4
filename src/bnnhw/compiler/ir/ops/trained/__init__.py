"""Operators of trained graphs, in torch's own float32."""
