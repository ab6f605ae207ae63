"""Accountants are functions of what they are asked: no test computes again what another one has."""

from collections.abc import Iterator
from functools import lru_cache

import pytest

from privgan.dp import pld


@pytest.fixture(scope="session", autouse=True)
def asked_once() -> Iterator[None]:
    """Remember the last composed losses; all else is computed anew."""
    composed = pld.loss_distribution
    loss = lru_cache(maxsize=4)(lambda queries, grid: composed(queries, grid=grid))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pld, "loss_distribution", lambda queries, *, grid: loss(tuple(queries), grid))
        yield
