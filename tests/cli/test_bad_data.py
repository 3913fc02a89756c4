"""Data sets and trainings that cannot be."""

import gzip
import socket
from pathlib import Path

import numpy as np
import pytest
import torch

from .case import Case, Make, run_case

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def idx(array: np.ndarray, *, dtype: int = 8) -> bytes:
    """`array` as an IDX file."""
    header = bytes([0, 0, dtype, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(np.uint8).tobytes()


SOUND = {
    IMAGES: idx(np.zeros((30, 28, 28))),
    LABELS: idx(np.arange(30) % 10),
    "t10k-images-idx3-ubyte": idx(np.zeros((10, 28, 28))),
    "t10k-labels-idx1-ubyte": idx(np.arange(10)),
}


def mnist(id: str, message: str, changes: dict[str, bytes | None]) -> Case:
    """A training on MNIST files of which some are changed, or missing where None."""
    files = {f"data/{name}": content for name, content in (SOUND | changes).items() if content is not None}
    return Case(f"mnist: {id}", "train --dataset mnist --data-dir data --network tfc -o new.pt", message, files)


def digits(id: str, message: str, options: str, files: dict[str, Make | bytes | str | None] | None = None) -> Case:
    """A training on digits with `options`."""
    return Case(f"training: {id}", f"train --dataset digits --epochs 1 {options}", message, files or {})


FETCH = "; fetch it again"

CASES = [
    mnist("a file is missing", f"data must hold {LABELS} or {LABELS}.gz of mnist; it has neither", {LABELS: None}),
    mnist("empty", f"data/{IMAGES} must be an IDX file of bytes with 3 axes, .* begins with nothing", {IMAGES: b""}),
    mnist("wrong magic", f"data/{IMAGES} must be an IDX file .* begins with 504b0304", {IMAGES: b"PK\3\4" + bytes(99)}),
    mnist("labels for images", f"data/{IMAGES} must be an IDX file .* begins with 00000801", {IMAGES: SOUND[LABELS]}),
    mnist("floats", f"data/{IMAGES} must be an IDX file of bytes .*", {IMAGES: idx(np.zeros((30, 28, 28)), dtype=13)}),
    mnist("truncated header", f"data/{IMAGES} is truncated: .*{FETCH}", {IMAGES: SOUND[IMAGES][:9]}),
    mnist("truncated", f"data/{IMAGES} must hold 23536 bytes for shape .*{FETCH}", {IMAGES: SOUND[IMAGES][:-5]}),
    mnist("too long", f"data/{IMAGES} must hold 23536 bytes for shape .*{FETCH}", {IMAGES: SOUND[IMAGES] + b"x"}),
    mnist(
        "truncated gzip",
        f"data/{LABELS}.gz is damaged: .*{FETCH}",
        {LABELS: None, f"{LABELS}.gz": gzip.compress(SOUND[LABELS])[:-9]},
    ),
    mnist(
        "label out of range",
        r"train_labels of mnist must lie in \[0, 9\] for 10 classes, not \[10, 10\]",
        {LABELS: idx(np.full(30, 10))},
    ),
    mnist("fewer labels than images", "mnist has 30 train images but 29 labels", {LABELS: idx(np.zeros(29))}),
    mnist(
        "no test images",
        r"test_images of mnist must not be empty, but are of shape \(0, 28, 28, 1\)",
        {"t10k-images-idx3-ubyte": idx(np.zeros((0, 28, 28))), "t10k-labels-idx1-ubyte": idx(np.zeros(0))},
    ),
    mnist(
        "a single image to train on",
        "mnist leaves 1 images to train on; batch norm needs at least 2",
        {IMAGES: idx(np.zeros((1, 28, 28))), LABELS: idx(np.zeros(1))},
    ),
    mnist(
        "pictures of no pixels",
        r"train_images of mnist must not be empty, but are of shape \(30, 0, 28, 1\)",
        {IMAGES: idx(np.zeros((30, 0, 28))), "t10k-images-idx3-ubyte": idx(np.zeros((10, 0, 28)))},
    ),
    Case("no such data-dir", "samples --dataset mnist --data-dir nowhere -o out", ".*'nowhere' does not exist.*"),
    Case("data-dir is a file", "samples --dataset mnist --data-dir model.pt -o out", ".*'model.pt' is a file.*"),
    Case("unknown data set", "samples --dataset nmist -o out", "unknown data set 'nmist'; known ones are digits, .*"),
    Case(
        "data set of another size",
        "eval model.pt --dataset mnist --data-dir data",
        r"the images of mnist are of shape \(28, 28, 1\); the network takes \(8, 8, 1\)",
        {f"data/{name}": content for name, content in SOUND.items()},
    ),
    Case("no count", "samples --dataset digits --count 0 -o out", ".*'--count': 0 is not in the range x>=1.*"),
    Case("no data set", "train --network tfc", r"Missing option '--dataset'.*\(try 'bnnhw train --help'\)"),
    digits("unknown network", "unknown network 'cnn'; known ones are mlp, .*", "--network cnn"),
    digits("width of a network that has one", "network 'tfc' has fixed widths .*", "--network tfc --width 5"),
    digits("no width", ".*'--width': 0 is not in the range 1<=x<=65536.*", "--network mlp --width 0"),
    digits("no epochs", ".*'--epochs': 0 is not in the range x>=1.*", "--network mlp --epochs 0"),
    digits("epochs of text", ".*'--epochs': 'many' is not a valid integer.*", "--network mlp --epochs many"),
    digits("batch of one", ".*'--batch-size': 1 is not in the range x>=2.*", "--network mlp --batch-size 1"),
    digits("learning rate 0", ".*'--learning-rate': 0.0 is not in the range x>0.*", "--network mlp --learning-rate 0"),
    digits("learning rate NaN", ".*'--learning-rate': nan is not a finite.*", "--network mlp --learning-rate nan"),
    digits(
        "learning rate far too large",
        "the training diverged: the loss of epoch 1 is (nan|inf), and .*; give a learning rate of less than 1e\\+30",
        "--network mlp --method real --optimizer sgd --learning-rate 1e30 --epochs 1",
    ),
    digits("2 bits", ".*'--input-bits': '2' is not one of '1', '8'.*", "--network mlp --input-bits 2"),
    digits("seed below 0", ".*'--seed': -1 is not in the range.*", "--network mlp --seed -1"),
    digits("seed too large", ".*'--seed': .* is not in the range.*", f"--network mlp --seed {2**70}"),
    digits("no threads", ".*'--threads': 0 is not in the range x>=1.*", "--network mlp --threads 0"),
    digits("width of a galaxy", ".*'--width': 1000000000 is not in the range.*", "--network mlp --width 1000000000"),
    digits(
        "foreign checkpoint",
        "new.pt.checkpoint is not a whole checkpoint; delete it to start the training anew",
        "--network mlp -o new.pt",
        {"new.pt.checkpoint": "hello"},
    ),
    digits("checkpoint is a folder", "new.pt.checkpoint.*", "--network mlp -o new.pt", {"new.pt.checkpoint/x": "x"}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_says_what_is_wrong(case: Case, workplace: Path, capfd: pytest.CaptureFixture[str]):
    run_case(case, workplace, capfd)


def test_without_a_network_names_the_way_by_hand(
    workplace: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    case = Case(
        "no network",
        "samples --dataset mnist -o out",
        r"cannot download https://\S+/train-images-idx3-ubyte.gz \(ConnectionError\); fetch train-images-.*"
        r", t10k-labels-idx1-ubyte.gz of mnist by hand and name the folder, as the data dir or in BNNHW_DATA_DIR",
    )
    run_case(case, workplace, capfd)


def test_without_memory_names_the_way_out(
    workplace: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(torch, "empty", refuse)
    case = digits("no memory", "this computer has too little memory for that; take a smaller .*", "--network mlp")
    run_case(case, workplace, capfd)
