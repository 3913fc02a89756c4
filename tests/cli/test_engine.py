"""`bnnhw engine`, and programs: built, verified, run by the host driver on the virtual board, refused."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bnnhw.api.builds.program import BuiltProgram
from bnnhw.api.builds.program_report import report_of
from bnnhw.boards.board import BOARDS, get_board
from bnnhw.boards.engines.build import cached_engine
from bnnhw.boards.engines.manifest import EngineManifest
from bnnhw.boards.engines.program_folder import ProgramManifest
from bnnhw.boards.engines.sizes import sizes_for
from bnnhw.boards.host.flash_image import flash_image
from bnnhw.cli import main
from bnnhw.compiler import evaluate, integerize, load

from .case import Case, run_case
from .stock import model_bytes

BOARD = get_board("ulx3s-12f")
TABLES = {"taps": 1024, "parameters": 512, "instructions": 1024, "results": 512}
SMALL = ({"pixels": 4, "rows": 8, "simd": 32, "map_words": 1024, "weight_words": 512, **TABLES},)


@pytest.fixture(autouse=True)
def small_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines of 1,024 products a cycle."""
    monkeypatch.setattr("bnnhw.boards.engines.sizes._SIZES", SMALL)


@pytest.fixture(scope="module")
def folders(stock: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program of the stock's model in it."""
    folder = tmp_path_factory.mktemp("programs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bnnhw.boards.engines.sizes._SIZES", SMALL)
        assert run("build", "--engine", "--board", BOARD.name, stock / "model.pt", "-o", folder / "program") == 0
    return folder


@pytest.fixture
def workplace(workplace: Path, folders: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workplace with that program in `program`, and a cache without engines."""
    (workplace / "program").mkdir()
    for path in (folders / "program").iterdir():
        (workplace / "program" / path.name).write_bytes(path.read_bytes())
    return workplace


def run(*arguments: object) -> object:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code


def test_a_program_is_verified_through_the_engine(workplace: Path, capsys: pytest.CaptureFixture[str]):
    assert run("verify", "model.pt", "--build", "program", "--samples", "9") == 0
    *_, rung, total = capsys.readouterr().out.splitlines()
    assert re.match(r" packed kernel = engine RTL +9 images  equal", rung)
    assert "of which engine RTL took" in total
    page = Path("program/report.html").read_text()
    assert "4 of 4 rungs climbed, 0 differences" in page
    assert (
        '<th scope="row">packed kernel</th><td class="words">engine RTL</td><td>9</td><td class="good">0</td>' in page
    )
    assert run("verify", "model.pt", "--build", "program", "--through", "integer", "--samples", "2") == 0
    assert "2 of 4 rungs climbed, 0 differences" in Path("program/report.html").read_text()


def test_the_host_driver_runs_it_on_the_virtual_board(workplace: Path, capsys: pytest.CaptureFixture[str]):
    """More images than run at once."""
    rng = np.random.default_rng(3)
    images = rng.integers(0, 17, (5, 8, 8, 1))
    for number, image in enumerate(images):
        np.save(f"{number}.npy", image)
    assert run("run", "--simulate", "--json", "program", *(f"{number}.npy" for number in range(5))) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    graph = integerize(load("model.pt"))
    (labels,) = evaluate(graph, {graph.inputs[0].name: images}).values()
    assert [row["label"] for row in rows] == [str(label) for label in labels]
    manifest = ProgramManifest.read(Path("program"))
    assert {row["cycles"] for row in rows} == {manifest.cycles}
    assert rows[0]["seconds"] == manifest.cycles / manifest.clock_hz


def test_a_board_is_tested_with_the_programs_answers(workplace: Path, capsys: pytest.CaptureFixture[str]):
    assert run("selftest", "--simulate", "program", "--soak", "6") == 0
    page = capsys.readouterr().out
    assert "| images one by one | 4 of 4 answers are the integer graph's | ok |" in page
    assert "| images in a stream | 6 of 6 answers are right, 0 images were sent again | ok |" in page


def test_tells_what_a_program_takes(workplace: Path, capsys: pytest.CaptureFixture[str]):
    assert run("build", "--engine", "--board", BOARD.name, "--outputs", "scores", "model.pt", "-o", "other") == 0
    *layers, between, total = capsys.readouterr().out.splitlines()
    assert all(line.endswith(" of the array at work,           0 bytes moved") for line in layers)
    manifest = ProgramManifest.read(Path("other"))
    rest = manifest.cycles - sum(layer.cycles for layer in manifest.layers)
    assert re.fullmatch(rf"\(between them\) +{rest:,} cycles: instructions, and waits for the external memory", between)
    assert [line.split()[0] for line in layers] == [layer.name for layer in manifest.layers]
    assert total == (
        f"other: 4 frames in {manifest.cycles:,} cycles, {manifest.frames_per_second:,.0f} frames/s at 90 MHz without "
        "the link, on an engine of 1,024 products a cycle"
    )
    assert manifest.outputs == "scores"
    assert sum(layer.cycles for layer in manifest.layers) < manifest.cycles
    assert all(0 < layer.used < 1 for layer in manifest.layers)


def test_its_page_shows_what_the_manifest_says(workplace: Path):
    """And what the link carries: a packet of 4 images, and one that runs them, whose answer has all sums."""
    manifest = ProgramManifest.read(Path("program"))
    text = Path("program/report.html").read_text().replace("\u202f", "")
    for layer in manifest.layers:
        assert f'title="{layer.name}"' in text
        assert f"<td>{layer.cycles}</td>" in text
    assert f"4 frames a run of {manifest.cycles} cycles" in text
    assert manifest.model_sha256 in text
    assert manifest.program_sha256 in text
    built = BuiltProgram.read(Path("program"))
    report = report_of(manifest, built.program, built.graph)
    assert report.link.frames_per_second == pytest.approx(
        4 * 3e6 / (10 * 2 * (264 + 4 + 12))
    )  # 10 bits a byte, 12 bytes a frame
    assert f"UART, 3 Mbaud: {report.link_share:.0%} of the time" in text
    assert "all in block RAM" in text


def test_a_program_with_external_memory_tells_what_it_moves(workplace: Path, capsys: pytest.CaptureFixture[str]):
    Path("model.pt").write_bytes(model_bytes(500, 500))
    assert run("build", "--engine", "--board", BOARD.name, "model.pt", "-o", "other") == 0
    manifest = BuiltProgram.read(Path("other")).manifest
    printed = capsys.readouterr().out
    text = Path("other/report.html").read_text().replace("\u202f", "")
    for layer in manifest.layers:
        assert f"{layer.moves.all.bytes:,} bytes moved" in printed
        assert f"<td>{layer.moves.weights.bytes}</td><td>{layer.moves.maps_in.bytes}</td>" in text
    weights = sum(layer.moves.weights.bytes for layer in manifest.layers)
    assert weights >= (64 * 500 + 500 * 500 + 500 * 10) // 8
    assert "weights and maps from the external memory" in text
    assert 'id="roofline-' in text


def test_an_engine_is_kept_for_its_users(workplace: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.setenv("BNNHW_CACHE", str(workplace / "cache"))
    assert run("engine", "--board", BOARD.name, "--stop-after", "rtl", "--clock-mhz", "50", "-q") == 0
    folder = cached_engine(BOARD, sizes_for(BOARD))
    assert capsys.readouterr().out == f"{folder}: an engine of 1,024 products a cycle at 50 MHz\n"
    manifest = EngineManifest.read(folder)
    assert (manifest.board, manifest.clock_hz, manifest.fmax_hz) == (BOARD.name, 50e6, None)
    assert run("build", "--engine", "--board", BOARD.name, "model.pt", "-o", "other") == 0
    assert ProgramManifest.read(Path("other")).clock_hz == 50e6


@pytest.fixture
def made_engine(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The engine's folder in a cache, with a bitstream, and loaders that keep what they are given in `written`."""
    monkeypatch.setenv("BNNHW_CACHE", str(workplace / "cache"))
    assert run("engine", "--board", BOARD.name, "--stop-after", "rtl", "-q") == 0
    folder = cached_engine(BOARD, sizes_for(BOARD))
    (folder / "top.bit").write_bytes(b"bits")
    loader = workplace / "bin" / "openFPGALoader"
    loader.parent.mkdir()
    loader.write_text(
        '#!/bin/sh\nfor last; do :; done\n/bin/cp "$last" "$WRITTEN$(/bin/ls $WRITTEN | /usr/bin/wc -l)"\n'
    )
    loader.chmod(0o755)
    (workplace / "written").mkdir()
    monkeypatch.setenv("WRITTEN", f"{workplace}/written/")
    monkeypatch.setenv("PATH", str(loader.parent))
    return folder


def test_programs_go_into_the_flash(workplace: Path, made_engine: Path, capsys: pytest.CaptureFixture[str]):
    """Of two programs that which has its weights outside, then the engine's bitstream."""
    Path("model.pt").write_bytes(model_bytes(500, 500))
    assert run("build", "--engine", "--board", BOARD.name, "model.pt", "-o", "other") == 0
    capsys.readouterr()
    assert run("flash", "--persistent", "program", "other") == 0
    image, bitstream = (Path("written", name).read_bytes() for name in "01")
    assert bitstream == b"bits"
    manifest = EngineManifest.read(made_engine)
    program = BuiltProgram.read(Path("other")).program
    assert image == flash_image([program])
    seconds = f"{manifest.seconds_for(len(image)):.2g} s"
    assert capsys.readouterr().out.splitlines() == [
        f"{made_engine}/top.bit is in the flash of the {BOARD.name} (openFPGALoader)",
        f"{len(image):,} bytes of programs stand behind it, which it takes {seconds} for",
        "switch it off and on, and try: bnnhw run program IMAGE",
    ]


def test_what_is_all_in_block_ram_is_left_to_hosts(made_engine: Path, capsys: pytest.CaptureFixture[str]):
    capsys.readouterr()
    assert run("flash", "--persistent", "program") == 0
    assert [path.read_bytes() for path in Path("written").iterdir()] == [b"bits"]
    assert "stand behind it" not in capsys.readouterr().out
    assert run("flash", "program") == 0
    assert "top.bit is on the ulx3s-12f (openFPGALoader); try: bnnhw run program IMAGE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flash", "bits", "message"),
    [
        ({"size": (2 << 20) + 1000}, 4, "bytes of programs are more than the 1,000 of the flash; leave some out"),
        ({}, 3 << 20, "top.bit is larger than the 2,097,152 bytes that the flash has for it"),
        (None, 4, "the engine of ulx3s-12f does not look into the flash; make it anew with `bnnhw engine`"),
    ],
)
def test_what_has_no_room_in_the_flash_is_refused(
    made_engine: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    flash: dict[str, int] | None,
    bits: int,
    message: str,
):
    Path("model.pt").write_bytes(model_bytes(500, 500))
    assert run("build", "--engine", "--board", BOARD.name, "model.pt", "-o", "other") == 0
    (made_engine / "top.bit").write_bytes(bytes(bits))
    if flash is None:
        assert run("engine", "--board", BOARD.name, "--stop-after", "rtl", "-q", "--no-flash") == 0
    else:
        assert BOARD.flash is not None
        monkeypatch.setitem(BOARDS, BOARD.name, replace(BOARD, flash=replace(BOARD.flash, **flash)))
    capsys.readouterr()
    assert run("flash", "--persistent", "other") == 2
    assert message in capsys.readouterr().err
    assert list(Path("written").iterdir()) == []


