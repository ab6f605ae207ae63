"""A record of the form that `run_audit` writes, with a hostile text wherever a text may come from outside."""

from typing import Any

import numpy as np

from privgan_audits.policy import Policy
from privgan_audits.report.gallery import Gallery, Pair

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>"
SECRET = 0.5123776611

BOOKS = {
    "entries": [
        {"kind": "opened", "sequence": 0, "members": 1333, "max_epsilon": 10.0, "delta": 1e-4},
        {"kind": "charge", "sequence": 1, "run_id": "abcdef0123", "delta": 1e-4}
        | {"queries": [{"noise_multiplier": 2.0, "sample_rate": 0.1, "steps": 20}]},
        {"kind": "closed", "sequence": 2, "run_id": "abcdef0123", "generator_sha256": "9" * 64},
    ],
    "head": "b" * 64,
}


def record(verdict: str = "PASS", *, claim: bool = True, **changes: Any) -> dict[str, Any]:
    """A record of the form that `run_audit` writes; a test below compares the two."""
    steps = np.geomspace(1e-3, 1.0, 30)
    privacy = {"epsilon": 3.204, "delta": 1e-4, "unit": "patient", "adjacency": "zero-out"}
    return {
        "schema_version": 1,
        "kind": "audit",
        "verdict": verdict,
        "scope": "differential-privacy" if claim else "empirical",
        "reasons": [f"because {ATTACK} {SECRET}"],
        "level": 0.00608,
        "date": "2026-01-31",
        "policy": Policy(max_epsilon=12.0).to_json(),
        "privacy": privacy if claim else dict.fromkeys(privacy),
        "claim_not_private": False,
        "attempt": 1,
        "overrides": ["accept-low-power"],
        "counts": {"members": 1333, "non_members": 667, "synthetic": 4000, "image_size": 16}
        | {"member_images": 2718, "non_member_images": 1414},
        "synthetic": {"sha256": "c" * 64, "count": 4000},
        "encoder": {"sha256": "e" * 64, "trained_on": ATTACK},
        "cohort": None,
        "notes": [ATTACK],
        "ceiling": {"fpr": steps.tolist(), "tpr": np.minimum(1, 12 * steps).tolist()} if claim else None,
        "ledger": BOOKS if claim else None,
        "tests": [
            {"id": "T0", "title": "controls", "outcome": "measured", "split_p": SECRET, "split_auc": SECRET}
            | {"resplits": 200, "small_p_near_copies": 11, "small_p_membership": 9, "copies_planted_at_most": 40}
            | {"limit_of_detection": {"exact": 11, "flip": 12, "shift_2_px": 13, "noise_2_percent": 12}},
            {"id": "T1", "title": "copies", "outcome": "measured", "copies_of_members": 0}
            | {
                "copies_of_other_patients": 0,
                "rescaled_copies_of_members": 0,
                "constant_images": 3,
                "compared_real_images": 4132,
            },
            {"id": "T2", "title": "near", "outcome": "measured", "p": SECRET}
            | {
                "spaces": {
                    "pixels": {"p": SECRET, "members_before_non_member": {"1": 2}, "expected_when_safe": {"1": 2.0}}
                }
            }
            | {"look_alikes": {"hashes": {"bits": 3, "members": 4, "non_members": 1, "p": SECRET}}},
            {"id": "T3", "title": "member", "outcome": "measured", "p": SECRET, "auc": SECRET, "auc_upper": 0.5301}
            | {"auc_se_when_safe": 0.0137, "tpr_upper": 0.0234, "precision": {"0.01": SECRET}}
            | {"tpr": {"1_percent": {"measured": SECRET, "low": 0.0, "high": 0.0234}}}
            | {"attacks": {"classifier": {"auc": SECRET, "auc_se": 0.0137, "tpr_at_1_percent": SECRET}}}
            | {
                "series": {"fpr": steps.tolist(), "tpr": steps.tolist(), "tpr_low": (steps / 2).tolist()}
                | {"distances": {"edges": [0.5, 1.0, 1.5], "members": [SECRET, 0.4], "non_members": [0.5, 0.5]}}
            },
            {"id": "T6", "title": "books", "outcome": "measured", "claimed_epsilon": 3.204}
            | {
                "cohort_total_epsilon": 3.204,
                "recomputed_epsilon": 3.204,
                "checks": {"unit_is_the_patient": True, ATTACK: False},
            },
            {"id": "T10", "title": ATTACK, "outcome": "not-run", "reason": ATTACK},
        ],
        **changes,
    }


def pair(seed: int, side: str) -> Pair:
    real, synthetic = np.random.default_rng(seed).integers(0, 256, (2, 16, 16), dtype=np.uint8)
    return Pair(real=real, synthetic=synthetic, side=side, real_row=7000 + seed, synthetic_row=seed, how=f"{SECRET}")


GALLERY = Gallery(
    identical=(pair(0, "member"),),
    blinded=tuple(pair(seed, "member" if seed % 2 else "non-member") for seed in range(1, 13)),
)
