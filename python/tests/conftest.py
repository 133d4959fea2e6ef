import gzip
import pathlib
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(pathlib.Path(__file__).parent))


@pytest.fixture
def rng(request):
    """Random numbers, the same for the same test."""
    return np.random.default_rng(sum(request.node.name.encode()))


@pytest.fixture(scope="session")
def digits():
    """data/digits.csv.gz as src/data has it: uint8 [n, 1, 8, 8] and labels, 1,000 for training."""
    with gzip.open(ROOT / "data/digits.csv.gz", "rt") as f:
        table = np.loadtxt(f, delimiter=",", dtype=np.int64)
    images = np.minimum(255, 16 * table[:, :64]).astype(np.uint8).reshape(-1, 1, 8, 8)
    labels = table[:, 64]
    return (images[:1000], labels[:1000]), (images[1000:], labels[1000:])
