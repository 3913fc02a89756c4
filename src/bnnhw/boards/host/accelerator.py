"""A built network on its board, from images to labels."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.boards.manifest import Manifest
from bnnhw.boards.output_format import AnswerError
from bnnhw.hw.protocol import Info

from .errors import LinkError
from .link import BoardLink
from .open_line import open_line

__all__ = ["Accelerator", "Prediction", "prediction_of"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Prediction:
    """What the board says about an image.

    Attributes
    ----------
    index, label
        The class, and its name. Of equal scores the lowest class wins. None where no output is a label or scores.
    scores
        The integer graph's, one for each class; None where the build answers with labels.
    cycles
        Clock cycles from the image's first beat in to the answer's last beat out.
    outputs
        The integer graph's answers by the names of the outputs, each of its output's shape.
    tries
        How often the image was sent.
    latency_s
        The seconds of the last time, from its first byte to the answer; None of an engine, which answers runs.
    """

    index: int | None
    label: str | None
    scores: list[int] | None
    cycles: int
    outputs: Mapping[str, NDArray[np.int64]]
    tries: int = 1
    latency_s: float | None = None


class Accelerator:
    """The network of the build `manifest` on the board behind `link`; a context manager.

    >>> with Accelerator.open("build/digits") as accelerator:    # doctest: +SKIP
    ...     accelerator.answer(image).label
    'seven'
    """

    def __init__(self, manifest: Manifest, link: BoardLink):
        self.manifest = manifest
        self.link = link

    @classmethod
    def open(
        cls,
        build_folder: str | Path,
        *,
        port: str | None = None,
        address: str | None = None,
        timeout_s: float = 1.0,
        retries: int = 3,
    ) -> "Accelerator":
        """Connects to the board at the serial port `port`, or at the `address`: HOST:PORT of UDP, "usb" or "usb:NAME".

        By default it is at the address that it was built for, or at this computer's only USB serial port.

        Raises
        ------
        ManifestError
            When `build_folder` is no build.
        LinkError
            When there is no board, or it holds another network or build.
        """
        manifest = Manifest.read(Path(build_folder))
        link = BoardLink(
            open_line(port=port, address=address, built=manifest.link_choice),
            network_id=bytes.fromhex(manifest.network_id),
            timeout_s=timeout_s,
            retries=retries,
        )
        try:
            _check_info(link.info(), manifest, port=link.port)
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

    def answer(self, image: NDArray[Any]) -> Prediction:
        """The prediction for an image (H, W, C) of raw integers."""
        return next(self.answers([image]))

    def answers(self, images: Iterable[NDArray[Any]]) -> Iterator[Prediction]:
        """The prediction for each image, in order, with the link kept full.

        Raises
        ------
        LinkError
            From the first image on that the board does not answer, or with something that this build cannot mean.
        """
        sent = (self.manifest.encode_image(image) for image in images)
        for number, answer in enumerate(self.link.infer_many(sent)):
            try:
                outputs = self.manifest.decode_answer(answer.outputs)
            except AnswerError as error:
                raise LinkError(
                    f"the board at {self.link.port} answers image {number} with {error}; flash this build again"
                ) from error
            names = [each.name for each in self.manifest.outputs]
            found = prediction_of(dict(zip(names, outputs, strict=True)), answer.cycles, classes=self.manifest.classes)
            yield replace(found, tries=answer.tries, latency_s=answer.latency_s)


def prediction_of(outputs: Mapping[str, NDArray[np.int64]], cycles: int, *, classes: tuple[str, ...]) -> Prediction:
    """What the answers of all outputs say; the first label, or the first scores of all classes, is the class."""
    found = next((each for each in outputs.values() if each.shape in ((), (len(classes),))), None)
    index = None if found is None else int(found if found.ndim == 0 else found.argmax())
    return Prediction(
        index=index,
        label=None if index is None else classes[index] if classes else str(index),
        scores=None if found is None or found.ndim == 0 else found.tolist(),
        cycles=cycles,
        outputs=outputs,
    )


def _check_info(info: Info, manifest: Manifest, *, port: str) -> None:
    """Raises LinkError where a board's account of itself, the network's id aside, contradicts its build's manifest."""
    claims = {
        "input_bytes": (info.input_bytes, manifest.input_bytes),
        "output_bytes": (info.output_bytes, manifest.output_bytes),
        "clock_hz": (info.clock_hz, round(manifest.clock_hz)),
    }
    for name, (value, expected) in claims.items():
        if value != expected:
            raise LinkError(
                f"the board at {port} says {name}={value}, where this build has {expected}; "
                "flash this build, or name the build that is on the board"
            )
