"""What a recipient runs: offline, with nothing but the bundle and the hospital's public key.

Imports neither torch nor pydicom, decodes no image, and trusts nothing in the bundle before the signature over
it has been checked.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from privgan.checks import is_seen
from privgan.config import from_table, keys_of
from privgan.dp.spend import PrivacySpend
from privgan.dp.strength import is_at_most, promise_word
from privgan.errors import IntegrityError, UsageError
from privgan.files import sha256_bytes
from privgan.folders import require_exact_files
from privgan.language import by_default
from privgan.progress import Progress, silent
from privgan.run import PriorNamed
from privgan.seals import fingerprint, key_line, key_of_line, load_public_key, open_signed, read_bounded
from privgan_audits.policy import OWN, Policy, sha256_of
from privgan_audits.release.approval import APPROVAL, LARGEST_BYTES, Approval, Approved, Revocation, opened
from privgan_audits.release.bundle import (
    ATTESTATION,
    DATASET,
    MANIFEST,
    PUBLIC_SUMMARY,
    SUMS,
    subjects_of,
    sums_text,
)
from privgan_audits.release.travel import require_bundle, travelled_badly
from privgan_audits.telling.verdict import Terms, verdict_line

_LARGEST_ATTESTATION_BYTES = 1 << 28
_GENERATOR = ("run_id", "generator_sha256", "config_sha256", "prior")


@dataclass(frozen=True, kw_only=True)
class VerifiedBundle:
    """What the signature covers, as the signer stated it.

    spend: of the released run. files: how many were checked, the attestation and
    SHA256SUMS included. key_fingerprint: hex SHA-256 of the public key. signed: the day, YYYY-MM-DD.
    overrides: the warnings that the hospital accepted; the recipient should see them.
    approval: the privacy officer's, None where the hospital releases without one.
    policy: the preset's name, "own" if it is none.
    prior: the public images that shaped the set besides, None without any.
    looser: a line for each threshold that refuses less than the default, the hospital's version's or this one's.
    strength: of the promise, by the signed policy; see `dp.strength`. language: the policy's. project: title, house
    and contact, terms: licence and citation, as far as the hospital says them.
    """

    spend: PrivacySpend
    verdict: str
    scope: str
    overrides: tuple[str, ...]
    policy: str
    looser: tuple[str, ...]
    strength: str
    language: str
    project: dict[str, str]
    terms: dict[str, str]
    files: int
    key_fingerprint: str
    signed: str
    privgan_version: str
    approval: Approval | None
    prior: PriorNamed | None

    @property
    def verdict_line(self) -> str:
        """The verdict with the policy that it was given under; a bare PASS is one under the default or a stricter."""
        promise = promise_word(self.strength)
        terms = Terms(preset=self.policy, looser=self.looser, overrides=self.overrides, promise=promise)
        return verdict_line(self.verdict, self.scope, terms)


def verify(
    bundle: Path,
    public_key: Path,
    *,
    today: date,
    officer_key: Path | None = None,
    revocation: Path | None = None,
    progress: Progress = silent,
) -> VerifiedBundle:
    """Check the signatures, every digest, the exact list of files, and that the officer's approval still holds.

    Args:
        bundle: the folder.
        public_key: the hospital's.
        today: on which an approval must hold; UTC.
        officer_key: the officer's, from the hospital over another channel: then an approval by it is demanded.
        revocation: a withdrawal that the hospital sent.
        progress: told of every file.

    Raises:
        UsageError: the bundle or a key is missing, or a key is not an Ed25519 public key.
        IntegrityError: unsigned, signed with another key, or a file is edited, extra, missing or not regular; the set
            is another generator's; or the approval is of something else, ended or withdrawn.
    """
    key = load_public_key(public_key)
    require_bundle(bundle)
    attestation = read_bounded(bundle / ATTESTATION, _LARGEST_ATTESTATION_BYTES)
    with travelled_badly(bundle, {ATTESTATION: None}):
        statement = open_signed(attestation, key)
    digests = {**subjects_of(statement), ATTESTATION: sha256_bytes(attestation)}
    expected = {**digests, SUMS: sha256_bytes(sums_text(digests))}
    with travelled_badly(bundle, expected):
        require_exact_files(bundle, expected, progress)
    approval = _approval(bundle, statement, digests)
    if approval and approval.public_key == key_line(key):
        raise IntegrityError("Expected two people: the approval is signed with the key that signed the release.")
    if officer_key and (approval is None or approval.public_key != key_line(load_public_key(officer_key))):
        raise IntegrityError("Expected an approval with the officer's key that was given, there is none.")
    _require_one_set(bundle, statement, digests)
    policy, preset, looser = _policy(bundle, statement)
    strength = _strength(statement, policy)
    facts = {
        "policy": preset,
        "looser": looser,
        "strength": strength,
        "language": policy.language,
        "files": len(digests) + 1,
        "key_fingerprint": fingerprint(key),
    }
    summary = _summary(statement, approval, facts)
    with by_default(policy.language):
        if revocation:
            _require_not_withdrawn(revocation, approval, digests)
        if approval and (trouble := approval.trouble_on(today)):
            raise IntegrityError(
                f"The files and the signatures are intact, but the permission to use them {trouble}. Ask the "
                "hospital."
            )
    return summary


def _approval(bundle: Path, statement: dict[str, Any], digests: dict[str, str]) -> Approval | None:
    """The approval in a bundle whose files were checked; it must be of what the hospital signed, by whom it says."""
    stated = statement.get("predicate")
    told = stated.get("approval") if isinstance(stated, dict) else None
    if (told is None) != (APPROVAL not in digests):
        raise IntegrityError("Expected the officer's approval both in the bundle and in the attestation, or in none.")
    if told is None:
        return None
    try:
        key = key_of_line(told["public_key"])
        approval = opened(Approval, read_bounded(bundle / APPROVAL, LARGEST_BYTES), key)
        same = told == approval.facts() and _released(statement["predicate"], digests[MANIFEST]) == approval.audit
    except (UsageError, KeyError, TypeError, ValueError, OverflowError):
        same = False
    if not same:
        raise IntegrityError("Expected the officer's approval of this very release, it is of another one.")
    return approval


def _require_one_set(bundle: Path, statement: dict[str, Any], digests: dict[str, str]) -> None:
    """The set's manifest, whose bytes were checked, must name the generator and prior that were signed for, and the
    very files that lie beside it: an officer approves a set by its manifest, and the key that releases is another's.
    """
    try:
        manifest, stated = json.loads((bundle / MANIFEST).read_bytes()), statement["predicate"]
        same = all(manifest.get(name) == stated.get(name) for name in _GENERATOR)
        named = {f"{DATASET}/{name}": digest for name, digest in manifest["files"].items()}
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        same, named = False, {}
    if not same:
        raise IntegrityError(
            "Expected the set of the generator, weights and constants, and of the prior that the attestation names, "
            "it is another's."
        )
    if named != {name: digests[name] for name in digests if name.startswith(f"{DATASET}/") and name != MANIFEST}:
        raise IntegrityError(
            f"Expected in {DATASET}/ the files that its manifest names, and no others: it is not the set that was "
            "audited. Ask the hospital."
        )


def _released(predicate: dict[str, Any], manifest_sha256: str) -> Approved:
    """What the hospital signed, in the form in which it was approved."""
    names = ("audit_sha256", "policy_sha256", "verdict", "scope", "overrides")
    privacy = {name: predicate["privacy"][name] for name in ("epsilon", "delta", "unit")}
    return from_table(
        Approved, {**{name: predicate[name] for name in names}, **privacy, "synthetic_sha256": manifest_sha256}
    )


def _require_not_withdrawn(path: Path, approval: Approval | None, digests: dict[str, str]) -> None:
    if approval is None:
        raise UsageError("Expected a bundle with an officer's approval, this one has none that could be withdrawn.")
    if not os.path.lexists(path):
        raise UsageError(f"Expected a revocation, {path} is missing.")
    found = opened(Revocation, read_bounded(path, LARGEST_BYTES), key_of_line(approval.public_key))
    if found.takes_back(approval, digests[APPROVAL]):
        raise IntegrityError(
            f"The hospital withdrew its approval of this bundle on {found.revoked}. Do not use it; ask the hospital."
        )


def _policy(bundle: Path, statement: dict[str, Any]) -> tuple[Policy, str, tuple[str, ...]]:
    """The policy, its preset's name and what is looser than the default, from the files that the signature covers.

    The hospital's version may have had another default than this one; what is looser than either is told.
    """
    try:
        table, stated = json.loads((bundle / PUBLIC_SUMMARY).read_bytes())["policy"], statement["predicate"]
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
    return policy, preset, tuple(dict.fromkeys((*said, *policy.looser_than_default())))


def _strength(statement: dict[str, Any], policy: Policy) -> str:
    """The signed word, which may not claim more than the run's own epsilon; of earlier versions, what that gives."""
    try:
        alone = policy.tiers.word(float(statement["predicate"]["privacy"]["epsilon"]))
        stated = str(statement["predicate"].get("strength", alone))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise IntegrityError("Expected the privacy spend in the attestation.") from None
    if not is_at_most(stated, alone):
        raise IntegrityError(f"Expected a promise that is at most {alone} by its epsilon, the attestation says more.")
    return stated


