"""A build's folder as what later commands go on with: the plan that it was made by, and its report.

Tests: tests/cli/test_verify.py
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bnnhw.boards.build import make_top
from bnnhw.boards.design import emit_design
from bnnhw.boards.manifest import Manifest, network_id
from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.compiler.report import BuildReport, read, write
from bnnhw.lowlight.network.file import is_network, load_network
from bnnhw.lowlight.tiles import Tiling

from .ladder_rows import ladder_rows
from .plan import PlanOptions

if TYPE_CHECKING:
    from bnnhw.sim.ladder.ladder import Comparison


@dataclass(frozen=True)
class Build:
    """The build in `folder`, what it says of itself, and of a low-light network the windows that it takes."""

    folder: Path
    manifest: Manifest
    report: BuildReport
    tiling: Tiling | None

    @classmethod
    def read(cls, folder: Path, *, model: Path) -> "Build":
        """The build of `model` in `folder`. Raises ValueError where there is none, or one of another model."""
        manifest = Manifest.read(folder)
        sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
        if manifest.model_sha256 != sha256:
            raise ValueError(
                f"{folder} was built from another model than {model}: its model's SHA-256 is "
                f"{manifest.model_sha256[:12]}.., not {sha256[:12]}..; name that model, or build this one"
            )
        tiling = None
        if is_network(model):
            shape = load_network(model).network.shape
            tiling = Tiling.of(shape, tile=manifest.input_shape[0] - 2 * shape.halo, fixed=True)
        return cls(folder, manifest, read(folder), tiling)

    @property
    def plan(self) -> PlanOptions:
        """The options that name this build's board, foldings, clock, outputs and link."""
        return PlanOptions(
            board=self.manifest.board,
            target_fps=None,
            fill=None,
            folding=self.folder / "folding.json",
            vectors=None,
            clock_mhz=self.manifest.clock_hz / 1e6,
            outputs="label" if any(output.kind == "label" for output in self.manifest.outputs) else "scores",
            link=self.manifest.link_choice.medium,
            baud=self.manifest.baud,
            address=self.manifest.address,
            tile=None if self.tiling is None else self.tiling.tile,
        )

    def check(self, schedule: Schedule) -> None:
        """Raises ValueError where `schedule`'s design is not, to the letter, the one that was built."""
        manifest, board = self.manifest, self.plan.target
        pll = board.target.clock_settings(input_hz=board.clock_hz, output_hz=round(manifest.clock_hz))
        identity = network_id(schedule, manifest.model_sha256)
        port = manifest.link_choice.port(board, clock_hz=pll.output_hz)
        top = make_top(schedule, clock_hz=pll.output_hz, port=port, network_id=identity)
        built = self.folder / "top.il"
        if emit_design(top, board, pll=pll).rtlil != built.read_text():
            raise ValueError(f"{built} is not what this version makes of the model and folding.json; build it again")

    def write_ladder(self, steps: Sequence["Comparison"], *, names: Sequence[str]) -> None:
        """Rewrites the report with the ladder of the rungs `names`, of which the lowest `steps` were climbed.

        Raises ValueError where another build has taken the folder meanwhile.
        """
        if Manifest.read(self.folder) != self.manifest or read(self.folder).provenance != self.report.provenance:
            raise ValueError(f"{self.folder} holds another build than the one that was climbed with; verify it again")
        write(replace(self.report, ladder=ladder_rows(steps, names=names)), self.folder)
