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
    """Read the set and those whom it is examined against.

    Raises:
        UsageError: options that do not go together.
    """
    from privgan_audits.evidence.loading import load_cohort_evidence, load_file_evidence
    from privgan_audits.spaces.encoder import Encoder

    encoder, trained_on = options.encoder, options.encoder_trained_on
    if (encoder is None) != (trained_on is None):
        raise UsageError("Expected --encoder and --encoder-trained-on together.")
    own = Encoder.load(encoder, trained_on) if encoder and trained_on is not None else None
    members, others = options.members, options.non_members
    if options.colour and members is None:
        raise UsageError("Expected --colour with --members alone: a cohort knows whether it is in colour.")
    if options.cohort is not None and members is None and others is None:
        found = load_cohort_evidence(synthetic, options.cohort, options.run, progress)
    elif members is not None and options.run is None:
        colour, rehearses = options.colour, options.cohort
        found = load_file_evidence(synthetic, members, others, progress, colour=colour, rehearses=rehearses)
    else:
        raise UsageError("Expected either --cohort (and --run), or --members and --non-members.")
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
