"""The pictures of a report: pairs of real and synthetic images, half of them decoys, kept beside audit.json.

A reviewer who is shown only members' closest pairs will see copies everywhere, because images of one anatomy are
alike. Pairs of patients whom the generator never saw are mixed in, unmarked, so that everybody can count how often
they are taken in by those. The pictures are of patients: they lie under REPORT/private/, never in audit.json.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from privgan.arrays import Floats, Images
from privgan.errors import IntegrityError
from privgan.files import sha256_bytes, write_bytes
from privgan.folders import PRIVATE_FOLDER
from privgan.images.stored import as_stored
from privgan.language import kept, to_tr
from privgan.seals import read_bounded
from privgan_audits.evidence.interface import Evidence

GALLERY = "private/gallery.npz"
PAIRS_A_SIDE = 12
_IDENTICAL_SHOWN = 12
_LARGEST_BYTES = 1 << 28
MEMBER, OTHER = to_tr(("member", "non-member"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """A real image and a synthetic one, uint8 (h, w) or (h, w, 3) each, and what the key says about them. Sensitive.

    side: member or non-member. real_row, synthetic_row: their rows in the cohort's side and in the set, from 0.
    how: in words, how close they are and in which space.
    """

    real: Images
    synthetic: Images
    side: str
    real_row: int
    synthetic_row: int
    how: str

    def __repr__(self) -> str:
        return "Pair(sensitive)"


@dataclass(frozen=True, kw_only=True, eq=False)
class Gallery:
    """identical: real images that are in the set. blinded: the closest pairs of both sides, mixed by lot."""

    identical: tuple[Pair, ...]
    blinded: tuple[Pair, ...]

    @classmethod
    def of(cls, internal: Mapping[str, Mapping[str, Any]], evidence: Evidence) -> "Gallery | None":
        """What T1 and T2 found, in pictures; None when they found nothing to show."""
        exact, near = (internal.get(test, {}) for test in ("T1", "T2"))
        identical = [*_pairs(exact, evidence, _IDENTICAL_SHOWN, _identical)]
        count = min(PAIRS_A_SIDE, *(len(near.get(side, ())) for side in ("pairs", "decoys")))
        blinded = [*_pairs(near, evidence, count, _close)]
        if not identical and not blinded:
            return None
        order = np.random.default_rng(_lot(blinded)).permutation(len(blinded))
        return cls(identical=tuple(identical[:_IDENTICAL_SHOWN]), blinded=tuple(blinded[place] for place in order))

    def to_bytes(self) -> bytes:
        """An .npz of arrays and words; the same pictures give the same bytes."""
        every = (*self.identical, *self.blinded)
        buffer = io.BytesIO()
        np.savez(
            buffer,
            real=np.stack([pair.real for pair in every]),
            synthetic=np.stack([pair.synthetic for pair in every]),
            side=np.array([pair.side for pair in every]),
            rows=np.array([(pair.real_row, pair.synthetic_row) for pair in every], np.int64),
            how=np.array([pair.how for pair in every]),
            identical=np.array(len(self.identical)),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Gallery":
        """What `to_bytes` wrote.

        Raises:
            IntegrityError: it is something else.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                columns = [arrays[name] for name in ("real", "synthetic", "side", "rows", "how")]
                pairs = [
                    Pair(
                        real=real,
                        synthetic=synthetic,
                        side=str(side),
                        real_row=int(rows[0]),
                        synthetic_row=int(rows[1]),
                        how=str(how),
                    )
                    for real, synthetic, side, rows, how in zip(*columns, strict=True)
                ]
                first = int(arrays["identical"])
        except Exception:  # noqa: BLE001 a damaged archive may raise anything
            raise IntegrityError(
                "Expected the report's pictures as the audit wrote them, they are damaged."
            ) from None
        return cls(identical=tuple(pairs[:first]), blinded=tuple(pairs[first:]))


def write_gallery(folder: Path, gallery: Gallery | None) -> str | None:
    """Write REPORT/private/gallery.npz and return its SHA-256; None when there is nothing to show."""
    if gallery is None:
        return None
    content = gallery.to_bytes()
    (folder / GALLERY).parent.mkdir(mode=PRIVATE_FOLDER)
    write_bytes(folder / GALLERY, content)
    return sha256_bytes(content)


def read_gallery(folder: Path, sha256: str) -> Gallery | None:
    """The pictures of a report, or None when they were taken away.

    Raises:
        IntegrityError: the file is not the one that audit.json names.
    """
    if not (folder / GALLERY).exists():
        return None
    content = read_bounded(folder / GALLERY, _LARGEST_BYTES)
    if sha256_bytes(content) != sha256:
        raise IntegrityError(f"Expected {GALLERY} as the audit wrote it, it was edited or is another report's.")
    return Gallery.from_bytes(content)


def _pairs(
    found: Mapping[str, Any], evidence: Evidence, count: int, how: Callable[[Mapping[str, Any]], str]
) -> Iterator[Pair]:
    for side, name, sample in (
        (MEMBER, "pairs", evidence.members),
        (OTHER, "decoys", evidence.non_members),
    ):
        rows: Sequence[Mapping[str, Any]] = found.get(name, ())[:count]
        if sample is None:
            continue
        for row in rows:
            yield Pair(
                real=as_stored(sample.images[row["real_row"]]),
                synthetic=as_stored(evidence.synthetic.images[row["synthetic_row"]]),
                side=side,
                real_row=int(row["real_row"]),
                synthetic_row=int(row["synthetic_row"]),
                how=how(row),
            )


def _identical(row: Mapping[str, Any]) -> str:
    return to_tr("identical but for brightness") if row.get("rescaled") else to_tr("identical pixels")


def _close(row: Mapping[str, Any]) -> str:
    return kept("{ratio} %, by {space}", ratio=f"{100 * row['ratio']:.0f}", space=row["space"])


def _lot(pairs: Sequence[Pair]) -> int:
    """A seed that nobody chooses: from the pictures themselves."""
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(np.ascontiguousarray(pair.real).tobytes())
    return int.from_bytes(digest.digest()[:8], "big")


def worrying_excess(pairs: int) -> int:
    """How many more ticks among members than among as many decoys a fair reviewer gives less than once in 20 reports.

    Whatever share of alike pairs the reviewer ticks, each member pair is as likely to be ticked as a decoy: the worst
    share is one half, where the difference of two binomials spreads most. Of one or two pairs no ticks are so rare.

    >>> worrying_excess(12), worrying_excess(2)
    (5, 3)
    """
    from scipy import stats

    ticks = stats.binom(pairs, 0.5).pmf(np.arange(pairs + 1))
    difference: Floats = np.convolve(ticks, ticks[::-1])  # index pairs stands for equal numbers
    tail = np.cumsum(difference[::-1])[::-1]
    rare = np.flatnonzero(tail < 0.05)
    return int(rare[0]) - pairs if len(rare) else pairs + 1
