"""The attacker's score of every patient in every space: how close the synthetic set comes to one of their images.

m(P) = min over the images x of P of d(x, S) / d_R(x), where d_R(x) is the distance to the nearest image of
another real patient (the calibration of Chen et al. 2020, "GAN-Leaks"), in a very large cohort to the nearest of
a sample of fixed size (`compared_with`). Members and non-members are pooled
for d_R, and for everything that a space learns, so that nothing in a score knows who was a member: the tests
built on it are exact. Perceptual hashes are too coarse for a ratio; there a patient's score is the distance itself.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from weakref import WeakKeyDictionary

import numpy as np

from privgan.arrays import Flags, Floats, Images, Integers, Singles
from privgan.errors import UsageError
from privgan.memory import hand_back_freed_memory
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import Evidence
from privgan_audits.spaces.embedding import train_embedding
from privgan_audits.spaces.lenses.lenses import LENSES
from privgan_audits.spaces.lenses.space import LensSpace
from privgan_audits.spaces.patches import PatchSpace
from privgan_audits.spaces.perceptual import hamming, orbit_bits, perceptual_bits
from privgan_audits.spaces.pixel_space import PixelSpace
from privgan_audits.spaces.search.compared import compared_with, image_digests
from privgan_audits.spaces.space import Closest, Space, VectorSpace

EMBEDDING, ENCODER, HASHES = "embedding", "encoder", "hashes"
_WHOLE = (PixelSpace.name, EMBEDDING, ENCODER)
SMALLEST_REFERENCE = 1e-6  # identical images of two patients: any distance counts as far, a copy as near
_MOST_BITS = 10  # two hashes of 64 bits that differ in more are not called alike, however few patients there are


@dataclass(frozen=True, kw_only=True, eq=False)
class SpaceScores:
    """One space. Per real image: reference d_R, score d / d_R or d (n,), infinite for constant images.

    patient: the smallest score of each patient (P,). hit_limit: None where patients are ranked; in a space where
    they are only counted, the score up to which a patient counts as met.
    """

    space: Space
    closest: Closest
    reference: Floats
    score: Floats
    patient: Floats
    hit_limit: float | None = None

    def hits(self, patient: Floats) -> Flags:
        """Which patients (P,) a space that only counts has met."""
        return patient <= (-np.inf if self.hit_limit is None else self.hit_limit)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """What T0, T2 and T3 share. Rows are images, members first; patients are numbered 0..P-1.

    owner: patient of each row (n,); flat: bool (n,), constant images; spaces: by name.
    embedding: the space that was learned here, for attacks that need its points.
    canonical: the patients (P,) in an order that depends on their images alone, for ties and for whatever needs
    chance: were it the order of the rows, it would know who was a member.
    non_member: bool (P,).
    """

    owner: Integers
    flat: Flags
    spaces: dict[str, SpaceScores]
    embedding: VectorSpace
    canonical: Integers
    non_member: Flags

    @property
    def members(self) -> int:
        """Number of member patients."""
        return int((~self.non_member).sum())

    @property
    def non_members(self) -> int:
        """Number of non-member patients."""
        return int(self.non_member.sum())

    @property
    def place(self) -> Integers:
        """Each patient's place (P,) in the canonical order; its remainder deals the patients into folds."""
        return np.argsort(self.canonical)

    @property
    def ranked(self) -> dict[str, SpaceScores]:
        """The spaces in which patients have an order."""
        return {name: each for name, each in self.spaces.items() if each.hit_limit is None}

    @property
    def whole(self) -> dict[str, SpaceScores]:
        """Those that compare whole pictures, for attacks that ask how well a patient is known."""
        return {name: each for name, each in self.ranked.items() if name in _WHOLE}

    @property
    def counted(self) -> dict[str, SpaceScores]:
        """The spaces that only tell who was met."""
        return {name: each for name, each in self.spaces.items() if each.hit_limit is not None}

    def closest_first(self, patient: Floats) -> Integers:
        """Patients sorted by a score, smallest first; ties fall by `canonical`, which knows no membership."""
        return self.canonical[np.argsort(patient[self.canonical], kind="stable")]


_CACHE: WeakKeyDictionary[Evidence, Scores] = WeakKeyDictionary()
_PLACED: WeakKeyDictionary[Evidence, Singles] = WeakKeyDictionary()


def patient_scores(evidence: Evidence, progress: Progress = silent) -> Scores:
    """Score every patient in every space; computed once per evidence.

    Raises:
        UsageError: there are no non-members.
    """
    if evidence not in _CACHE:
        _CACHE[evidence] = _score(evidence, progress)
    return _CACHE[evidence]


