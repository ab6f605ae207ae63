"""Cohorts that are seated in an anchor, and a kill at any place."""

import shutil
from pathlib import Path

from privgan.dp.budget.anchor import SiteAnchor
from privgan.dp.budget.ledger import Ledger
from privgan.dp.budget.renyi import RenyiFilter
from privgan.dp.gaussian import GaussianQueries

DELTA = 1e-5
QUERY = GaussianQueries(noise_multiplier=2.0, sample_rate=0.05, steps=100)


class Killed(BaseException):
    """Stands for kill -9."""


def die(*_: object, **__: object) -> None:
    raise Killed


def cohort(home: Path, name: str, patients: list[str], max_epsilon: float = 10.0) -> Path:
    """A folder with a ledger that is seated in the anchor of `home`."""
    private = home / name / "private"
    private.mkdir(parents=True)
    anchor = SiteAnchor.found_or_made(home / "anchor")
    people = [frozenset({anchor.digest(patient)}) for patient in patients]
    seat = anchor.join(name, people, RenyiFilter.of(max_epsilon, DELTA))
    Ledger.create(
        private / "ledger.jsonl",
        cohort_sha256="c" * 64,
        members=len(patients),
        delta=DELTA,
        max_epsilon=max_epsilon,
        seat=seat,
    )
    return home / name


def ledger(folder: Path) -> Ledger:
    return Ledger.read(folder / "private" / "ledger.jsonl")


def restore(copy: Path, folder: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
