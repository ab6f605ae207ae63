"""Real pictures, scored once for all studies that ask the near-copy test of them."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from tests.audits.bench import Bench, BenchOf
from tests.audits.conftest import Weigh


@pytest.fixture(scope="session")
def bench_of(shared_data: Path, weigh: Weigh) -> BenchOf:
    """Call with a kind of pictures; what the last two were scored for is kept."""
    return lru_cache(maxsize=2)(lambda kind: Bench.of(kind, shared_data, weigh, np.random.default_rng(101)))
