"""A record of the form that `run_audit` writes, with a hostile text wherever a text may come from outside."""

import copy
from typing import Any

import numpy as np

from privgan_audits.policy import Policy
from privgan_audits.report.gallery import Gallery, Pair
from tests.audits.entries import hostile
from tests.audits.hostile import ATTACK, SECRET


def _estimate(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.04, "high": value + 0.04}


def _told_apart(value: float) -> dict[str, Any]:
    sides = {"synthetic": value, "reference": 0.5}
    return {side: _estimate(share) | {"examined": 444} for side, share in sides.items()}


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
        "marks": {"synthetic": _estimate(0.95), "real": _estimate(0.8), "gap": _estimate(0.15)},
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
    "realism": {
        "images": {"synthetic": 1333, "reference": 667},
        **{look: _told_apart(0.93) for look in ("all", "shapes")},
        "classes": {name: _told_apart(0.9) for name in ("clear", ATTACK)},
    },
    "records": {
        "likeness": {
            "columns": {name: {"synthetic": 0.03, "reference": 0.02} for name in ("class", ATTACK, "few")},
            "pairs": [{"names": ["class", ATTACK], "synthetic": 0.05, "reference": 0.04}],
        },
        "showing": {
            ATTACK: {"values": 2}
            | {name: _estimate(0.9) for name in ("real", "synthetic", "shown")}
            | {name: _estimate(-0.02) for name in ("difference", "bond")},
            "few": {"reason": ATTACK},
        },
    },
    "use": {"band": "limited", "coverage": 0.61, "precision": 0.71, "density": 0.42},
}
BOOKS = {
    "entries": [
        {"kind": "opened", "sequence": 0, "members": 1333, "max_epsilon": 10.0, "delta": 1e-4},
        {"kind": "charge", "sequence": 1, "run_id": "abcdef0123", "delta": 1e-4}
        | {"queries": [{"noise_multiplier": 2.0, "sample_rate": 0.1, "steps": 20}]},
        {"kind": "closed", "sequence": 2, "run_id": "abcdef0123"}
        | {"generator_sha256": "9" * 64, "config_sha256": "8" * 64},
    ],
    "head": "b" * 64,
}


def record(verdict: str = "PASS", *, claim: bool = True, **changes: Any) -> dict[str, Any]:
    """A record of the form that `run_audit` writes; a test below compares the two."""
    steps = np.geomspace(1e-3, 1.0, 30)
    privacy = {"epsilon": 3.204, "delta": 1e-4, "unit": "patient", "adjacency": "zero-out"}
    content = {
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
        "classes": ["clear", ATTACK],
        "project": {"title": f"Chests {ATTACK}", "contact": "data office", "house": "Anytown Hospital"},
        "counts": {"members": 1333, "non_members": 667, "synthetic": 4000, "image_size": 16}
        | {"member_images": 2718, "non_member_images": 1414},
        "synthetic": {"sha256": "c" * 64, "count": 4000},
        "encoder": {"sha256": "e" * 64, "trained_on": ATTACK},
        "cohort": {"cohort_id": "fedcba9876543210", "sha256": "d" * 64} if claim else None,
        "notes": [ATTACK],
        "ceiling": {"fpr": steps.tolist(), "tpr": np.minimum(1, 12 * steps).tolist()} if claim else None,
        "ledger": BOOKS if claim else None,
        "utility": UTILITY,
        "tests": [*hostile(), {"id": "T99", "title": ATTACK, "outcome": "not-run", "reason": ATTACK}],
        **changes,
    }
    return copy.deepcopy(content)  # tests break what they are given


def pair(seed: int, side: str) -> Pair:
    real, synthetic = np.random.default_rng(seed).integers(0, 256, (2, 16, 16), dtype=np.uint8)
    return Pair(real=real, synthetic=synthetic, side=side, real_row=7000 + seed, synthetic_row=seed, how=f"{SECRET}")


GALLERY = Gallery(
    identical=(pair(0, "member"),),
    blinded=tuple(pair(seed, "member" if seed % 2 else "non-member") for seed in range(1, 13)),
)
