"""A record of the form that `run_audit` writes, with a hostile text wherever a text may come from outside."""

from typing import Any

import numpy as np

from privgan_audits.policy import Policy
from privgan_audits.report.gallery import Gallery, Pair

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>"
SECRET = 0.5123776611


def _estimate(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.04, "high": value + 0.04}


def _learned(value: float) -> dict[str, Any]:
    measures = {name: _estimate(value) for name in ("accuracy", "balanced_accuracy", "auc")}
    of_class = {name: _estimate(value) | {"patients": 120} for name in ("clear", ATTACK)}
    return {**measures, "sensitivity": of_class, "difference": {name: _estimate(-0.03) for name in measures}}


UTILITY = {
    "outcome": "measured",
    "teaching": {
        "classes": ["clear", ATTACK],
        "held_back": {"patients": 667, "images": 1414},
        "guessing": {"accuracy": 0.6, "balanced_accuracy": 0.5, "auc": 0.5},
        "training": {source: _learned(0.8) for source in ("real", "synthetic", "both")},
        "subgroups": {
            "sex": {
                "groups": {
                    ATTACK: {"patients": 300, "difference": _estimate(-0.02)}
                    | {"accuracy": {source: _estimate(0.8) for source in ("real", "synthetic", "both")}}
                },
                "too_few": {"groups": 1, "patients": 4},
            }
        },
    },
    "fidelity": {
        "space": "the audit's own embedding",
        "note": "not comparable with published FID",
        "images": {"members": 2718, "reference": 1414, "synthetic": 4000},
        "all": {name: {"synthetic": 0.5, "reference": 0.9} for name in ("precision", "recall", "spectrum_distance")},
        "classes": {},
    },
    "diversity": {
        "images": 1414,
        "near_duplicates": {"synthetic": 0.02, "reference": 0.01},
        "effective_number": {"synthetic": 412.0, "reference": 640.0, "of": 1000},
        "collapse": "partial",
    },
}
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
        "utility": UTILITY,
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
            {"id": "T4", "title": "networks", "outcome": "measured", "p": SECRET, "epsilon_lower_bound": 0.1}
            | {"largest_provable_epsilon": 4.0, "inversion": {"not_measured": "there was no time"}}
            | {
                "discriminator": {"auc": SECRET, "auc_interval": [0.4, 0.6], "p": SECRET, "tpr": {}}
                | {"members": 1333, "non_members": 667}
            },
            {"id": "T6", "title": "books", "outcome": "measured", "claimed_epsilon": 3.204}
            | {
                "cohort_total_epsilon": 3.204,
                "recomputed_epsilon": 3.204,
                "checks": {"unit_is_the_patient": True, ATTACK: False},
            },
            {"id": "T7", "title": "people", "outcome": "measured", "p": SECRET, "members_linked": SECRET}
            | {"non_members_linked": 0.25, "threshold_share": 0.001, "detector_auc": 0.97, "detector_recall": 0.5}
            | {"patients_with_several_images": 726, "members_before_non_member": {"1": 2}}
            | {"expected_when_safe": {"1": 2.0}},
            {"id": "T8", "title": "facts", "outcome": "measured", "p": SECRET, "largest_advantage_upper": 0.0712}
            | {"largest_advantage_lower": -0.0512, "not_applicable": {"age": ATTACK}}
            | {
                "columns": {
                    "label": {"members": SECRET, "non_members": 0.5, "advantage": 0.01, "guessing": 0.4, "values": 2}
                    | {"advantage_interval": [-0.05, 0.08], "advantage_upper": 0.0712, "residual_risk": 0.02}
                    | {"p": SECRET}
                }
            },
            {"id": "T9", "title": "crowds", "outcome": "not-run", "reason": "nobody asked"},
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
