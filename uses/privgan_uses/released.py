"""Released sets to learn from, verified at this moment, and what a model must say of where it came from.

A set that nobody released is refused: its images may not leave the hospital, and neither may what was learned from
them. What the officer permitted of the images holds for the model too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from privgan.arrays import Images, Integers, Texts
from privgan.dp.spend import PrivacySpend
from privgan.errors import UsageError
from privgan.files import sha256_file
from privgan.images.form import ImageForm
from privgan.images.stored import with_channels
from privgan.kinds import BUNDLE, require_kind
from privgan.progress import Progress, silent
from privgan.synthetic.synthetic_set import read_manifest
from privgan_audits.release import bundle as layout
from privgan_audits.release.recipient.loading import load_verified
from privgan_audits.release.verify import VerifiedBundle, verify


@dataclass(frozen=True, kw_only=True)
class Origin:
    """One released set as its signatures say; whoever learned from it carries this on.

    set_sha256: of the set's manifest, which stands for all of its files. spend: what its run cost its patients.
    images: how many. title, licence: empty where the hospital said none. purpose, recipient, until: what its officer
    permitted, empty where none signs. key_fingerprint: of the hospital's key, the first of several hospitals'.
    """

    set_sha256: str
    cohort_id: str
    run_id: str
    spend: PrivacySpend
    images: int
    title: str
    licence: str
    purpose: str
    recipient: str
    until: str
    key_fingerprint: str


def require_permitted(origins: Sequence[Origin], today: date) -> None:
    """Refuse what was learned from a set that may be used no longer.

    Raises:
        UsageError: a last day is over.
    """
    last = min((each.until for each in origins if each.until), default="")
    if last and last < today.isoformat():
        raise UsageError(
            f"The permission to use what this model learned from ended on {last}, and with it that to use the "
            "model. Ask the hospital."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Released:
    """Images of one form from one or several released sets.

    images: uint8 (n, h, h, c). labels: int64 (n,), indices into the form's classes. splits: (n,), the suggested part
    of each: train, validation or test. origins: one for each set.
    """

    images: Images = field(repr=False)
    labels: Integers = field(repr=False)
    splits: Texts = field(repr=False)
    form: ImageForm
    origins: tuple[Origin, ...]


def open_released(
    bundles: Sequence[Path], public_keys: Sequence[Path], *, today: date, progress: Progress = silent
) -> Released:
    """Verify every bundle with the hospitals' keys and read its images.

    Raises:
        UsageError: a path is no bundle, or the sets are of different forms.
        IntegrityError: a signature, a file or a permission does not hold; see `verify`.
    """
    if not bundles:
        raise UsageError("Expected at least one released set to learn from, got none.")
    found = [_one(bundle, public_keys, today, progress) for bundle in bundles]
    first = found[0].form
    for each in found[1:]:
        if each.form != first:
            raise UsageError(
                "Expected released sets of one form, they differ in size, colour, classes, modality, body part or "
                "window. Learn from each by itself."
            )
    return Released(
        images=np.concatenate([each.images for each in found]),
        labels=np.concatenate([each.labels for each in found]),
        splits=np.concatenate([each.splits for each in found]),
        form=first,
        origins=tuple(origin for each in found for origin in each.origins),
    )


def _one(bundle: Path, public_keys: Sequence[Path], today: date, progress: Progress) -> Released:
    require_kind(BUNDLE, bundle)
    verified = verify(bundle, public_keys, today=today, progress=progress)
    loaded = load_verified(bundle, public_keys, verified)
    manifest, _ = read_manifest(bundle / layout.DATASET)
    return Released(
        images=with_channels(loaded.images),
        labels=loaded.labels,
        splits=loaded.splits,
        form=manifest.form,
        origins=(_origin(verified, manifest.cohort_id, manifest.run_id, bundle, len(loaded.images)),),
    )


def _origin(verified: VerifiedBundle, cohort_id: str, run_id: str, bundle: Path, images: int) -> Origin:
    grant = verified.approval.grant if verified.approval else None
    return Origin(
        set_sha256=sha256_file(bundle / layout.MANIFEST),
        cohort_id=cohort_id,
        run_id=run_id,
        spend=verified.spend,
        images=images,
        title=verified.project.get("title", ""),
        licence=verified.terms.get("licence", ""),
        purpose=grant.purpose if grant else "",
        recipient=grant.recipient if grant else "",
        until=grant.until if grant else "",
        key_fingerprint=verified.key_fingerprint,
    )
