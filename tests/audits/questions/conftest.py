"""Real pictures, scored once for all studies that ask the near-copy test of them, and a prior for those with one."""

import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from tests.audits.bench import Bench, BenchOf
from tests.audits.conftest import Weigh
from tests.audits.verbs import succeed

PRIOR = "PRIOR"  # in the environment, where `make studies PRIOR=FOLDER` puts it
MINUTES = 5


@pytest.fixture(scope="session")
def bench_of(shared_data: Path, weigh: Weigh) -> BenchOf:
    """Call with a kind of pictures; what the last two were scored for is kept."""
    return lru_cache(maxsize=2)(lambda kind: Bench.of(kind, shared_data, weigh, np.random.default_rng(101)))


@pytest.fixture(scope="session")
def prior(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prior that the environment names, or one learned for five minutes from X-rays of adults elsewhere."""
    if PRIOR in os.environ:
        return Path(os.environ[PRIOR])
    folder = tmp_path_factory.mktemp("public") / "prior"
    images = str(shared_data / "images" / "public_cxr_64.npz")
    origin = (
        "--source",
        "chest X-rays of adults, NIH ChestX-ray14, as MedNIST's class CXR",
        "--licence",
        "CC BY-SA 4.0",
    )
    succeed(("prior", images, str(folder), *origin, "--minutes", str(MINUTES)))
    return folder
