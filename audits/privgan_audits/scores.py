"""The attacker's score of every patient: how close the synthetic set comes to one of their images.

m(P) = min over the images x of P of d(x, S) / d_R(x), where d_R(x) is the distance to the nearest image of
another real patient (the calibration of Chen et al. 2020, "GAN-Leaks"). Members and non-members are pooled
for d_R, so that nothing in a score knows who was a member: the tests built on it are exact.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from privgan.errors import UsageError
from privgan.progress import Progress, silent
from privgan_audits.interface import Evidence
from privgan_audits.spaces.neighbours import Neighbours, nearest
from privgan_audits.spaces.pixels import FAR, Grid, orbit, shifted_distances
from privgan_audits.spaces.searches import SEARCHES, Search, Views, views

CANDIDATES = 5  # of each search; they are compared pixel by pixel
PAIR_BLOCK = 2048
_SMALLEST_REFERENCE = 1e-6  # identical images of two patients: any distance counts as far, a copy as near

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """What T0, T2 and T3 share. Rows are images, members first; patients are numbered 0..P-1.

    real: the pooled images on both forms; owner: patient of each row (n,); ratio: d(x, S) / d_R(x), infinite
    for constant images; reference: d_R; distance: d(x, S); nearest: row of the synthetic image;
    horizon: each search's distance beyond which a synthetic image is no candidate (n, searches); patient: m(P) (P,);
    non_member: bool (P,).
    """

    real: Views
    owner: Integers
    ratio: Floats
    reference: Floats
    distance: Floats
    nearest: Integers
    horizon: Floats
    patient: Floats
    non_member: NDArray[np.bool_]

    @property
    def members(self) -> int:
        """Number of member patients."""
        return int((~self.non_member).sum())

    @property
    def non_members(self) -> int:
        """Number of non-member patients."""
        return int(self.non_member.sum())


@dataclass(frozen=True, kw_only=True)
class Closest:
    """Per query: pixel distance (n,), target row (n,), and each search's distance to its last candidate."""

    distance: Floats
    row: Integers
    horizon: Floats


_CACHE: WeakKeyDictionary[Evidence, Scores] = WeakKeyDictionary()


def patient_scores(evidence: Evidence, progress: Progress = silent) -> Scores:
    """Score every patient; computed once per evidence.

    Raises:
        UsageError: there are no non-members.
    """
    if evidence not in _CACHE:
        _CACHE[evidence] = _score(evidence, progress)
    return _CACHE[evidence]


def _score(evidence: Evidence, progress: Progress) -> Scores:
    members, others = evidence.members, evidence.non_members
    if others is None:
        raise UsageError("Expected non-members to score patients against, there are none.")
    real = views(np.concatenate([members.images, others.images]), searching=True)
    patients = np.concatenate([members.patients, others.patients])
    owner = np.unique(patients, return_inverse=True)[1].astype(np.int64)
    non_member = np.zeros(owner.max() + 1, bool)
    non_member[owner[len(members.images) :]] = True
    to_real = closest(real, real, apart=(owner, owner), task="real images among themselves", progress=progress)
    to_synthetic = closest(
        real, views(evidence.synthetic.images, searching=False), task="synthetic beside real", progress=progress
    )
    reference = np.maximum(to_real.distance, _SMALLEST_REFERENCE)
    ratio = np.where(real.flat, np.inf, to_synthetic.distance / reference)
    return Scores(
        real=real,
        owner=owner,
        ratio=ratio,
        reference=reference,
        distance=to_synthetic.distance,
        nearest=to_synthetic.row,
        horizon=to_synthetic.horizon,
        patient=smallest_per_patient(ratio, owner, len(non_member)),
        non_member=non_member,
    )


def smallest_per_patient(values: Floats, owner: Integers, patients: int) -> Floats:
    """The smallest value of each patient's images; infinite for a patient without any."""
    smallest = np.full(patients, np.inf)
    np.minimum.at(smallest, owner, values)
    return smallest


def closest(
    queries: Views,
    targets: Views,
    *,
    apart: tuple[Integers, Integers] | None = None,
    task: str = "nearest images",
    progress: Progress = silent,
) -> Closest:
    """The closest target of each query: candidates of every exhaustive search, compared at every shift."""
    distance, row = np.full(len(queries), np.inf), np.zeros(len(queries), np.int64)
    horizons = []
    for number, search in enumerate(SEARCHES, start=1):
        found = nearest(
            search.queries(queries),
            search.base(targets),
            k=CANDIDATES,
            turns=search.turns,
            apart=apart,
            task=f"{task}, search {number} of {len(SEARCHES)}",
            progress=progress,
        )
        best, its_row = _best_candidate(search, queries, targets, found)
        row = np.where(best < distance, its_row, row)
        distance = np.minimum(best, distance)
        complete = found.rows.shape[1] == CANDIDATES
        horizons.append(found.distances[:, -1] if complete else np.full(len(queries), np.inf))
    return Closest(distance=np.minimum(distance, FAR), row=row, horizon=np.stack(horizons, axis=1))


def _best_candidate(search: Search, queries: Views, targets: Views, found: Neighbours) -> tuple[Floats, Integers]:
    """Distance (n,) and target row (n,) of the candidate that is closest pixel by pixel; infinite without any."""
    distances = np.full(found.rows.shape, np.inf)
    query, column = np.nonzero(np.isfinite(found.distances))
    pick = (query, column)
    turns = search.image_views(found.views[pick])
    distances[pick] = pair_distances(queries, query, targets, found.rows[pick], turns)
    best = (np.arange(len(queries)), distances.argmin(axis=1))
    return distances[best], found.rows[best]


def pair_distances(
    queries: Views, query_rows: Integers, targets: Views, target_rows: Integers, turns: tuple[Integers, ...]
) -> Floats:
    """Pixel distances of chosen pairs, the smallest over some turns of the query, members of `orbit` each."""
    distances = np.empty(len(query_rows))
    for start in range(0, len(query_rows), PAIR_BLOCK):
        part = slice(start, start + PAIR_BLOCK)
        query, target = queries.fine[query_rows[part]], targets.fine[target_rows[part]]
        every = [shifted_distances(_turned(query, turn[part]), target) for turn in turns]
        distances[part] = np.minimum.reduce(every)
    return distances


def _turned(images: Grid, view: Integers) -> Grid:
    """Each image (n, f, f) in its own member of `orbit`."""
    result = np.empty_like(images)
    for number, turned in enumerate(orbit(images)):
        result[view == number] = turned[view == number]
    return result
