"""Public images that a run starts from must be strangers' to the cohort: else what is called public is a patient's.

A member among them would shape every picture without noise, and a held-back patient could compare with nothing any
more. So both sides of a cohort are compared with the public images before anything is charged.
"""

from privgan.data.cohort.cohort import Cohort
from privgan.errors import InputRejectedError
from privgan.gan.networks.public_prior import Prior, require_fitting
from privgan.progress import Progress, silent
from privgan_audits.spaces.copies import copies


def require_strangers(prior: Prior, cohort: Cohort, progress: Progress = silent) -> None:
    """See that no public image is a patient's, exactly or nearly. How many are is told, never which.

    Raises:
        UsageError: they are of another size, or in grey where the cohort is in colour.
        InputRejectedError: some are patients' images.
    """
    require_fitting(prior, cohort.facts.form)
    found = copies(prior.images, cohort.images, cohort.patients, progress)
    if found.count:
        raise InputRejectedError(
            f"Expected public images of nobody in the cohort, {found.count} of {len(prior.images)} show its patients "
            "or nearly do. Epsilon would say nothing about these people. Nothing was charged: learn another prior, "
            "from images of another source than the cohort's."
        )
