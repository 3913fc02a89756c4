"""bnnhw lowlight and bnnhw enhance, from photos to a picture, and what they refuse."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bnnhw.cli import main
from bnnhw.lowlight.network.file import load_network, save_network
from bnnhw.lowlight.network.unet import AbcLsid, AbcLsidShape
from bnnhw.lowlight.pairs import Bright
from bnnhw.lowlight.quality import compare_pictures
from bnnhw.lowlight.raw import develop_raw
from tests.lowlight.dng import write_dng
from tests.lowlight.test_sid import write_data_set

XTRANS_DNG = "GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG"
QUICK = "--width 2 --epochs 2 --crop 32 --patch 48 --ratio 50 --threads 1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with photos/ of two kinds, a dark raw photo held upright, and its longer exposure."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "photos").mkdir()
    Image.effect_noise((120, 100), 50).convert("RGB").save("photos/a.jpg")
    rows, columns = np.indices((81, 98))
    light = (np.sin(rows / 9) * np.cos(columns / 7) + 1.1) * 5000
    write_dng(tmp_path / "photos" / "b.dng", light.astype(np.uint16), pattern="GBRG")
    write_dng(tmp_path / "long.dng", light.astype(np.uint16), pattern="GBRG", orientation=6)
    write_dng(tmp_path / "dark.dng", (light / 100).astype(np.uint16), pattern="GBRG", orientation=6)
    return tmp_path


def run(line: str, capfd: pytest.CaptureFixture[str], *, code: int = 0) -> tuple[str, str]:
    """What `bnnhw line` prints, on standard output and on standard error."""
    threads = torch.get_num_threads()
    with pytest.raises(SystemExit) as end:
        main(line.split())
    torch.set_num_threads(threads)
    out, err = capfd.readouterr()
    assert end.value.code == code, err
    return out, err


def test_from_photos_to_a_picture(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out, _ = run(f"lowlight train photos --test photos/b.dng -m 2 -n 1 -o net.pt {QUICK}", capfd)
    assert out.startswith("net.pt: M = 2, N = 1, loss 0.")
    assert "on 1 test photos PSNR " in out
    network, meta, _ = load_network(folder / "net.pt")
    assert network.shape == AbcLsidShape(width=2, weight_bases=2, activation_bases=1)
    assert meta["recipe"]["ratios"] == (50.0,)
    assert not (folder / "net.pt.checkpoint").exists()

    out, _ = run("enhance net.pt dark.dng -o dark.png --ratio 100 --reference long.dng", capfd)
    assert out.startswith("dark.png: 81x98, 100 times as bright, ")
    with Image.open("dark.png") as image:
        assert image.size == (81, 98)
        shown = np.rot90(np.asarray(image, np.float32)) / np.float32(255)
    quality = compare_pictures(shown, develop_raw(folder / "long.dng"))
    assert f"against long.dng: PSNR {quality.psnr:.2f} dB" in out
    brightened = compare_pictures(develop_raw(folder / "dark.dng", brightness=100), develop_raw(folder / "long.dng"))
    assert out.endswith(f"; LibRaw, brightened: {brightened}\n")

    run("enhance net.pt dark.dng -o deep.png --bits 16 --tile 32", capfd)
    assert (folder / "deep.png").read_bytes()[24] == 16  # the bit depth in its header


def test_trains_on_the_published_data_set(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    listed = write_data_set(folder / "sid", size=(70, 66))
    out, _ = run(f"lowlight train {listed} --test {listed} -m 0 -n 0 --json -o net.pt {QUICK}", capfd)
    result = json.loads(out)
    assert (result["photos"], result["patches"]) == (3, 3)
    assert result["quality"]["psnr"] > 0
    network, meta, _ = load_network(folder / "net.pt")
    assert network.shape == AbcLsidShape(width=2, weight_bases=0, activation_bases=0)
    assert meta["loss"] == result["loss"]


def test_goes_on_after_an_interruption(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"lowlight train photos -o net.pt {QUICK}"
    run(line, capfd)
    expected = load_network(folder / "net.pt")[0].state_dict()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("bnnhw.cli.telling.progress.StageProgress.show", interrupted)
        _, err = run(line, capfd, code=130)
    assert err.lstrip("\n") == "bnnhw: interrupted; net.pt.checkpoint is kept: the same command goes on from there\n"
    run(line, capfd)
    found = load_network(folder / "net.pt")[0].state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_compares(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    line = f"lowlight compare photos --test photos/b.dng --bases 0,0 --bases 2,1 --seeds 2 {QUICK}"
    out, _ = run(line, capfd)
    assert [row[:23].rstrip() for row in out.splitlines()] == [
        f"M = {m}, N = {n}, {which}" for m, n in ((0, 0), (2, 1)) for which in ("seed 0", "seed 1", "2 seeds")
    ]
    kinds = zip(*[iter(run(line + " --json", capfd)[0].splitlines())] * 2, strict=True)
    texts = iter(out.splitlines())
    for kind in kinds:
        psnrs = [json.loads(row)["quality"]["psnr"] for row in kind]
        for psnr in psnrs:
            assert f"PSNR {psnr:.2f} dB" in next(texts)
        assert f"PSNR {sum(psnrs) / 2:.2f} ± {abs(psnrs[0] - psnrs[1]) / 2**0.5:.2f} dB" in next(texts)

        assert json.loads(kind[0])["network"] == "abclsid"

    alone, _ = run(f"lowlight compare photos --test photos/b.dng --bases 2,1 {QUICK}", capfd)
    assert alone.splitlines()[0].split(", training")[0] == out.splitlines()[3].split(", training")[0]
    assert len(alone.splitlines()) == 1  # nothing to be spread


def test_compares_kinds_and_counts_what_they_compute(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    kinds = "--network bbcu-unet --network abclsid --bases 1,2 --transposed binary --transposed real"
    out, _ = run(f"lowlight compare photos --test photos/b.dng {kinds} {QUICK}", capfd)
    rows = [
        (row[:40].split(" seed")[0], row.rpartition(" s, ")[2].partition("; in hardware PSNR ")[0])
        for row in out.splitlines()
    ]
    assert rows == [
        ("bbcu-unet,", "1856 binary and 384 real MACs a packed pixel"),
        ("M = 1, N = 2,", "1432 binary and 96 real MACs a packed pixel"),
        ("M = 1, N = 2, transposed real,", "1368 binary and 128 real MACs a packed pixel"),
    ]


def test_compares_levels_on_x_trans(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    kinds = "--mosaic xtrans --network xnor-unet --network bbcu-unet --levels 3 --levels 2"
    out, _ = run(f"lowlight compare photos/a.jpg --test photos/a.jpg {kinds} {QUICK}", capfd)
    assert [row.split(", seed")[0] for row in out.splitlines()] == [
        "xnor-unet, 3 levels, X-Trans", "xnor-unet, 2 levels, X-Trans", "bbcu-unet, X-Trans",
    ]  # fmt: skip
    monkeypatch.setattr(
        "bnnhw.api.lowlight.sample_photos", lambda filters: [[Bright(path=Path("photos/a.jpg"), filters=filters)]] * 2
    )
    samples, _ = run(f"lowlight compare --mosaic xtrans --network xnor-unet --levels 2 {QUICK}", capfd)
    alike = [row.rpartition(", training loss")[0] for row in (samples, out.splitlines()[1])]
    assert alike[0] == alike[1]
    _, err = run(f"lowlight compare photos --test photos/a.jpg {kinds} {QUICK}", capfd, code=2)
    assert "photos/b.dng comes from a sensor with a filter of Bayer, where X-Trans is needed: " in err


@pytest.mark.parametrize("kind", ["bbcu-unet", "xnor-unet"])
def test_trains_other_kinds(kind: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out, _ = run(f"lowlight train photos --network {kind} -o net.pt {QUICK}", capfd)
    assert out.startswith(f"net.pt: {kind}, loss ")
    network, meta, _ = load_network(folder / "net.pt")
    assert str(network.shape) == meta["network"] == kind
    out, _ = run("enhance net.pt dark.dng -o dark.png --ratio 100", capfd)
    assert out.startswith("dark.png: 81x98, 100 times as bright, ")


def test_x_trans_from_photos_to_a_picture(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Photos and an X-Trans raw file to train on; photos of other sensors are refused by name."""
    rows, columns = np.indices((513, 520))
    light = (np.sin(rows / 9) * np.cos(columns / 7) + 1.1) * 5000
    write_dng(folder / "fuji.dng", light.astype(np.uint16), pattern=XTRANS_DNG)
    kind = "--mosaic xtrans --levels 3 -m 1 -n 1"
    line = f"lowlight train photos/a.jpg fuji.dng --test fuji.dng {kind} -o fuji.pt {QUICK}"
    out, _ = run(line, capfd)
    assert out.startswith("fuji.pt: M = 1, N = 1, 3 levels, X-Trans, loss ")
    assert "; in hardware PSNR " in out
    network, _, mosaics = load_network(folder / "fuji.pt")
    assert network.shape == AbcLsidShape(width=2, levels=3, weight_bases=1, activation_bases=1, mosaic="xtrans")
    assert mosaics is not None
    assert mosaics.shape == (8, 32, 32, 9)
    out, _ = run("enhance fuji.pt fuji.dng -o fuji.png --ratio 2 --reference fuji.dng --tile 32", capfd)
    assert out.startswith("fuji.png: 520x513, 2 times as bright, ")
    _, err = run("enhance fuji.pt dark.dng -o x.png", capfd, code=2)
    assert "dark.dng comes from a sensor with a filter of Bayer, where X-Trans is needed: " in err
    _, err = run(f"lowlight train photos --mosaic xtrans -o x.pt {QUICK}", capfd, code=2)
    assert "photos/b.dng comes from a sensor with a filter of Bayer, where X-Trans is needed: " in err


