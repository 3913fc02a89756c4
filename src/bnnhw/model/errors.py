"""What can be wrong with a network, where a caller may want to know."""

__all__ = ["ExportError"]


class ExportError(ValueError):
    """The network is sound, but holds what the graph in a model.pt cannot. The text names the layer."""
