"""A bundle's images as arrays, after the bundle was verified: what `privgan.load` gives.

The bytes that are decoded are the bytes whose digest was compared; a file that changes in between is refused.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from privgan.arrays import Images, Integers, Texts
from privgan.errors import IntegrityError, UsageError
from privgan.files import open_regular, sha256_bytes
from privgan.seals import load_public_key, read_bounded
from privgan.synthetic.synthetic_set import IMAGES
from privgan_audits.release import bundle as layout
from privgan_audits.release.verify import VerifiedBundle, signed_by_one

_LARGEST_ATTESTATION_BYTES = 1 << 28


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedBundle:
    """images: uint8 (n, h, w) or (n, h, w, 3). labels: int64 (n,), indices into classes.

    splits: (n,), the suggested split of each: train, validation or test. verified: what the signature says of it all.
    """

    images: Images = field(repr=False)
    labels: Integers = field(repr=False)
    classes: tuple[str, ...]
    splits: Texts = field(repr=False)
    verified: VerifiedBundle = field(repr=False)


def load_verified(bundle: Path, public_keys: Sequence[Path], verified: VerifiedBundle) -> LoadedBundle:
    """Read the arrays of a bundle that was just verified with these keys.

    Raises:
        UsageError: the bundle is of a version that suggested no split.
        IntegrityError: a file is another one than when it was verified.
    """
    attestation = read_bounded(bundle / layout.ATTESTATION, _LARGEST_ATTESTATION_BYTES)
    statement, _ = signed_by_one(attestation, list(map(load_public_key, public_keys)))
    digests = layout.subjects_of(statement)
    if layout.SPLITS not in digests:
        raise UsageError(f"Expected a bundle with {layout.SPLITS}, an earlier version released this one.")
    content = {name: _signed(bundle, name, digests) for name in (f"{layout.DATASET}/{IMAGES}", layout.SPLITS)}
    with np.load(io.BytesIO(content[f"{layout.DATASET}/{IMAGES}"]), allow_pickle=False) as arrays:
        images, labels, classes = arrays["images"], arrays["labels"], arrays["classes"]
    rows = csv.DictReader(io.StringIO(content[layout.SPLITS].decode()))
    return LoadedBundle(
        images=images,
        labels=labels,
        classes=tuple(map(str, classes)),
        splits=np.array([row["split"] for row in rows]),
        verified=verified,
    )


def _signed(bundle: Path, name: str, digests: dict[str, Any]) -> bytes:
    with open_regular(bundle / name) as stream:
        content: bytes = stream.read()
    if sha256_bytes(content) != digests[name]:
        raise IntegrityError(f"Expected {name} as it was verified, it was edited meanwhile.")
    return content
