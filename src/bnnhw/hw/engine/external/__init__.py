"""The external memory: transfers from and to it, and what the host writes there."""
