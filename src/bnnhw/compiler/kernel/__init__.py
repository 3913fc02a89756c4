"""The network on a CPU: words of packed bits."""
