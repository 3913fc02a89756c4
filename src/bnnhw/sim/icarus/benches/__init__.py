"""Test benches that run inside cocotb, in the simulator's process; `bnnhw.sim.icarus.runner` starts them."""
