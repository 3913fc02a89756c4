"""A built network on its board, from images to labels."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .host import BoardLink
from .manifest import Manifest
from .serial_port import choose_port

__all__ = ["Accelerator"]


class Accelerator:
    """The network of the build `manifest` on the board behind `link`; a context manager.

    >>> with Accelerator.open("build/digits") as accelerator:    # doctest: +SKIP
    ...     accelerator.infer(image)
    array(7)
    """

    def __init__(self, manifest: Manifest, link: BoardLink):
        self.manifest = manifest
        self.link = link

    @classmethod
    def open(
        cls, build_folder: str | Path, *, port: str | None = None, timeout_s: float = 1.0, retries: int = 3
    ) -> "Accelerator":
        """Connects to the board at `port`, or at this computer's only USB serial port.

        Raises
        ------
        ManifestError
            When `build_folder` is no build.
        LinkError
            When there is no board, or it holds another network.
        """
        manifest = Manifest.read(Path(build_folder))
        link = BoardLink(
            choose_port() if port is None else port,
            baud=manifest.baud,
            network_id=bytes.fromhex(manifest.network_id),
            timeout_s=timeout_s,
            retries=retries,
        )
        try:
            link.info()
        except BaseException:
            link.close()
            raise
        return cls(manifest, link)

    def __enter__(self) -> "Accelerator":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the port back."""
        self.link.close()

    def infer(self, image: NDArray[Any]) -> NDArray[np.int64]:
        """The label, shape (), or the scores, shape (classes,), of an image (H, W, C) of raw integers."""
        return next(self.infer_many([image]))

    def infer_many(self, images: Iterable[NDArray[Any]]) -> Iterator[NDArray[np.int64]]:
        """`infer` for each image, in order, with the link kept full."""
        for answer in self.link.infer_many(self.manifest.encode_image(image) for image in images):
            yield self.manifest.decode_answer(answer.outputs)

    def label_of(self, answer: NDArray[np.int64]) -> str:
        """The name of the class that an answer of `infer` means; ties of scores go to the lowest class."""
        return self.manifest.classes[int(answer if answer.ndim == 0 else answer.argmax())]
