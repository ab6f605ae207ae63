"""Cohorts here are made in memory and have no ledger to be asked: their number alone tells who made the set."""

from collections.abc import Iterator, Sequence

import pytest

from privgan.data.cohort.cohort import Cohort
from privgan_uses.augmenting import hospital
from privgan_uses.released import Origin


@pytest.fixture(autouse=True, scope="module")
def told_by_number() -> Iterator[None]:
    def shaped(own: Cohort, origins: Sequence[Origin]) -> list[bool]:
        return [own.facts.cohort_id == origin.cohort_id for origin in origins]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hospital, "shaped_by", shaped)
        yield
