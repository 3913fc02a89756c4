"""The simulators' errors: ValueErrors whose message is one line that a user can act on."""


class SimulationError(ValueError):
    """A design that cannot be simulated, or a simulation that did not do what was asked."""


class DeadlockError(SimulationError):
    """A simulation in which no beat moved for a whole budget of cycles."""
