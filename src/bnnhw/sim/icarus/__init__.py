"""cocotb benches in Icarus Verilog."""
