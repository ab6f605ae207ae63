"""Accountants are functions of what they are asked: no test computes again what another one has."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from privgan.dp import pld
from tests.dp.seats import DELTA, QUERY, cohort, ledger


@pytest.fixture(scope="session", autouse=True)
def asked_once() -> Iterator[None]:
    """Remember the last composed losses; all else is computed anew."""
    composed = pld.loss_distribution
    loss = lru_cache(maxsize=4)(lambda queries, grid: composed(queries, grid=grid))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pld, "loss_distribution", lambda queries, *, grid=pld.GRID: loss(tuple(queries), grid))
        yield


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A seated cohort with one charge and one resume state."""
    folder = cohort(tmp_path, "a", ["1", "2", "3"])
    ledger(folder).charge("run", [QUERY], delta=DELTA).checkpoint("run", step=1, sha256="1" * 64)
    return folder
