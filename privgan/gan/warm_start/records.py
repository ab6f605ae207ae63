"""How records are distributed among the members, asked once with noise, for records of nobody beside the images.

Real shares of values are private. One Gaussian query makes them public for a part of epsilon: each member adds how
often each two columns meet in their images' records, a vector of norm at most 1 however many images they have.
Everything else, the fit and all that is drawn from it, is post-processing of its answer.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from privgan.gan.patients import DescribedQuery, Everybody, ask
from privgan.records.pairs import Pairs
from privgan.records.table import Table

if TYPE_CHECKING:
    from privgan.records.schema import Schema


def measure_records(
    patients: Everybody, schema: "Schema", classes: int, members: int, noise: float, rng: np.random.Generator
) -> Table:
    """Ask the query; `noise` is its noise multiplier, as charged, and the number of members is public."""
    pairs = Pairs((classes, *schema.levels))
    weights = torch.from_numpy(pairs.weights)

    def describe(images: Tensor, records: Tensor) -> tuple[Tensor, Tensor]:
        places = torch.from_numpy(pairs.places(records.numpy()))
        vectors = torch.zeros((len(images), pairs.cells), dtype=torch.float64)
        vectors.scatter_(1, places, weights.expand(len(images), -1))
        return vectors, torch.zeros(len(images), dtype=torch.int64)

    query = DescribedQuery(describe=describe, cells=1, dimensions=pairs.cells, records=True)
    answer = ask(patients, query, noise=noise, rng=rng)[0].numpy()
    counts = answer / np.repeat(pairs.weights, np.diff(pairs.starts))
    return Table.fitted(schema, classes, counts, noise=noise, members=members)
