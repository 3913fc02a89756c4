"""manifest.json of a build: what the host needs to talk to the board, and what fixes the bitstream's bits."""

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.codec import from_plain
from bnnhw.compiler.dataflow.packing import pack_image, unpack_image
from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.compiler.ir.types import IntType
from bnnhw.compiler.lowering.network import input_threshold

__all__ = ["MANIFEST", "AnswerError", "Manifest", "ManifestError", "describe_build", "network_id"]

MANIFEST = "manifest.json"
FORMAT = "bnnhw-build"
VERSION = 1
NOT_IN_0_1 = ("output_greatest",)
"""Fields that manifests of version 0.1 lack."""


class AnswerError(ValueError):
    """What no core of a build answers; its text says what that is, and what a core may answer."""


class ManifestError(ValueError):
    """A folder is no build, or its manifest is damaged or of another version."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A build, for its users.

    Attributes
    ----------
    input_shape, input_lo, input_hi
        Shape [H, W, C] and range of the raw integers that the network takes.
    input_threshold
        Where given, the host sends the bit x >= input_threshold for each element, else x - input_lo in `input_width`
        bits.
    input_width
        Bits of an element on the link.
    output
        "label", or "scores": then score[c] = output_offsets[c] + output_scale * (what the board answers).
    output_greatest
        The greatest element of an answer; None where it is not known.
    classes
        Their names, by label.
    baud, clock_hz, network_id
        The link's rate, the core's exact clock, and the hexadecimal id that the board answers to.
    model_sha256, board, seed, versions
        The four things that fix the bitstream.
    """

    input_shape: tuple[int, ...]
    input_lo: int
    input_hi: int
    input_threshold: int | None
    input_width: int
    output: str
    output_offsets: tuple[int, ...] = ()
    output_scale: int = 1
    output_greatest: int | None = None
    classes: tuple[str, ...]
    baud: int
    clock_hz: float
    network_id: str
    model_sha256: str
    board: str
    seed: int
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        if self.output not in ("label", "scores"):
            raise ValueError(f"output={self.output!r} must be 'label' or 'scores'")
        if not re.fullmatch("[0-9a-f]{16}", self.network_id):
            raise ValueError(f"network_id={self.network_id!r} must be 16 hexadecimal digits")
        for name in ("baud", "clock_hz", "input_width"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)} must be positive")
        if self.output == "scores" and len(self.output_offsets) != len(self.classes):
            raise ValueError(
                f"output_offsets must be one for each of {len(self.classes)} classes, not {len(self.output_offsets)}"
            )

    @property
    def input_bytes(self) -> int:
        """Bytes of an image on the link."""
        return -(-math.prod(self.input_shape) * self.input_width // 8)

    @property
    def outputs(self) -> int:
        """Elements of an answer: the label, or a score for each class."""
        return 1 if self.output == "label" else len(self.classes)

    @property
    def output_width(self) -> int:
        """Bits of an element of an answer. Raises ManifestError where the manifest does not tell."""
        if self.output_greatest is None:
            raise ManifestError("this build was made by an older bnnhw, whose link has version 1; build it again")
        return max(1, self.output_greatest.bit_length())

    @property
    def output_bytes(self) -> int:
        """Bytes of an answer on the link."""
        return -(-self.outputs * self.output_width // 8)

    def encode_image(self, image: NDArray[Any]) -> bytes:
        """An image (input_shape) of raw integers as the link carries it.

        Raises
        ------
        ValueError
            For another shape, values that are no integers, or integers out of range.
        """
        image = np.asarray(image)
        if image.shape != self.input_shape:
            raise ValueError(f"an image of this network has the shape {self.input_shape}, not {image.shape}")
        if not np.issubdtype(image.dtype, np.integer):
            raise ValueError(f"an image of this network holds integers, not {image.dtype}")
        if image.min() < self.input_lo or image.max() > self.input_hi:
            raise ValueError(
                f"an image of this network lies in [{self.input_lo}, {self.input_hi}], "
                f"but this one spans [{image.min()}, {image.max()}]"
            )
        values = image.astype(np.int64).ravel()
        codes = values - self.input_lo if self.input_threshold is None else values >= self.input_threshold
        return pack_image(codes.astype(np.int64)[None], width=self.input_width)

    def decode_answer(self, outputs: bytes) -> NDArray[np.int64]:
        """The bytes of an answer as the label, shape (), or the integer graph's scores, shape (classes,).

        Raises ValueError for another number of bytes than such an answer can have, AnswerError for elements that are
        too great.
        """
        if len(outputs) != self.output_bytes:
            raise ValueError(f"an answer of {self.outputs} elements has {self.output_bytes} bytes, not {len(outputs)}")
        codes = unpack_image(outputs, width=self.output_width, elements=self.outputs)
        if self.output == "label":
            if codes[0] >= len(self.classes):
                raise AnswerError(f"label {codes[0]}, where this build has {len(self.classes)} classes, from 0 on")
            return codes[0]
        if self.output_greatest is not None and (greatest := codes.max()) > self.output_greatest:
            raise AnswerError(f"{greatest} for a score, where this build has 0 to {self.output_greatest}")
        return np.array(self.output_offsets) + self.output_scale * codes

    def to_json(self) -> str:
        """The text of manifest.json."""
        return json.dumps({"format": FORMAT, "version": VERSION, **asdict(self)}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, *, source: str = MANIFEST) -> "Manifest":
        """The manifest whose `to_json` is `text`. Raises ManifestError for anything else."""
        try:
            plain = json.loads(text)
        except ValueError as error:
            raise ManifestError(f"{source} is no JSON: {error}") from error
        header = (plain.pop("format", None), plain.pop("version", None)) if isinstance(plain, dict) else None
        if header is None or header[0] != FORMAT:
            raise ManifestError(f"{source} is no manifest of a bnnhw build")
        if header[1] != VERSION:
            raise ManifestError(
                f"{source} is of version {header[1]}; this bnnhw reads version {VERSION}; build it again"
            )
        plain = dict.fromkeys(NOT_IN_0_1) | plain
        names = {field.name for field in fields(cls)}
        if set(plain) != names:
            raise ManifestError(f"{source} lacks or has too much of {sorted(names ^ set(plain))}; build it again")
        try:
            return from_plain(cls, plain, "manifest")
        except ValueError as error:
            raise ManifestError(f"{source}: {error}; build it again") from error

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """The manifest of the build in `folder`.

        Raises
        ------
        ManifestError
            When there is none, or it is damaged.
        """
        path = folder / MANIFEST
        try:
            return cls.from_json(path.read_text(), source=str(path))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ManifestError(f"{folder} is no build: it has no {MANIFEST}; `bnnhw build` makes one") from error
        except UnicodeDecodeError as error:
            raise ManifestError(f"{path} is no text") from error


def describe_build(
    schedule: Schedule,
    *,
    classes: tuple[str, ...],
    baud: int,
    clock_hz: float,
    model_sha256: str,
    board: str,
    seed: int,
    versions: dict[str, str],
) -> Manifest:
    """The manifest of `schedule` on `board`."""
    value = schedule.host_graph.inputs[0]
    element = value.type.element
    if not isinstance(element, IntType):
        raise TypeError(f"the network's input must be integers, not {element}")
    pipeline = schedule.pipeline
    return Manifest(
        input_shape=tuple(value.type.shape),
        input_lo=element.lo,
        input_hi=element.hi,
        input_threshold=input_threshold(schedule.host_graph),
        input_width=schedule.input_width,
        output="label" if pipeline.label else "scores",
        output_offsets=() if pipeline.label else tuple(map(int, pipeline.offsets)),
        output_scale=1 if pipeline.label else pipeline.scale,
        output_greatest=schedule.greatest_output,
        classes=classes,
        baud=baud,
        clock_hz=clock_hz,
        network_id=network_id(schedule, model_sha256).hex(),
        model_sha256=model_sha256,
        board=board,
        seed=seed,
        versions=versions,
    )


def network_id(schedule: Schedule, model_sha256: str) -> bytes:
    """8 bytes that tell builds of different models and foldings apart."""
    foldings = repr((schedule.vectors, schedule.foldings, schedule.pipeline.label))
    return hashlib.sha256(f"{model_sha256} {foldings}".encode()).digest()[:8]
