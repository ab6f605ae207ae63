"""Everything in audit.json that no test measured: the claim, its ceiling, the books, counts, digests, assumptions."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from privgan.config import keys_of
from privgan.data.cohort.cohort import Cohort
from privgan.dp.budget.ledger import Ledger
from privgan.dp.spend import PrivacySpend
from privgan.dp.tradeoff import tpr_bound, tpr_bound_at
from privgan.images.form import ImageForm
from privgan.language import kept, to_tr
from privgan_audits.evidence.interface import Evidence
from privgan_audits.policy import Policy

COLOUR = to_tr(
    "Images are in colour: T1, the space of pixels and the classifier see red, green and blue; the embedding and the "
    "perceptual hashes see the luminance."
)
NO_CLAIM = to_tr("No DP claim: what follows is what known attacks found, not a guarantee.")
RATES = np.geomspace(1e-3, 1.0, 121)  # false-positive rates at which the ceiling is drawn


def record_facts(evidence: Evidence, policy: Policy, attempt: int, overrides: Sequence[str]) -> dict[str, Any]:
    """Everything in audit.json that no test measured."""
    spend = evidence.claim.spend if evidence.claim and evidence.ledger else None
    cohort = evidence.cohort or evidence.rehearses
    no_claim = () if spend else (NO_CLAIM,)
    return {
        "policy": policy.to_json(),
        "privacy": asdict(spend) if spend else dict.fromkeys(keys_of(PrivacySpend)),
        "claim_not_private": bool(evidence.claim and evidence.claim.not_private),
        "attempt": attempt,
        "overrides": list(overrides),
        "project": _project(evidence, policy),
        "counts": _counts(evidence),
        "classes": list(evidence.classes),
        "synthetic": {"sha256": evidence.synthetic_sha256, "count": len(evidence.synthetic.images)},
        "encoder": evidence.encoder.facts() if evidence.encoder else None,
        **_shaped(evidence),
        **_columns(evidence),
        **_smooth(evidence),
        "cohort": _cohort(cohort) if cohort else None,
        "notes": [
            *evidence.notes,
            class_names(evidence.classes),
            *_colour(evidence),
            *_declared(evidence),
            *_resumed(evidence),
            *no_claim,
        ],
        "ceiling": _ceiling(evidence, spend),
        "ledger": _books(evidence.ledger),
    }


def _columns(evidence: Evidence) -> dict[str, Any]:
    """The records' columns, as the set's manifest declares them; nothing of a set without records."""
    origin = evidence.claim.origin if evidence.claim else None
    records = origin.manifest.records if origin else None
    return {"columns": records.columns} if records else {}


def _smooth(evidence: Evidence) -> dict[str, int]:
    """As how many pixels a side the images are smooth, as the set's manifest says; nothing where they are finer."""
    origin = evidence.claim.origin if evidence.claim else None
    fine = origin.manifest.smooth_as if origin else 0
    return {"smooth_as": fine} if fine else {}


def _shaped(evidence: Evidence) -> dict[str, Any]:
    """What shaped the set beside this hospital's members: public images, and the members of others."""
    claim = evidence.claim
    named = {"prior": claim.prior, "federation": claim.federation} if claim else {}
    return {name: asdict(each) for name, each in named.items() if each is not None}


def _cohort(cohort: Cohort) -> dict[str, Any]:
    return {
        "cohort_id": cohort.facts.cohort_id,
        "sha256": cohort.sha256,
        "officer_pinned": bool(cohort.facts.officer_key),
    }


def _ceiling(evidence: Evidence, spend: PrivacySpend | None) -> dict[str, list[float]] | None:
    """The accountant's ceiling on the true-positive rate of any attack, by false-positive rate; None without a claim.

    A claim without a charge has only its own word; T6 refuses it.
    """
    if spend is None or evidence.ledger is None:
        return None
    queries = evidence.ledger.queries()
    bound = tpr_bound(queries, RATES) if queries else tpr_bound_at(spend.epsilon, spend.delta, RATES)
    return {"fpr": RATES.tolist(), "tpr": bound.tolist()}


def _books(ledger: Ledger | None) -> dict[str, Any] | None:
    """Every entry of the cohort's ledger up to this audit's beginning, and the hash that stands for all of them."""
    return {"entries": [dict(entry) for entry in ledger.entries], "head": ledger.head} if ledger else None


def _colour(evidence: Evidence) -> tuple[str, ...]:
    """Which tests saw it."""
    return (COLOUR,) if ImageForm.of(evidence.synthetic.images).colour else ()


def _declared(evidence: Evidence) -> tuple[str, ...]:
    """What the user said of the encoder: one that learned from the members alone would make them look different."""
    encoder = evidence.encoder
    return (
        (kept("Encoder of the user's, declared to have learned from: {source}.", source=encoder.trained_on),)
        if encoder
        else ()
    )


def class_names(classes: Sequence[str]) -> str:
    """How much the names of classes could say: whoever chose them chose them freely."""
    return kept(
        "Class names that leave with the set: {count}, {characters} characters together.",
        count=len(classes),
        characters=sum(map(len, classes)),
    )


def _resumed(evidence: Evidence) -> tuple[str, ...]:
    """A state that was read back is a file, and what vouches for it is the ledger, which is another."""
    times = (
        len(evidence.ledger.of_kind("resumed", evidence.claim.run_id)) if evidence.ledger and evidence.claim else 0
    )
    if not times:
        return ()
    return (
        kept(
            "The run behind the set was stopped and resumed from a saved state. The ledger vouches for that state; "
            "without a site anchor whoever can write the ledger can vouch for another one. Times: {times}.",
            times=times,
        ),
    )


def _project(evidence: Evidence, policy: Policy) -> dict[str, str]:
    """What the cohort is for and who answers for it, in the words of `prepare` and of the policy."""
    facts = evidence.cohort.facts if evidence.cohort else None
    return {
        "title": facts.title if facts else "",
        "contact": facts.contact if facts else "",
        "house": policy.house,
    }


def _counts(evidence: Evidence) -> dict[str, int]:
    others = evidence.non_members
    return {
        "members": evidence.members.patient_count,
        "non_members": others.patient_count if others else 0,
        "member_images": len(evidence.members.images),
        "non_member_images": len(others.images) if others else 0,
        "synthetic": len(evidence.synthetic.images),
        "image_size": int(evidence.synthetic.images.shape[1]),
    }
