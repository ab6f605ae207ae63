"""From what is asked of `audit` to what it may look at: which ways of naming members go together."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from privgan.errors import UsageError
from privgan.progress import Progress
from privgan_cli.asked import AuditOptions

if TYPE_CHECKING:
    from privgan_audits.evidence.interface import Evidence


def evidence_of(synthetic: Path, options: AuditOptions, progress: Progress) -> "Evidence":
    """Read the set and those whom it is examined against."""
    from privgan_audits.evidence.loading import load_cohort_evidence, load_file_evidence
    from privgan_audits.spaces.encoder import Encoder

    encoder, trained_on = options.encoder, options.encoder_trained_on
    own = Encoder.load(encoder, trained_on) if encoder and trained_on is not None else None
    members, others = options.members, options.non_members
    if members is not None:
        colour, rehearses = options.colour, options.cohort
        found = load_file_evidence(synthetic, members, others, progress, colour=colour, rehearses=rehearses)
    elif options.cohort is not None:
        found = load_cohort_evidence(synthetic, options.cohort, options.run, progress)
    else:
        raise UsageError("Expected a cohort or members.")
    return dataclasses.replace(found, encoder=own)


def unnumbered(evidence: "Evidence", options: AuditOptions) -> list[str]:
    """The override that files need which do not say whose they are."""
    from privgan.data.cohort.options import EACH_IMAGE_IS_A_PATIENT

    if evidence.numbered:
        return []
    if not options.each_image_is_a_patient:
        raise UsageError(
            "Expected members and non-members that say whose each image is: by PatientID, a column patient in "
            "labels.csv, or an array patient_id of an .npz. Where nobody has two images, say "
            "--each-image-is-a-patient; it stands in red in every report."
        )
    return [EACH_IMAGE_IS_A_PATIENT]