def _summary(statement: dict[str, Any], approval: Approval | None, facts: dict[str, Any]) -> VerifiedBundle:
    try:
        predicate = statement["predicate"]
        privacy = predicate["privacy"]
        summary = VerifiedBundle(
            spend=from_table(PrivacySpend, {name: privacy[name] for name in keys_of(PrivacySpend)}),
            verdict=str(predicate["verdict"]),
            scope=str(predicate["scope"]),
            overrides=tuple(map(str, predicate["overrides"])),
            signed=str(predicate["signed"]),
            privgan_version=str(predicate["privgan_version"]),
            project=_said(predicate.get("project", {})),
            terms=_said(predicate.get("terms", {})),
            approval=approval,
            prior=from_table(PriorNamed, predicate["prior"]) if "prior" in predicate else None,
            **facts,
        )
    except (KeyError, TypeError, ValueError, AttributeError, UsageError):
        raise IntegrityError("Expected the privacy spend and the verdict in the attestation.") from None
    if summary.verdict != "PASS":
        raise IntegrityError("Expected a released bundle to carry the verdict PASS, this one does not.")
    if not all(map(is_seen, _texts(summary))):
        raise IntegrityError("Expected lines of words in the attestation, one would be shown as something else.")
    return summary


def _said(table: dict[str, Any]) -> dict[str, str]:
    return {str(name): str(text) for name, text in table.items() if text}


def _texts(found: VerifiedBundle) -> Iterator[str]:
    """Every text of a signer's that is shown: a line of it must not look like a line of ours."""
    yield from (found.scope, found.signed, found.privgan_version, found.spend.unit, found.spend.adjacency)
    yield from (*found.overrides, *found.looser, *found.project.values(), *found.terms.values())
