"""The compiler's errors: all of them ValueErrors whose message is one line that a user can act on."""


class ModelError(ValueError):
    """A model file that is not what it should be."""


class GraphError(ValueError):
    """A graph whose names, types or order do not fit together."""


class FoldError(ValueError):
    """A trained layer that has no exact integer form."""


class ScheduleError(ValueError):
    """A folding that is illegal, or a network that misses its target or its device."""


class DeviceError(ScheduleError):
    """A network that is too large for its device at any rate."""


class TorchOnlyError(ModelError):
    """A model file whose network only torch can evaluate as yet; the text says what is in the way."""