def spoil(name: str, old: str, new: str):
    """A maker of `name` as it was with a text replaced."""

    def make(path: Path) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return {f"program/{name}": make}


CASES = (
    Case("program damaged", "run --simulate program digit.png",
         r"program/program\.npz is damaged or missing; build it again", {"program/program.npz": b"PK"}),
    Case("program of another hash", "run --simulate program digit.png",
         r"program/program\.npz is not the program that manifest\.json tells of; build it again",
         spoil("manifest.json", '"program_sha256": "', '"program_sha256": "0')),
    Case("another model in the folder", "run --simulate program digit.png",
         r"program/model\.pt is not the network that the program was made of; build it again",
         {"program/model.pt": model_bytes(9)}),
    Case("manifest of a later version", "verify model.pt --build program",
         r"program/manifest\.json is of version 9; this bnnhw reads version 5; make it again",
         spoil("manifest.json", '"version": 5', '"version": 9')),
    Case("manifest with a foreign field", "verify model.pt --build program",
         r"program/manifest\.json: manifest must have exactly the fields .*",
         spoil("manifest.json", '"frames"', '"f"')),
    Case("sizes that no engine has", "verify model.pt --build program",
         r"program/manifest\.json: pixels=12 must be a power of two, 2 at least; make it again",
         spoil("manifest.json", '"pixels": 4', '"pixels": 12')),
    Case("program of another model", "verify model.pt --build program",
         r"the program was built from another model than model\.pt; name that model, or build this one",
         {"model.pt": model_bytes(9)}),
    Case("program through the netlist", "verify model.pt --build program --through netlist",
         r"through='netlist' is for bitstreams of networks; a program is verified through rtl"),
    Case("no engine to flash", "flash program",
         r"no engine was made for ulx3s-12f yet; `bnnhw engine` makes it, once"),
    Case("several programs onto a board", "flash program program",
         r"several programs go into the flash of a board alone; name one, or make it persistent"),
    Case("a build among programs", "flash --persistent build program",
         r"build fills the board alone; only programs of one engine are flashed together"),
    Case("no engine to run on", "run program digit.png --port /dev/null",
         r"no engine was made for ulx3s-12f yet; `bnnhw engine` makes it, once"),
    Case("an option of bitstreams", "build --engine --fill 0.5 model.pt -o other",
         r"--fill is not for --engine: a program runs on an engine as it is \(try 'bnnhw build --help'\)"),
    Case("a core as a program", "build --engine --as core model.pt -o other",
         r"--as is not for --engine: a program runs on an engine as it is \(try 'bnnhw build --help'\)"),
    Case("more weights than fit", "build --engine --board ecpix5-45f model.pt -o other",
         r"\d+ words of weights are more than the weight_words=512 of this engine; take one with more",
         {"model.pt": model_bytes(500, 500)}),
    Case("an engine over other things", "engine --board ulx3s-12f --stop-after rtl -o build",
         r"build holds other things than a engine; name another place, or an empty folder",
         {"build/manifest.json": None}),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_refuses(case: Case, workplace: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BNNHW_CACHE", str(workplace.parent / "empty cache"))
    run_case(case, workplace, capfd)


def test_images_are_checked(workplace: Path, capfd: pytest.CaptureFixture[str]):
    Image.fromarray(np.zeros((5, 5), np.uint8)).save("small.png")
    assert run("run", "--simulate", "program", "small.png") == 2
    assert "small.png" in capfd.readouterr().err
