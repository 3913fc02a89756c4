"""Engines on boards: one bitstream a board, made once, and programs for it."""
