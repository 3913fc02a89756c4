"""The units of a core as data: shape, flow, cells, and how to build them."""
