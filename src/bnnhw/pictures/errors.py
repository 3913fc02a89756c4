"""What a picture's reader says beside its pixels.

Tests: tests/pictures/test_reader.py
"""

__all__ = ["PictureError", "PictureNote"]


class PictureNote(UserWarning):
    """What was decided about a picture without being asked: its path, and `what`, the same for all such pictures."""

    def __init__(self, path: object, what: str):
        super().__init__(f"{path}: {what}")
        self.what = what


class PictureError(ValueError):
    """Why a sound file is not read, and the way out: what follows its name in a sentence."""
