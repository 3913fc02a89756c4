"""A core as a part of other people's designs: its Verilog, a bench that needs nothing of ours, and a README."""
