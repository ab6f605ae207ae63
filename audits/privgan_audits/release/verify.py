"""What a recipient runs: offline, with nothing but the bundle and the public keys of the hospital or hospitals.

Imports neither torch nor pydicom, decodes no image, and trusts nothing in the bundle before the signature over
it has been checked.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from privgan.checks import is_seen
from privgan.config import from_table, keys_of
from privgan.dp.spend import PrivacySpend
from privgan.dp.strength import WORDS, promise_word
from privgan.errors import IntegrityError, UsageError
from privgan.files import sha256_bytes
from privgan.folders import require_exact_files
from privgan.language import by_default
from privgan.progress import Progress, silent
from privgan.run import FederationNamed, PriorNamed
from privgan.seals import fingerprint, key_line, key_of_line, load_public_key, open_signed, read_bounded
from privgan_audits.release.approval import APPROVAL, LARGEST_BYTES, Approval, Revocation, SignedApproval, opened
from privgan_audits.release.bundle import (
    ATTESTATION,
    DATASET,
    MANIFEST,
    PUBLIC_SUMMARY,
    SUMS,
    subjects_of,
    sums_text,
)
from privgan_audits.release.joint.agreement import Agreement
from privgan_audits.release.joint.signed import federation_in, require_signed_by_all, told_of_keys
from privgan_audits.release.recipient.claims import (
    ClaimedPolicy,
    claimed_approval,
    claimed_policy,
    claimed_strength,
)
from privgan_audits.release.travel import require_bundle, travelled_badly
from privgan_audits.telling.verdict import Terms, verdict_line

_LARGEST_ATTESTATION_BYTES = 1 << 28
_GENERATOR = ("run_id", "generator_sha256", "config_sha256", "prior", "federation")
Keys = Path | Sequence[Path]
"""A file of a public key, or several."""


@dataclass(frozen=True, kw_only=True)
class VerifiedBundle:
    """What the signature covers, as the signer stated it.

    spend: of the released run. files: how many were checked, the attestation and
    SHA256SUMS included. key_fingerprint: hex SHA-256 of the public key. signed: the day, YYYY-MM-DD.
    overrides: the warnings that the hospital accepted; the recipient should see them.
    approval: the privacy officer's, None where the hospital releases without one.
    policy: the preset's name, "own" if it is none.
    prior: the public images that shaped the set besides, None without any. federation: the hospitals whose members
    did, None of one alone. sites: their words, in the order of their names; strength, looser and overrides are then
    those of all of them, the weakest first.
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
    federation: FederationNamed | None = None
    sites: tuple[Agreement, ...] = ()

    @property
    def verdict_line(self) -> str:
        """The verdict with the policy that it was given under; a bare PASS is one under the default or a stricter."""
        promise = promise_word(self.strength)
        terms = Terms(preset=self.policy, looser=self.looser, overrides=self.overrides, promise=promise)
        return verdict_line(self.verdict, self.scope, terms)


def verify(
    bundle: Path,
    public_key: Keys,
    *,
    today: date,
    officer_key: Keys | None = None,
    revocation: Path | None = None,
    progress: Progress = silent,
) -> VerifiedBundle:
    """Check the signatures, every digest, the exact list of files, and that every officer's approval still holds.

    Args:
        bundle: a folder that somebody sent.
        public_key: of the hospital, obtained elsewhere; of a set of several hospitals those of all of them.
        today: the day on which the approvals must hold, UTC.
        officer_key: of the hospital's privacy officer, obtained elsewhere; demands an approval with it. Of several
            hospitals any of their officers'.
        revocation: a withdrawal that the hospital sent.
        progress: told of every file that is checked.

    Raises:
        UsageError: the bundle or a key is missing, too few keys or too many are given, or a key is not an Ed25519
            public key.
        IntegrityError: unsigned, signed with another key, or a file is edited, extra, missing or not regular; the set
            is another generator's; a hospital has not agreed; or an approval is of something else, ended or
            withdrawn.
    """
    keys = [load_public_key(path) for path in _several(public_key)]
    require_bundle(bundle)
    attestation = read_bounded(bundle / ATTESTATION, _LARGEST_ATTESTATION_BYTES)
    with travelled_badly(bundle, {ATTESTATION: None}), told_of_keys(bundle, keys):
        statement, key = signed_by_one(attestation, keys)
    digests = {**subjects_of(statement), ATTESTATION: sha256_bytes(attestation)}
    expected = {**digests, SUMS: sha256_bytes(sums_text(digests))}
    with travelled_badly(bundle, expected):
        require_exact_files(bundle, expected, progress)
    approval = _approval(bundle, statement, digests)
    if approval and approval.approval.public_key == key_line(key):
        raise IntegrityError("Expected two people: the approval is signed with the key that signed the release.")
    _require_one_set(bundle, statement, digests)
    sites = require_signed_by_all(bundle, statement, digests, keys)
    approvals = [each.approval for each in sites] or [each for each in (approval,) if each is not None]
    _require_officers(approvals, officer_key)
    facts = {**_facts(bundle, statement, sites), "files": len(digests) + 1, "key_fingerprint": fingerprint(key)}
    summary = _summary(statement, approval, facts)
    with by_default(summary.language):
        if revocation:
            _require_not_withdrawn(revocation, approvals)
        for each in approvals:
            _require_held(each.approval, today)
    return summary


