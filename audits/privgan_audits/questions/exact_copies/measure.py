"""T1: is a synthetic image a real one, in any of the 8 orientations and at whatever brightness?

One such image is a leak, whatever any statistic says. Constant images (all black) are excepted: they are nobody's.
What is compared are the pixels themselves and the ranks of their grey values (`prints`).

A picture that members and held-back patients have alike, such as a placeholder, is a real one, but shows of no member
that they were copied: it is counted by itself.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import Evidence, Measured, Outcome, Sample
from privgan_audits.spaces.prints import Print, prints

_SHOWN = 24


@dataclass(frozen=True)
class _Match:
    """Rows of a real image and of a synthetic one. rescaled: alike only after a change of the grey values."""

    real: int
    synthetic: int
    rescaled: bool

    def to_json(self) -> dict[str, Any]:
        rows = {"real_row": self.real, "synthetic_row": self.synthetic}
        return rows | {"rescaled": True} if self.rescaled else rows


def measure(evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
    """Compare digests of decoded pixels and of their ranks; exact, so `rng` is not used."""
    del rng
    synthetic = prints(evidence.synthetic.images, progress)
    samples = [evidence.members, *([] if evidence.non_members is None else [evidence.non_members])]
    found = [list(_matches(synthetic, sample, progress)) for sample in samples]
    pairs, others = found[0], found[-1] if len(found) > 1 else []
    both = _rows(pairs) & _rows(others)
    return Measured(
        findings={
            "copies_of_members": len(_rows(pairs) - both),
            "rescaled_copies_of_members": len(_only_rescaled(pairs) - both),
            "copies_of_other_patients": len(_rows(others) - both),
            "rescaled_copies_of_other_patients": len(_only_rescaled(others) - both),
            "copies_of_both": len(both),
            "most_patients_of_a_copy": _most_patients(zip(samples, found, strict=True)),
            "constant_images": sum(print_ is None for print_ in synthetic),
            "compared_real_images": sum(len(sample.images) for sample in samples),
        },
        internal={
            side: [pair.to_json() for pair in matches[:_SHOWN]]
            for side, matches in (("pairs", pairs), ("decoys", others))
        },
    )


def _rows(pairs: Iterable[_Match]) -> set[int]:
    """The synthetic images that match."""
    return {pair.synthetic for pair in pairs}


def _only_rescaled(pairs: list[_Match]) -> set[int]:
    """Those that match, but never pixel for pixel."""
    return _rows(pairs) - _rows(pair for pair in pairs if not pair.rescaled)


def _most_patients(found: Iterable[tuple[Sample, list[_Match]]]) -> int:
    """How many patients of both sides hold a picture that is in the set, of the picture that most hold; 0 of none."""
    holders: dict[int, set[tuple[int, int]]] = {}
    for side, (sample, pairs) in enumerate(found):
        for pair in pairs:
            holders.setdefault(pair.synthetic, set()).add((side, int(sample.patients[pair.real])))
    return max(map(len, holders.values()), default=0)


def _matches(synthetic: list[Print | None], real: Sample, progress: Progress) -> Iterator[_Match]:
    """Every pair of equal tones, by real row."""
    known: dict[bytes, list[int]] = {}
    for row, print_ in enumerate(synthetic):
        if print_ is not None:
            known.setdefault(print_.tones, []).append(row)
    for row, print_ in enumerate(prints(real.images, progress)):
        if print_ is not None:
            for other in known.get(print_.tones, ()):
                found = synthetic[other]
                yield _Match(row, other, rescaled=found is not None and found.pixels != print_.pixels)
