"""What goes wrong between a host and its board."""

__all__ = ["LinkError"]


class LinkError(OSError):
    """The board cannot be reached, or it is not the one that was expected."""
