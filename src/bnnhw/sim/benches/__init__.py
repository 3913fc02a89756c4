"""Test benches that run inside cocotb, in the simulator's process; `bnnhw.sim.runner` starts them."""
