"""The technologies that components with primitives come in."""

__all__ = ["TECHNOLOGIES", "check_technology"]

TECHNOLOGIES = ("ecp5", "portable")


def check_technology(technology: str) -> None:
    """Raises ValueError unless `technology` is one of TECHNOLOGIES."""
    if technology not in TECHNOLOGIES:
        raise ValueError(f"technology={technology!r} must be one of {list(TECHNOLOGIES)}")
