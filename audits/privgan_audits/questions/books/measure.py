"""T6: is the privacy promise of the manifest true to the cohort's ledger, and is the set what the charged run draws?

Every check has a name and a truth value, so that the verdict can refuse each by itself. The ledger's chain is
verified when it is read, before any of this. The whole set is drawn again from the run's generator and the set's
seed: a promise about a generator says nothing about images that come from elsewhere.
"""

from typing import Any

import numpy as np

from privgan.data.cohort.cohort import Cohort
from privgan.dp.accounting import epsilon
from privgan.dp.budget.ledger import Ledger
from privgan.dp.spend import ADJACENCY, UNIT
from privgan.errors import IntegrityError, UsageError
from privgan.images.stored import as_stored
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent
from privgan.records.rows import Records
from privgan.run import ModelDigests, read_run
from privgan.synthetic.drawing import Asked, Drawing, Redrawn
from privgan_audits.evidence.interface import Claim, Evidence, Measured, NotApplicable, Outcome

TOLERANCE = 1.001  # two accountants on two machines may differ in the last digits
DELTA_TIMES_MEMBERS = 0.1
_MANIFEST, _LABELS, _IMAGES = "manifest_is_the_runs", "labels_are_the_seeds", "images_are_the_generators"
_RECORDS = "records_are_the_seeds"
_FORM = "form_is_the_cohorts"
_ROUNDING = "rounding_is_a_machines"


def measure(evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
    """Recompute what the ledger says and compare it with the manifest and the run."""
    del rng
    if evidence.claim is None:
        return NotApplicable(reason=to_tr("the synthetic set makes no claim of differential privacy"))
    if evidence.ledger is None or evidence.cohort is None:
        return NotApplicable(reason=to_tr("without the cohort the claim of differential privacy cannot be checked"))
    return Measured(findings=examined(evidence, progress)[0])


def examined(evidence: Evidence, progress: Progress = silent) -> tuple[dict[str, Any], Redrawn | None]:
    """The findings about a cohort's set, and the set as it was drawn again; None if it was not.

    Raises:
        IntegrityError: the set is no set of privgan's, or no cohort is beside it.
    """
    claim, ledger, cohort = evidence.claim, evidence.ledger, evidence.cohort
    if claim is None or ledger is None or cohort is None:
        raise IntegrityError("Expected a set that claims differential privacy, and the cohort that it is of.")
    progress(tr("privacy accounting"), 0, 1)
    recomputed = epsilon(ledger.queries(claim.run_id), claim.spend.delta)
    total = ledger.spend().epsilon
    proven = ledger.proven()
    progress(tr("privacy accounting"), 1, 1)
    members = evidence.members.patient_count
    small_delta = claim.spend.delta * members <= DELTA_TIMES_MEMBERS * (1 + 1e-9)
    checks = {
        **_book_checks(claim, ledger, cohort, members),
        "generator_is_the_runs": _matches_run(evidence, claim),
        "epsilon_covers_the_ledger": bool(recomputed <= claim.spend.epsilon * TOLERANCE),
        "delta_is_small_or_accepted": bool(small_delta or evidence.accepted_delta),
    }
    redrawn, same = _drawn_again(evidence, claim, progress) if checks["generator_is_the_runs"] else (None, {})
    checks |= same
    findings = {
        "claimed_epsilon": claim.spend.epsilon,
        "recomputed_epsilon": recomputed,
        "cohort_total_epsilon": total,
        "cohort_total_composition": ledger.composition(),
        "cohort_filter_epsilon": proven,
        "delta": claim.spend.delta,
        **_told(redrawn),
        "checks": checks,
    }
    return findings, redrawn


def _book_checks(claim: Claim, ledger: Ledger, cohort: Cohort, members: int) -> dict[str, bool]:
    closed = ledger.of_kind("closed", claim.run_id)
    charges = ledger.of_kind("charge", claim.run_id)
    deltas, seeded = [entry["delta"] for entry in charges], any(entry.get("replayable", True) for entry in charges)
    # run.json is a file that nobody vouches for, and its words leave with every image; cohort.json the ledger knows.
    words = {} if claim.origin is None else {_FORM: claim.origin.manifest.form == cohort.facts.form}
    return {
        **words,
        "unit_is_the_patient": claim.spend.unit == UNIT,
        "adjacency_is_zero_out": claim.spend.adjacency == ADJACENCY,
        "noise_is_not_seeded": claim.not_private is False and not seeded,
        "cohort_is_the_claims": _is_of(cohort, ledger, claim),
        "run_is_charged_once": len(deltas) == 1,
        "delta_is_the_charged_one": deltas == [claim.spend.delta],
        "run_is_closed_once": len(closed) == 1,
        "generator_is_the_closed_one": [entry["generator_sha256"] for entry in closed] == [claim.generator_sha256],
        "configuration_is_the_closed_one": [entry.get("config_sha256") for entry in closed] == [claim.config_sha256],
        "members_are_the_ledgers": ledger.opening["members"] == cohort.facts.members == members,
    }


def _is_of(cohort: Cohort, ledger: Ledger, claim: Claim) -> bool:
    """Whether a set is of this cohort; of several hospitals it is if the ledger has answered in their federation."""
    answered, named = bool(ledger.of_kind("answered", claim.run_id)), claim.federation
    if named is None:
        return not answered and claim.cohort_id == cohort.facts.cohort_id
    return answered and (claim.run_id, claim.cohort_id) == (named.run_id, named.cohort_id)


def _drawn_again(evidence: Evidence, claim: Claim, progress: Progress) -> tuple[Redrawn | None, dict[str, bool]]:
    """The set drawn again, and the checks of what came; nothing without the run and the seed."""
    if evidence.run is None or claim.origin is None:
        return None, {}
    held, audited = claim.origin.manifest, evidence.synthetic
    try:
        drawing = Drawing.of(evidence.run, Asked.of(held), claim.origin.seed)
    except (IntegrityError, UsageError):
        return None, {_MANIFEST: False}
    says = drawing.manifest.to_json({}) == held.to_json({})
    if not says or not np.array_equal(drawing.labels, audited.labels):
        return None, {_MANIFEST: says, _LABELS: False}
    records = _same_records(drawing.records, audited.records)
    again = drawing.again(as_stored(audited.images), progress)
    rounding = {_ROUNDING: again.explained} if again.others == 0 else {}
    return again, {_MANIFEST: True, _LABELS: True, **records, _IMAGES: again.others == 0, **rounding}


def _same_records(drawn: Records, audited: Records | None) -> dict[str, bool]:
    """Of a set without columns there is nothing to check."""
    return {_RECORDS: audited is not None and np.array_equal(drawn.cells, audited.cells)} if drawn.cells.size else {}


def _told(redrawn: Redrawn | None) -> dict[str, int]:
    if redrawn is None:
        return {"images_drawn_again": 0}
    return {
        "images_drawn_again": len(redrawn.images),
        "pixels_rounded_otherwise": redrawn.between,
        "pixels_between_levels": redrawn.open,
    }


def _matches_run(evidence: Evidence, claim: Claim) -> bool:
    """True without a run folder: the ledger's own record of the generator is checked in any case."""
    if evidence.run is None:
        return True
    try:
        facts, model = read_run(evidence.run), ModelDigests.of(evidence.run)
    except IntegrityError:
        return False
    same = facts.run_id == claim.run_id and facts.cohort_of_sets == claim.cohort_id
    return same and facts.model == model == claim.model and facts.not_private is False
