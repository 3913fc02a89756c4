"""Downloading data sets once, with checksums, into the user's cache.

Tests: tests/model/data/test_datasets.py
"""

from pathlib import Path

import platformdirs
import pooch
import requests

__all__ = ["fetch"]

# MNIST from PyTorch's mirror (the checksums are TensorFlow's and Keras'), the others from their authors with theirs;
# SVHN's are torchvision's.
_SOURCES = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        {
            "train-images-idx3-ubyte.gz": "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "t10k-images-idx3-ubyte.gz": "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ),
    "fashion-mnist": (
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        {
            "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
        },
    ),
    "cifar10": (
        "https://www.cs.toronto.edu/~kriz/",
        {"cifar-10-binary.tar.gz": "md5:c32a1d4ab5d03f1284b67883e8d87530"},
    ),
    "svhn": (
        "http://ufldl.stanford.edu/housenumbers/",
        {
            "train_32x32.mat": "md5:e26dedcc434d2e4c54c9b2d4a06d8373",
            "test_32x32.mat": "md5:eb5a983be6a315427106f1b164d9cef3",
        },
    ),
}


def fetch(name: str, file: str) -> Path:
    """The path of `file` of the data set `name` in the user's cache, downloaded there if need be.

    ValueError, which names the URL and the way to do it by hand, if it cannot be had or its checksum is wrong.
    """
    url, registry = _SOURCES[name]
    pooch.get_logger().setLevel("CRITICAL")  # what it says goes into our error
    cache = Path(platformdirs.user_cache_dir("bnnhw")) / name
    retriever = pooch.create(path=cache, base_url=url, registry=registry, retry_if_failed=1)
    try:
        return Path(retriever.fetch(file))
    except (requests.RequestException, ValueError, OSError) as error:
        raise ValueError(
            f"cannot download {url}{file} ({type(error).__name__}); "
            f"fetch {', '.join(registry)} of {name} by hand and name the folder, as the data dir or in BNNHW_DATA_DIR"
        ) from error