def _require_officers(approvals: Sequence[SignedApproval], keys: Keys | None) -> None:
    """Refuse a bundle without an approval by an officer whose key was given."""
    lines = [each.approval.public_key for each in approvals]
    if any(key_line(load_public_key(path)) not in lines for path in _several(keys or ())):
        raise IntegrityError("Expected an approval with the officer's key that was given, there is none.")


def signed_by_one(attestation: bytes, keys: Sequence[Ed25519PublicKey]) -> tuple[dict[str, Any], Ed25519PublicKey]:
    """The statement in an attestation, and which of the keys signed it.

    Raises:
        UsageError: there are no keys.
        IntegrityError: none did.
    """
    if not keys:
        raise UsageError("Expected a public key, got none.")
    for key in keys[:-1]:
        with suppress(IntegrityError):
            return open_signed(attestation, key), key
    return open_signed(attestation, keys[-1]), keys[-1]


def _several(files: Keys) -> Sequence[Path]:
    return [files] if isinstance(files, Path) else files


def _require_held(approval: Approval, today: date) -> None:
    if trouble := approval.trouble_on(today):
        raise IntegrityError(
            f"The files and the signatures are intact, but the permission to use them {trouble}. Ask the hospital."
        )


def _approval(bundle: Path, statement: dict[str, Any], digests: dict[str, str]) -> SignedApproval | None:
    """The approval in a bundle whose files were checked; it must be of what the hospital signed, by whom it says."""
    stated = statement.get("predicate")
    told = stated.get("approval") if isinstance(stated, dict) else None
    if (told is None) != (APPROVAL not in digests):
        raise IntegrityError("Expected the officer's approval both in the bundle and in the attestation, or in none.")
    if told is None:
        return None
    envelope = read_bounded(bundle / APPROVAL, LARGEST_BYTES)
    return claimed_approval(statement["predicate"], envelope, digests[MANIFEST])


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


def _require_not_withdrawn(path: Path, approvals: Sequence[SignedApproval]) -> None:
    if not approvals:
        raise UsageError("Expected a bundle with an officer's approval, this one has none that could be withdrawn.")
    if not os.path.lexists(path):
        raise UsageError(f"Expected a revocation, {path} is missing.")
    content = read_bounded(path, LARGEST_BYTES)
    found = opened(Revocation, content)
    theirs = [each for each in approvals if each.approval.public_key == found.public_key]
    if not theirs:  # says that it is another's
        opened(Revocation, content, key_of_line(approvals[0].approval.public_key))
    if any(found.takes_back(each.approval, each.sha256) for each in theirs):
        raise IntegrityError(
            f"The hospital withdrew its approval of this bundle on {found.revoked}. Do not use it; ask the hospital."
        )


def _policy(bundle: Path, statement: dict[str, Any]) -> ClaimedPolicy:
    """The policy, its preset's name and what is looser than the default, from the files that the signature covers."""
    try:
        table, stated = json.loads((bundle / PUBLIC_SUMMARY).read_bytes())["policy"], statement["predicate"]
    except (KeyError, TypeError, ValueError, RecursionError):
        table, stated = {}, {}
    return claimed_policy(table, stated)


def _facts(bundle: Path, statement: dict[str, Any], sites: Sequence[Agreement]) -> dict[str, Any]:
    """Of several hospitals what the least of them promises, and what any of them has made looser."""
    own = _policy(bundle, statement)
    strengths = [claimed_strength(statement["predicate"], own.policy), *(each.strength for each in sites)]
    looser = (*own.looser, *(line for each in sites for line in each.policy.looser))
    return {
        "policy": own.preset,
        "looser": tuple(dict.fromkeys(looser)),
        "strength": max(strengths, key=WORDS.index),
        "language": own.policy.language,
        "federation": federation_in(statement),
        "sites": tuple(sites),
    }


def _summary(statement: dict[str, Any], approval: SignedApproval | None, facts: dict[str, Any]) -> VerifiedBundle:
    try:
        predicate = statement["predicate"]
        privacy = predicate["privacy"]
        overrides = (*predicate["overrides"], *(name for each in facts["sites"] for name in each.stated["overrides"]))
        summary = VerifiedBundle(
            spend=from_table(PrivacySpend, {name: privacy[name] for name in keys_of(PrivacySpend)}),
            verdict=str(predicate["verdict"]),
            scope=str(predicate["scope"]),
            overrides=tuple(dict.fromkeys(map(str, overrides))),
            signed=str(predicate["signed"]),
            privgan_version=str(predicate["privgan_version"]),
            project=_said(predicate.get("project", {})),
            terms=_said(predicate.get("terms", {})),
            approval=approval.approval if approval else None,
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
