"""T1: is a synthetic image pixel for pixel a real one, in any of the 8 orientations?

One such image is a leak, whatever any statistic says. Constant images (all black) are excepted: they are
nobody's. The test is as exact as a hash: one changed pixel hides a copy from it, which is what T2 is for.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from privgan.progress import Progress, silent
from privgan_audits.interface import Evidence, Images, Measured, Outcome, Sample
from privgan_audits.spaces.pixels import orbit

_BLOCK = 1024
_SHOWN = 24


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """T1; findings count synthetic images, `internal` names the rows."""

    id: ClassVar[str] = "T1"
    title: ClassVar[str] = "Is a real image among the synthetic ones?"

    def run(self, evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
        """Compare digests of decoded pixels; exact, so `rng` is not used."""
        del rng
        synthetic = _fingerprints(evidence.synthetic.images, progress)
        pairs = list(_matches(synthetic, evidence.members, progress))
        other_images = 0 if evidence.non_members is None else len(evidence.non_members.images)
        others = [] if evidence.non_members is None else list(_matches(synthetic, evidence.non_members, progress))
        return Measured(
            test=self.id,
            findings={
                "copies_of_members": len({row for _, row in pairs}),
                "copies_of_other_patients": len({row for _, row in others}),
                "constant_images": sum(print_ is None for print_ in synthetic),
                "compared_real_images": len(evidence.members.images) + other_images,
            },
            internal={"pairs": [{"member_row": a, "synthetic_row": b} for a, b in pairs[:_SHOWN]]},
        )


def _matches(synthetic: list[bytes | None], real: Sample, progress: Progress) -> Iterator[tuple[int, int]]:
    """(row of the real image, row of the synthetic image) of every identical pair, by real row."""
    known: dict[bytes, list[int]] = {}
    for row, fingerprint in enumerate(synthetic):
        if fingerprint is not None:
            known.setdefault(fingerprint, []).append(row)
    for row, fingerprint in enumerate(_fingerprints(real.images, progress)):
        if fingerprint is not None:
            yield from ((row, other) for other in known.get(fingerprint, ()))


def _fingerprints(images: Images, progress: Progress) -> list[bytes | None]:
    """Per image uint8 (n, h, h): the smallest digest over its orbit, so that all 8 have one; None if constant."""
    prints: list[bytes | None] = []
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK]
        constant = (block == block[:, :1, :1]).all(axis=(1, 2))
        turned = [np.ascontiguousarray(view) for view in orbit(block)]
        prints.extend(
            None if constant[row] else min(hashlib.sha256(view[row].tobytes()).digest() for view in turned)
            for row in range(len(block))
        )
        progress("exact duplicates", len(prints), len(images))
    return prints
