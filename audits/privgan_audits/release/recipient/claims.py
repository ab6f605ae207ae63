"""What a hospital claims of a set in a statement that it signed: read, and held against what is signed beside it.

A claim is worth what its signature is; here it must only not contradict itself. Needs no training stack.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from privgan.config import from_table
from privgan.dp.strength import is_at_most
from privgan.errors import IntegrityError, UsageError
from privgan.seals import key_of_line
from privgan_audits.policy import OWN, Policy, sha256_of
from privgan_audits.release.approval import Approval, Approved, SignedApproval, opened


@dataclass(frozen=True, kw_only=True)
class ClaimedPolicy:
    """The policy that a statement names. preset: its name, "own" if it is none.

    looser: a line for each threshold that refuses less than the default, the signer's version's or this one's.
    """

    policy: Policy
    preset: str
    looser: tuple[str, ...]


def claimed_policy(table: Mapping[str, Any], stated: Mapping[str, Any]) -> ClaimedPolicy:
    """A policy whose bytes are signed, which must be the one that the statement names.

    The hospital's version may have had another default than this one; what is looser than either is told.

    Raises:
        IntegrityError: it is another one, or odd.
    """
    try:
        known = {field.name for field in fields(Policy)}
        policy = from_table(Policy, {name: value for name, value in table.items() if name in known})
        said = tuple(map(str, table["looser_than_default"]))
        same = (sha256_of(table), list(said)) == (stated["policy_sha256"], stated["policy_looser_than_default"])
        same = same and table["sha256"] == stated["policy_sha256"]
        preset = policy.preset if table["preset"] == policy.preset else OWN
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError, UsageError):
        same = False
    if not same:
        raise IntegrityError("Expected the policy in the public report as the attestation states it, it is odd.")
    looser = tuple(dict.fromkeys((*said, *policy.looser_than_default())))
    return ClaimedPolicy(policy=policy, preset=preset, looser=looser)


def claimed_strength(stated: Mapping[str, Any], policy: Policy) -> str:
    """The signed word, which may not claim more than the run's own epsilon; of earlier versions, what that gives.

    Raises:
        IntegrityError: it claims more, or there is no epsilon.
    """
    try:
        alone = policy.tiers.word(float(stated["privacy"]["epsilon"]))
        said = str(stated.get("strength", alone))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise IntegrityError("Expected the privacy spend in the attestation.") from None
    if not is_at_most(said, alone):
        raise IntegrityError(f"Expected a promise that is at most {alone} by its epsilon, the attestation says more.")
    return said


def claimed_approval(stated: Mapping[str, Any], envelope: bytes, manifest_sha256: str) -> SignedApproval:
    """The officer's approval, which must be of what the hospital signed, by whom it says.

    Args:
        stated: by the hospital.
        envelope: of the approval.
        manifest_sha256: of the set.

    Raises:
        IntegrityError: it is of another release, or no approval by the key that the hospital names.
    """
    try:
        told = stated["approval"]
        approval = opened(Approval, envelope, key_of_line(told["public_key"]))
        same = told == approval.facts() and _released(stated, manifest_sha256) == approval.audit
    except (UsageError, KeyError, TypeError, ValueError, OverflowError):
        same = False
    if not same:
        raise IntegrityError("Expected the officer's approval of this very release, it is of another one.")
    return SignedApproval(approval=approval, envelope=envelope)


def _released(stated: Mapping[str, Any], manifest_sha256: str) -> Approved:
    """What the hospital signed, in the form in which it was approved."""
    names = ("audit_sha256", "policy_sha256", "verdict", "scope", "overrides")
    privacy = {name: stated["privacy"][name] for name in ("epsilon", "delta", "unit")}
    return from_table(
        Approved, {**{name: stated[name] for name in names}, **privacy, "synthetic_sha256": manifest_sha256}
    )
