"""T11: is a synthetic image a copy of one of the public images that the run started from?

Their people are protected by no epsilon, and their terms hold for copies: a set must not pass them on unseen. They
were looked at without noise, so that each synthetic image is compared by itself, exactly and nearly: `spaces.copies`.
"""

import numpy as np

from privgan.errors import IntegrityError, UsageError
from privgan.gan.networks.public_prior import IN_RUN, Prior, open_prior
from privgan.language import to_tr
from privgan.progress import Progress, silent
from privgan.run import read_run
from privgan_audits.evidence.interface import Evidence, Measured, NotApplicable, NotRun, Outcome
from privgan_audits.spaces.copies import copies

NO_PRIOR = to_tr("neither the set nor its run names public images from which it was made")
NO_RUN = to_tr("the set names public images, but no run folder, which holds them, was given")
UNREADABLE = to_tr("the run's run.json cannot be read")
OTHER = to_tr(
    "the run folder does not hold the public images that the set and the run name: missing, edited or others"
)


def measure(evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
    """Compare every synthetic image with every public one; exact, so `rng` is not used."""
    del rng
    claimed = evidence.claim.prior if evidence.claim else None
    if evidence.run is None:
        return NotApplicable(reason=NO_PRIOR) if claimed is None else NotRun(reason=NO_RUN)
    try:
        named = read_run(evidence.run).prior
    except IntegrityError:
        return NotRun(reason=UNREADABLE)
    if named is None and claimed is None:
        return NotApplicable(reason=NO_PRIOR)
    prior = _held(evidence)
    if prior is None or named is None or prior.named != named.as_learned or named != claimed:
        return NotRun(reason=OTHER)
    synthetic = evidence.synthetic.images
    if prior.images.shape[1:] != synthetic.shape[1:]:
        return NotRun(reason=OTHER)
    # Whose each public image is nobody knows: each counts as a person's only one.
    found = copies(synthetic, prior.images, np.arange(len(prior.images)), progress)
    return Measured(
        findings={
            "exact_copies": int(found.exact.sum()),
            "near_copies": int(found.near.sum()),
            "compared_public_images": len(prior.images),
        },
        internal={"synthetic_rows": np.flatnonzero(found.exact | found.near).tolist()},
    )


def _held(evidence: Evidence) -> Prior | None:
    """The prior in the run's folder, every file checked; None where there is none that could be used."""
    try:
        return open_prior(evidence.run / IN_RUN) if evidence.run else None
    except (IntegrityError, UsageError):
        return None
