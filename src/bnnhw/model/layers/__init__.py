"""Layers with binary weights and activations, their quantisers and gradients."""
