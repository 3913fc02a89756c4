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
from bnnhw.compiler.lowering.output import Output
from bnnhw.hw.protocol import VERSION as LINK_VERSION

from .link_choice import LinkChoice
from .output_format import OutputFormat, split_answer

__all__ = ["MANIFEST", "Manifest", "ManifestError", "describe_build", "network_id"]

MANIFEST = "manifest.json"
FORMAT = "bnnhw-build"
VERSION = 3


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
    outputs
        Those of the network, in order.
    output_width
        Bits of an element of an answer on the link.
    classes
        Their names, by label; none where no output is scores.
    link, baud, address, clock_hz, network_id
        The version of the link's protocol; the rate of its UART, or the board's UDP address IP:PORT; the core's exact
        clock, and the hexadecimal id that the board answers to.
    model_sha256, board, seed, versions
        The four things that fix the bitstream.
    """

    input_shape: tuple[int, ...]
    input_lo: int
    input_hi: int
    input_threshold: int | None
    input_width: int
    outputs: tuple[OutputFormat, ...]
    output_width: int
    classes: tuple[str, ...]
    link: int
    baud: int | None
    clock_hz: float
    network_id: str
    model_sha256: str
    board: str
    seed: int
    address: str | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        if not self.outputs:
            raise ValueError("outputs must hold at least one")
        for output in self.outputs:
            if output.kind == "label" and self.classes and output.greatest != len(self.classes) - 1:
                raise ValueError(
                    f"output {output.name!r} must be a label from 0 to {len(self.classes) - 1}, not {output.greatest}"
                )
        if not re.fullmatch("[0-9a-f]{16}", self.network_id):
            raise ValueError(f"network_id={self.network_id!r} must be 16 hexadecimal digits")
        _ = self.link_choice
        for name in ("clock_hz", "input_width", "output_width"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)} must be positive")

    @property
    def link_choice(self) -> LinkChoice:
        """What the link goes over."""
        return LinkChoice(baud=self.baud, address=self.address)

    @property
    def input_bytes(self) -> int:
        """Bytes of an image on the link."""
        return -(-math.prod(self.input_shape) * self.input_width // 8)

    @property
    def output_elements(self) -> int:
        """Elements of an answer: those of all outputs."""
        return sum(output.elements for output in self.outputs)

    @property
    def output_bytes(self) -> int:
        """Bytes of an answer on the link."""
        return -(-self.output_elements * self.output_width // 8)

    def encode_image(self, image: NDArray[Any]) -> bytes:
        """An image (input_shape) of raw integers as the link carries it. Raises as `codes_of`."""
        return pack_image(self.codes_of(image)[None], width=self.input_width)

    def codes_of(self, image: NDArray[Any]) -> NDArray[np.int64]:
        """An image (input_shape) of raw integers as the core's input elements, of `input_width` bits.

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
        return codes.astype(np.int64)

    def decode_answer(self, answer: bytes) -> tuple[NDArray[np.int64], ...]:
        """The bytes of an answer as the integer graph's answers, one for each output, of its shape.

        Raises ValueError for another number of bytes than such an answer can have, AnswerError for elements that are
        too great.
        """
        if len(answer) != self.output_bytes:
            raise ValueError(
                f"an answer of {self.output_elements} elements has {self.output_bytes} bytes, not {len(answer)}"
            )
        elements = unpack_image(answer, width=self.output_width, elements=self.output_elements)
        return split_answer(elements, self.outputs)

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
        if header[1] not in range(1, VERSION + 1):
            raise ManifestError(
                f"{source} is of version {header[1]}; this bnnhw reads versions 1 to {VERSION}; build it again"
            )
        if header[1] == 1:
            plain = from_version_1(plain)
        if header[1] < VERSION:  # all links were UARTs
            plain["address"] = None
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
    link: LinkChoice,
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
    return Manifest(
        input_shape=tuple(value.type.shape),
        input_lo=element.lo,
        input_hi=element.hi,
        input_threshold=input_threshold(schedule.host_graph),
        input_width=schedule.input_width,
        outputs=tuple(map(format_of, schedule.pipeline.outputs)),
        output_width=schedule.output_width,
        classes=classes,
        link=LINK_VERSION,
        baud=link.baud,
        address=link.address,
        clock_hz=clock_hz,
        network_id=network_id(schedule, model_sha256).hex(),
        model_sha256=model_sha256,
        board=board,
        seed=seed,
        versions=versions,
    )


def format_of(output: Output) -> OutputFormat:
    """What a host needs of a core's output."""
    return OutputFormat(
        name=output.name,
        kind="label" if output.label else "values",
        shape=output.shape,
        offsets=() if output.label else tuple(map(int, output.offsets)),
        scale=1 if output.label else output.scale,
        greatest=output.greatest,
    )


def from_version_1(plain: dict[str, Any]) -> dict[str, Any]:
    """A manifest of one output as version 1 had it, in the fields of today. Their values are checked as all are."""
    kind, classes = plain.pop("output", None), plain.get("classes")
    offsets, scale = plain.pop("output_offsets", []), plain.pop("output_scale", 1)
    greatest, count = plain.pop("output_greatest", None), len(classes) if isinstance(classes, list) else 0
    label = {"name": kind, "kind": "label", "shape": [], "offsets": [], "scale": 1, "greatest": count - 1}
    values = {"name": kind, "kind": "values", "shape": [count], "offsets": offsets, "scale": scale}
    outputs = [label if kind == "label" else values | {"greatest": greatest}]
    return plain | {"outputs": outputs, "output_width": 32, "link": 1}


def network_id(schedule: Schedule, model_sha256: str) -> bytes:
    """8 bytes that tell builds of different models and foldings apart."""
    labels = (output.label for output in schedule.pipeline.outputs)
    foldings = repr((schedule.vectors, schedule.foldings, *labels))
    return hashlib.sha256(f"{model_sha256} {foldings}".encode()).digest()[:8]
