"""The limit of detection: how few copied patients would this very audit have found?

Copies of members are planted into the synthetic set, plain or disguised, and T2 is asked again. Nothing is
searched twice: the distances of every real image to a pool of prepared copies are measured once, and each
repeat only takes minima over the copies that it plants. T1 does not take part, because one changed pixel
blinds it; T3 does not either, because so few patients cannot move it beyond its thresholds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from privgan.progress import Progress, silent
from privgan_audits.interface import Images
from privgan_audits.scores import Integers, Scores, pair_distances
from privgan_audits.spaces.neighbours import nearest
from privgan_audits.spaces.searches import SEARCHES, Search, Views, views
from privgan_audits.statistics import near_copy_ranks, precedence_p

REPEATS = 59  # all found: the power is above 95 % with 95 % confidence, because 0.95^59 < 0.05
SEARCHED = 0.03  # share of the members up to which copies are planted, but at least:
SEARCHED_AT_LEAST = 40
_POOL = 4  # copies prepared per copy that is ever planted at once
_COPIES_PER_IMAGE = 2

Transform = Callable[[Images, np.random.Generator], NDArray[np.float64]]


def _blend(images: Images, rng: np.random.Generator) -> NDArray[np.float64]:
    return 0.8 * images + 0.2 * images[rng.permutation(len(images))]


def _gamma(images: Images, rng: np.random.Generator) -> NDArray[np.float64]:
    del rng
    return np.asarray(255.0 * (images / 255.0) ** 0.9)


def _noise(images: Images, rng: np.random.Generator) -> NDArray[np.float64]:
    return images + rng.normal(0.0, 0.02 * 255, images.shape)


def _rotation(images: Images, rng: np.random.Generator) -> NDArray[np.float64]:
    del rng
    turned = ndimage.rotate(images.astype(np.float32), 5, axes=(2, 1), reshape=False, order=1, mode="nearest")
    return np.asarray(turned, dtype=np.float64)


def _shift(images: Images, rng: np.random.Generator) -> NDArray[np.float64]:
    del rng
    padded = np.pad(images, ((0, 0), (2, 0), (2, 0)), mode="edge")
    return padded[:, :-2, :-2].astype(np.float64)


TRANSFORMS: dict[str, Transform] = {
    "exact": lambda images, _: images.astype(np.float64),
    "flip": lambda images, _: images[:, :, ::-1].astype(np.float64),
    "shift_2_px": _shift,
    "noise_2_percent": _noise,
    "rotation_5_degrees": _rotation,
    "gamma_0_9": _gamma,
    "blend_20_percent": _blend,
}


@dataclass(frozen=True, kw_only=True)
class Planted:
    """How each prepared copy changes patients' scores: copy `copy[i]` gives patient `patient[i]` `score[i]`.

    count: copies prepared, each of another member.
    """

    count: int
    patient: Integers
    copy: Integers
    score: NDArray[np.float64]


def search_limit(members: int) -> int:
    """How many distinct copied patients are planted at most."""
    return min(max(SEARCHED_AT_LEAST, round(SEARCHED * members)), members)


def limits_of_detection(
    scores: Scores, images: Images, level: float, rng: np.random.Generator, progress: Progress = silent
) -> dict[str, int | None]:
    """Per transformation the smallest number of distinct copied members that is always found.

    Args:
        scores: of the audit.
        images: uint8 (n, h, h), the members' images; the first rows of `scores`.
        level: "found" means a near-copy p-value below it.
        rng: which members are copied, by which image, in which order.
        progress: listener.

    Returns:
        The limit, or None where even `search_limit` copies were missed in one of the REPEATS.
    """
    rows = _chosen_images(scores, rng)
    limits: dict[str, int | None] = dict.fromkeys(TRANSFORMS)
    if not len(rows):
        return limits
    for done, (name, transform) in enumerate(TRANSFORMS.items(), start=1):
        copies = np.clip(np.rint(transform(images[rows], rng)), 0, 255).astype(np.uint8)
        limits[name] = _limit(scores, _plant(scores, copies), level, rng)
        progress("limit of detection", done, len(TRANSFORMS), name)
    return limits


def _chosen_images(scores: Scores, rng: np.random.Generator) -> Integers:
    """One random image of each of some random members, without constant ones; rows of the members' images."""
    rows = np.flatnonzero(~scores.non_member[scores.owner] & ~scores.real.flat)
    rows = rng.permutation(rows)
    first = np.unique(scores.owner[rows], return_index=True)[1]
    return rng.permutation(rows[first])[: _POOL * search_limit(scores.members)]


def _plant(scores: Scores, copies: Images) -> Planted:
    """Measure the copies as the audit would: only those that beat the set's own candidates are compared."""
    planted = views(copies, searching=False)
    parts = [_planted_by(search, number, scores, planted) for number, search in enumerate(SEARCHES)]
    patient, copy, score = (np.concatenate(column) for column in zip(*parts, strict=True))
    better = score < scores.patient[patient]
    return Planted(count=len(copies), patient=patient[better], copy=copy[better], score=score[better])


def _planted_by(
    search: Search, number: int, scores: Scores, planted: Views
) -> tuple[Integers, Integers, NDArray[np.float64]]:
    """(patient, copy, score) of every pair that one of the searches would have compared."""
    real = scores.real
    found = nearest(search.queries(real), search.base(planted), k=_COPIES_PER_IMAGE, turns=search.turns)
    image, column = np.nonzero((found.distances <= scores.horizon[:, number, None]) & ~real.flat[:, None])
    copy, turns = found.rows[image, column], search.image_views(found.views[image, column])
    distance = pair_distances(real, image, planted, copy, turns)
    return scores.owner[image], copy, distance / scores.reference[image]


def _limit(scores: Scores, planted: Planted, level: float, rng: np.random.Generator) -> int | None:
    """Bisection: the repeats plant nested sets, and more copies are never harder to find."""
    turns = [rng.permutation(planted.count) for _ in range(REPEATS)]
    low, high = 0, min(search_limit(scores.members), planted.count)
    if not _always_found(scores, planted, turns, high, level):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if _always_found(scores, planted, turns, middle, level):
            high = middle
        else:
            low = middle
    return high


def _always_found(scores: Scores, planted: Planted, turns: list[Integers], copies: int, level: float) -> bool:
    return all(p < level for p in _repeats(scores, planted, turns, copies))


def _repeats(scores: Scores, planted: Planted, turns: list[Integers], copies: int) -> Iterator[float]:
    ranks = near_copy_ranks(scores.non_members)
    for turn in turns:
        present = turn[planted.copy] < copies
        patient = scores.patient.copy()
        np.minimum.at(patient, planted.patient[present], planted.score[present])
        thresholds = np.sort(np.partition(patient[scores.non_member], ranks[-1] - 1)[: ranks[-1]])
        closer = np.sort(patient[~scores.non_member])
        counts = {rank: int(np.searchsorted(closer, thresholds[rank - 1])) for rank in ranks}
        yield precedence_p(counts, scores.members, scores.non_members)
