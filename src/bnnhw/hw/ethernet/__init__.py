"""An endpoint of UDP on gigabit Ethernet, a byte a cycle at 125 MHz; docs/link-protocol.md."""