def synthetic_points(evidence: Evidence, scores: Scores) -> Singles:
    """The synthetic images in the embedding of these scores, float32 (m, d); computed once per evidence."""
    if evidence not in _PLACED:
        _PLACED[evidence] = scores.embedding.place(evidence.synthetic.images)
    return _PLACED[evidence]


def _score(evidence: Evidence, progress: Progress) -> Scores:
    members, others = evidence.members, evidence.non_members
    if others is None:
        raise UsageError("Expected non-members to score patients against, there are none.")
    real = evidence.real
    patients = np.concatenate([members.patients, others.patients])
    owner = np.unique(patients, return_inverse=True)[1].astype(np.int64)
    non_member = np.zeros(owner.max() + 1, bool)
    non_member[owner[len(members.images) :]] = True
    compared = compared_with(real)
    pixels = PixelSpace.of(real, evidence.ranks)
    flat = pixels.flat
    learned = train_embedding(real, progress)
    if evidence.ranks is not None:
        from privgan.gan.ranks.rows import require_in_step

        require_in_step(evidence.ranks, learned.digest)
    moved = learned.embed_moved(real, evidence.ranks)
    hand_back_freed_memory()
    embedding = VectorSpace(
        name=EMBEDDING, queries=moved, points=moved[:, 0].copy(), place=learned.embed, ranks=evidence.ranks
    )
    lenses = (LensSpace.of(lens, real, owner, progress, evidence.ranks, compared) for lens in LENSES)
    # Last of all, because it holds most.
    patches = (PatchSpace.of(real, owner, progress, evidence.ranks, compared) for _ in range(1))
    every: Iterable[Space] = chain([pixels, embedding], _further_spaces(evidence, real), lenses, patches)
    spaces = {}
    for space in every:  # made and looked at one after the other, because each holds much meanwhile
        hand_back_freed_memory()
        among = space.among_real(owner, progress, compared)
        spaces[space.name] = _in_space(space, among, evidence.synthetic.images, owner, flat, progress)
    return Scores(
        owner=owner,
        flat=flat,
        spaces=spaces,
        embedding=embedding,
        canonical=_canonical(real, owner),
        non_member=non_member,
    )


def _further_spaces(evidence: Evidence, real: Images) -> Iterator[Space]:
    if evidence.encoder is not None:
        yield VectorSpace.of(ENCODER, evidence.encoder.embed, real, evidence.ranks)
    yield VectorSpace(
        name=HASHES,
        queries=orbit_bits(real),
        points=perceptual_bits(real),
        place=perceptual_bits,
        ranks=evidence.ranks,
    )


def _in_space(
    space: Space, among: Floats, synthetic: Images, owner: Integers, flat: Flags, progress: Progress
) -> SpaceScores:
    reference = np.maximum(among, SMALLEST_REFERENCE)
    found = space.closest(synthetic, progress)
    hit_limit = _hit_limit(reference[~flat]) if space.name == HASHES else None
    score = score_of(found.distance, reference, hit_limit)
    score[flat] = np.inf
    return SpaceScores(
        space=space,
        closest=found,
        reference=reference,
        score=score,
        patient=smallest_per_patient(score, owner, int(owner.max()) + 1),
        hit_limit=hit_limit,
    )


def score_of(distance: Floats, reference: Floats, hit_limit: float | None) -> Floats:
    """Distances to synthetic images as scores: calibrated where patients are ranked, as they are where counted."""
    return distance / reference if hit_limit is None else distance.copy()


def _hit_limit(reference: Floats) -> float:
    """The largest distance of hashes at which no two real patients are called alike; negative if they always are."""
    if not len(reference):
        return -1.0
    bits = min(_MOST_BITS, int(hamming(reference.min() ** 2)) - 1)
    return -1.0 if bits < 0 else 2.0 * bits**0.5 + 1e-6


def smallest_per_patient(values: Floats, owner: Integers, patients: int) -> Floats:
    """The smallest value of each patient's images; infinite for a patient without any."""
    smallest = np.full(patients, np.inf)
    np.minimum.at(smallest, owner, values)
    return smallest


def _canonical(real: Images, owner: Integers) -> Integers:
    """Patients by the smallest SHA-256 of their images; a public lot decides between patients of equal images."""
    rank = np.unique(image_digests(real), return_inverse=True)[1]
    smallest = np.full(owner.max() + 1, len(rank))
    np.minimum.at(smallest, owner, rank)
    lot = np.random.default_rng(0).permutation(len(smallest))
    return np.lexsort((lot, smallest))
