"""The networks under attack: those of the very run that made the audited set, or none at all."""

from dataclasses import dataclass

from privgan.errors import BudgetError, IntegrityError, UsageError
from privgan.gan.networks import Discriminator, LoadedGenerator, load_generator, placed
from privgan.gan.networks.saving import saved_discriminator
from privgan.images.form import ImageForm
from privgan.run import read_run
from privgan_audits.evidence.interface import Claim, Evidence


@dataclass(frozen=True, kw_only=True)
class Networks:
    """generator: of RUN/model. discriminator: of the resume state that the ledger knows; None without a state."""

    generator: LoadedGenerator
    discriminator: Discriminator | None


def run_networks(evidence: Evidence, claim: Claim) -> Networks:
    """Load what `evidence.run` holds, and see that it is what the claim speaks of.

    Raises:
        IntegrityError: the reason, fit for a report, why these networks cannot be attacked in the set's place.
    """
    if evidence.run is None or evidence.ledger is None:
        raise IntegrityError("there is no run folder, or no ledger that knows the run")
    try:
        facts, generator = read_run(evidence.run), load_generator(evidence.run)
    except (IntegrityError, UsageError):
        raise IntegrityError("the run's model cannot be read") from None
    classes = max(int(part.labels.max()) for part in (evidence.members, evidence.non_members) if part) + 1
    named = (facts.run_id, generator.model) == (claim.run_id, claim.model)
    seen = ImageForm.of(evidence.synthetic.images)
    same_form = generator.form == facts.form.bare and generator.form.shape == seen.shape
    if not named or not same_form or len(generator.form.classes) < classes:
        raise IntegrityError("the run folder's generator is not the one that made the synthetic set")
    if generator.records is not None and generator.records.columns != _declared(evidence):
        raise IntegrityError("the run's networks were told other columns of records than the cohort declares")
    try:
        discriminator = saved_discriminator(
            evidence.run, evidence.ledger, claim.run_id, beside=generator.network.config
        )
    except (BudgetError, IntegrityError):
        raise IntegrityError("the run's resume state is not the newest that the ledger knows of this run") from None
    return Networks(generator=generator, discriminator=discriminator and placed(discriminator, "cpu"))


def _declared(evidence: Evidence) -> dict[str, str]:
    """The columns that patients' records have, by name; none where nobody knows what they say."""
    sides = [side for side in (evidence.members, evidence.non_members) if side]
    if evidence.cohort is None or any(side.codes is None for side in sides):
        return {}
    return evidence.cohort.schema.types
