"""A run with a table of records, and sets of it."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from privgan.gan.networks import load_generator, save_generator
from privgan.records.pairs import Pairs
from privgan.records.schema import Schema
from privgan.records.table import Table
from privgan.synthetic.generate import GenerateOptions, generate
from tests.synthetic.making import CLASSES, SEED, finish_again, make_run

COLUMNS = {
    "sex": "category(F|M):patient",
    "age": "number(0..100):patient",
    "stage": "ordinal(I<II<III)",
    "view": "category(AP|PA)",
    "laterality": "category(left|right)",
}
SCHEMA = Schema.of(COLUMNS)


@cache
def table_of(noise: float = 2.0) -> Table:
    """Of 4,000 patients: the second class is older and of higher stages, half of the cells are likely."""
    levels = (len(CLASSES), *SCHEMA.levels)
    shares = np.random.default_rng(0).uniform(0.5, 1.5, levels)
    shares[:, :, 0] *= 0.1
    shares[1, :, :6] *= 0.2
    shares[1, :, :, 3] *= 3
    shares[:, :, :, :, 0] *= 0.05
    shares[:, :, 9] *= 0.002  # hardly anybody is between 80 and 90
    pairs = Pairs(levels)
    counts = 4000 * pairs.of(shares / shares.sum())
    return Table.fitted(SCHEMA, len(CLASSES), counts, noise=noise, members=4000)


def recorded_run(folder: Path, table: Table | None = None) -> Path:
    """A finished run that released a table."""
    network = load_generator(make_run(folder)).network
    save_generator(folder, network, records=table_of() if table is None else table)
    return finish_again(folder)


def recorded_set(folder: Path, count: int = 6, **options: Any) -> Path:
    """A set of such a run, in `folder`, which must not exist."""
    run = folder.with_name(f"{folder.name}-run")
    if not run.exists():
        recorded_run(run)
    folder.mkdir(mode=0o700)
    generate(run, folder, GenerateOptions(count=count, **options), SEED)
    return folder
