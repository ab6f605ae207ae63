"""Accountants are functions of what they are asked: no test computes again what another one has."""

from collections.abc import Iterator
from functools import lru_cache

import pytest
from opacus.accountants.analysis import rdp

from privgan.dp import accounting


@pytest.fixture(scope="session", autouse=True)
def asked_once() -> Iterator[None]:
    """Remember Renyi divergences at an order and the last composed losses; all else is computed anew."""
    composed = accounting.loss_distribution
    loss = lru_cache(maxsize=4)(lambda queries, grid: composed(queries, grid=grid))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rdp, "_compute_rdp", lru_cache(maxsize=100_000)(rdp._compute_rdp))
        patch.setattr(accounting, "loss_distribution", lambda queries, *, grid: loss(tuple(queries), grid))
        yield
