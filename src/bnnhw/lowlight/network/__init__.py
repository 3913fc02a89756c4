"""The low-light U-Net, its file, and what it is in hardware."""
