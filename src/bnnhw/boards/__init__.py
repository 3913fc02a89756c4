"""Boards: their table (board), the tool chain (build, alone), loaders (flash), the host driver (accelerator)."""
