"""bnnhw: from a binary neural network trained in PyTorch to an FPGA accelerator, with open tools only."""

__version__ = "0.1.0"