BAD = {
    "no photos": ("lowlight train", "Missing argument 'PHOTOS...'.*"),
    "no such photo": ("lowlight train nothing.jpg", ".*'nothing.jpg' does not exist.*"),
    "no photo": ("lowlight train text.md", "text.md is no raw file .*"),
    "no such folder": (
        "lowlight train photos -o deep/net.pt",
        "deep/net.pt cannot be written: .*",
    ),
    "output is a folder": ("lowlight train photos -o photos", ".*'photos' is a directory.*"),
    "crop": ("lowlight train photos --crop 40", "crop=40 must be a multiple of 16, and at least 32"),
    "crop of a small photo": (
        "lowlight train photos --crop 64 --epochs 1 --patch 128",
        r"a crop of 128 pixels does not fit into .*; choose a smaller one",
    ),
    "overlap": ("lowlight train photos --overlap 512", r"overlap=512 must lie in \[0, size=512\)"),
    "ratio": ("lowlight train photos --ratio 400", ".*400.0 is not in the range 1<=x<=300.*"),
    "bases of text": ("lowlight compare --bases 3", ".*'3' must be two numbers of bases such as 3,1.*"),
    "another kind": (
        "lowlight train photos --network unet",
        ".*'unet' is not one of 'abclsid', 'bbcu-unet', 'xnor-unet'.*",
    ),
    "bases of another kind": (
        "lowlight train photos --network bbcu-unet -m 1",
        "--weight-bases is for --network abclsid, not for bbcu-unet; leave it out.*",
    ),
    "transposed convolutions of another kind": (
        "lowlight train photos --network xnor-unet --transposed binary",
        "--transposed is for --network abclsid, not for xnor-unet; leave it out.*",
    ),
    "bases to compare of other kinds": (
        "lowlight compare --network xnor-unet --network bbcu-unet --bases 1,1",
        "--bases is for --network abclsid, not for xnor-unet and bbcu-unet; leave it out.*",
    ),
    "levels of another kind": (
        "lowlight train photos --network bbcu-unet --levels 3",
        "--levels is for --network abclsid and xnor-unet, not for bbcu-unet; leave it out.*",
    ),
    "levels to compare of another kind": (
        "lowlight compare --network bbcu-unet --network bbcu-unet --levels 3",
        "--levels is for --network abclsid and xnor-unet, not for bbcu-unet; leave it out.*",
    ),
    "levels of cores of another kind": (
        "lowlight cores --network bbcu-unet --levels 3",
        "--levels is for --network abclsid and xnor-unet, not for bbcu-unet; leave it out.*",
    ),
    "levels that no network has": ("lowlight cores --levels 6", ".*6 is not in the range 2<=x<=5.*"),
    "another filter": ("lowlight compare --mosaic foveon", ".*'foveon' is not one of 'bayer', 'xtrans'.*"),
    "many bases": ("lowlight compare --bases 3,9", "activation_bases=9 must be an integer from 0 to 8"),
    "nothing to judge by": ("lowlight compare photos", "give PHOTOS to train on and --test to judge by, or neither.*"),
    "no model": ("enhance text.md dark.dng -o x.png", "text.md is truncated, damaged or no torch file;.*"),
    "no raw photo": ("enhance net.pt photos/a.jpg -o x.png", "photos/a.jpg is no raw file .*"),
    "tile": ("enhance net.pt dark.dng -o x.png --tile 40", "tile=40 must be a multiple of 16, and at least 16"),
    "no folder for the picture": ("enhance net.pt dark.dng -o deep/x.png", "deep/x.png cannot be written: .*"),
    "reference of another size": (
        "enhance net.pt dark.dng -o x.png --reference small.dng",
        "dark.dng has 81x98 pixels and small.dng 40x60; both must come from one camera",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_says_what_is_wrong(kind: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    line, message = BAD[kind]
    (folder / "text.md").write_text("no photo")
    save_network(AbcLsid(AbcLsidShape(width=1)), folder / "net.pt", meta={})
    write_dng(folder / "small.dng", np.ones((40, 60), np.uint16))
    before = sorted(folder.iterdir())
    out, err = run(line, capfd, code=2)
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("bnnhw: error: ")
    assert re.fullmatch(message, err.removeprefix("bnnhw: error: ").rstrip("\n")), err
    assert [path for path in sorted(folder.iterdir()) if path not in before and path.name != "cache"] == []
