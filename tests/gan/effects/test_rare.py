"""What few patients alone have is read off no release better than noise allows: that they have it, and what shows.

Each release is judged by who knows all other patients and looks at the one number that would tell. A release without
noise tells at once. Replacing k patients moves a sum by 2 k at most, and two Gaussians that far apart are told apart
with an AUC of Phi(2 k / (sqrt(2) noise)).
"""

import math
from functools import cache

import numpy as np
import torch
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from privgan.arrays import Integers
from privgan.dp.plan import calibrate_queries
from privgan.gan.effects.effects import Directions, effects
from privgan.gan.effects.odds import Odds
from privgan.gan.image_model import STARTS, RecordsSettings
from privgan.records.pairs import Pairs
from privgan.records.schema import Schema
from privgan.records.table import Table

PATIENTS, FEW = 1500, 3
EPSILON, DELTA = 3.0, 1e-5
QUIET = 1e-3
SCHEMA = Schema.of({"sex": "category(F|M)", "age": "number(0..49/5)", "stage": "ordinal(I<II<III)"})
RARE = (1, 1, 1, 3)  # of the class, a woman, of the youngest, in the last stage
PATTERN = torch.linspace(-1, 1, 4, dtype=torch.float64)


@cache
def records(*, planted: bool) -> Integers:
    """Codes (n, 1 + columns), class first: among the youngest nobody is in the last stage, but for a planted few."""
    rng = np.random.default_rng(0)
    found = np.column_stack(
        [rng.integers(0, 2, PATIENTS), rng.integers(1, 3, PATIENTS), rng.integers(1, 6, PATIENTS)]
    )
    stage = np.where(found[:, 2] == 1, rng.integers(1, 3, PATIENTS), rng.integers(1, 4, PATIENTS))
    found = np.column_stack([found, stage])
    if planted:
        found[:FEW] = RARE
    return found


def table(rng: np.random.Generator, noise: float, *, planted: bool) -> Table:
    """As a run releases it."""
    pairs = Pairs((2, *SCHEMA.levels))
    counts = np.bincount(pairs.places(records(planted=planted)).ravel(), minlength=pairs.cells)
    errors = np.repeat(pairs.errors(noise), np.diff(pairs.starts))
    noisy = counts + errors * rng.standard_normal(pairs.cells)
    return Table.fitted(SCHEMA, 2, noisy, noise=noise, members=PATIENTS)


def told(rng: np.random.Generator, noise: float, *, bright: bool) -> float:
    """How far what a value of one patient alone does to images goes with a pattern that only that one may show."""
    codes, shown = torch.from_numpy(records(planted=True)), torch.from_numpy(rng.standard_normal((PATIENTS, 4)))
    if bright:
        shown[0] = 6 * PATTERN
    alone = torch.zeros(PATIENTS, 1, dtype=torch.int64)
    alone[0] = 1
    codes = torch.cat([codes[:, :1], alone, codes[:, 1:]], dim=1)
    levels = (2, *SCHEMA.levels)
    joint = torch.zeros(2, *levels).index_put_(tuple(codes.T), torch.ones(PATIENTS), accumulate=True)
    odds = Odds.of(joint, ("category", *(column.kind for column in SCHEMA.columns)))
    directions = Directions.of(torch.eye(4, dtype=torch.float64))
    sums = odds.bounded(codes).double().T @ directions.bounded(shown.float()).double()
    sums += noise * torch.from_numpy(rng.standard_normal(tuple(sums.shape)))
    shares = torch.bincount(codes[:, 0]).double() / PATIENTS
    return float(effects(sums / PATIENTS, odds, shares, noise / PATIENTS, directions)[1] @ PATTERN)


def allowed(few: int, noise: float, releases: int) -> float:
    """The AUC that noise allows, and what chance may add with so many releases of either kind."""
    return float(norm.cdf(2 * few / (math.sqrt(2) * noise))) + 2 * math.sqrt(1 / (6 * releases))


def test_that_few_have_a_combination_is_not_to_be_read_off_the_table() -> None:
    (asked,) = calibrate_queries(RecordsSettings().share * EPSILON, DELTA, (1.0,))
    aucs = []
    for noise, releases in ((asked, 40), (QUIET, 3)):
        rng, truth = np.random.default_rng(1), [True, False] * releases
        seen = [table(rng, noise, planted=planted).joint[RARE] for planted in truth]
        aucs.append(roc_auc_score(truth, seen))
    assert aucs[0] < allowed(FEW, asked, 40) < aucs[1] == 1.0


def test_what_one_shows_is_not_to_be_read_off_the_images() -> None:
    start = STARTS["balanced"]
    asked = calibrate_queries(start.share * EPSILON, DELTA, (*start.noise_ratios, RecordsSettings().noise))[-1]
    aucs = []
    for noise, releases in ((asked, 15), (QUIET, 3)):
        rng, truth = np.random.default_rng(2), [True, False] * releases
        seen = [told(rng, noise, bright=bright) for bright in truth]
        aucs.append(roc_auc_score(truth, seen))
    assert aucs[0] < allowed(1, asked, 15) < aucs[1] == 1.0
