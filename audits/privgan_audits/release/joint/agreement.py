"""A hospital's signed word on a set that members of several shaped: a yes that says what a bundle says, or a bare no.

A yes is the hospital's claim of its own audit, by the key that the invitation names for it, beside the approval of
its own officer. It travels to the other hospitals and, byte for byte, to the recipient, and so holds what a release
tells of a hospital and no count of its patients. A no holds no reason: why a set does not pass is its own affair.
Read by whoever releases and by whoever verifies; needs no training stack.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privgan.checks import is_seen
from privgan.config import from_table
from privgan.dp.spend import PrivacySpend
from privgan.dp.strength import promise_word
from privgan.errors import IntegrityError, NotReleasableError, UsageError
from privgan.files import sha256_bytes
from privgan.language import kept
from privgan.seals import fingerprint, in_toto, key_of_line, open_signed, sign
from privgan_audits.release.approval import APPROVAL, SignedApproval
from privgan_audits.release.bundle import MANIFEST
from privgan_audits.release.recipient.claims import (
    ClaimedPolicy,
    claimed_approval,
    claimed_policy,
    claimed_strength,
)
from privgan_audits.telling.verdict import Terms, verdict_line

AGREEMENT_TYPE = "urn:privgan:agreement:v1"
LARGEST_AGREEMENT = 1 << 20  # bytes; what `yes` writes is a few thousand
_CLAIMS = frozenset(  # of a yes; a word more would be a rider that leaves with the set
    (
        *("agrees", "site", "federation", "sites", "privgan_version", "verdict", "scope", "strength", "privacy"),
        *("overrides", "attempt", "policy", "policy_sha256", "policy_looser_than_default", "audit_sha256"),
        *("synthetic_sha256", "project", "approval"),
    )
)
_ODD = "Expected a hospital's word on a set, something of it is odd."


@dataclass(frozen=True, kw_only=True)
class Sites:
    """Whose word is needed. federation: SHA-256 of its invitation. keys: the line of each site's key by its name."""

    federation: str
    keys: Mapping[str, str]

    def named(self, key: str) -> str:
        """The site that signs with this key, by its line.

        Raises:
            UsageError: none does.
        """
        for site, line in self.keys.items():
            if line == key:
                return site
        raise UsageError("Expected the key of a site that is invited, none of them has this one.")


@dataclass(frozen=True, kw_only=True)
class Letters:
    """A site's word as it travels: its statement, and its officer's approval; none beside a no."""

    statement: bytes = field(repr=False)
    approval: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """A site's yes, after its signatures were checked.

    stated: what it claims. spend: of its own patients. strength: see `dp.strength`. letters: as they travelled.
    """

    site: str
    stated: Mapping[str, Any] = field(repr=False)
    spend: PrivacySpend
    policy: ClaimedPolicy
    strength: str
    approval: SignedApproval
    letters: Letters

    @property
    def house(self) -> str:
        """Who answers for the site's data; empty where nobody says."""
        return str(self.stated["project"].get("house", ""))

    @property
    def key_fingerprint(self) -> str:
        """Of the key that the site signs with."""
        return fingerprint(key_of_line(self.stated["sites"][self.site]))

    @property
    def verdict_line(self) -> str:
        """Of this site's own audit; see `telling.verdict`."""
        overrides, looser, preset = self.stated["overrides"], self.policy.looser, self.policy.preset
        terms = Terms(preset=preset, looser=looser, overrides=overrides, promise=promise_word(self.strength))
        return verdict_line(self.stated["verdict"], self.stated["scope"], terms)


def yes(sites: Sites, site: str, stated: Mapping[str, Any], approval: bytes, key: Ed25519PrivateKey) -> Letters:
    """A site agrees.

    Args:
        sites: all of them.
        site: which one.
        stated: its claims, the set's digest `synthetic_sha256` and the whole `policy` among them.
        approval: the envelope of its officer.
        key: the site's.
    """
    subjects = {MANIFEST: stated["synthetic_sha256"], APPROVAL: sha256_bytes(approval)}
    return Letters(statement=_signed(subjects, sites, site, {"agrees": True, **stated}, key), approval=approval)


def no(sites: Sites, site: str, synthetic_sha256: str, key: Ed25519PrivateKey) -> Letters:
    """A site does not agree, for whatever reason."""
    return Letters(statement=_signed({MANIFEST: synthetic_sha256}, sites, site, {"agrees": False}, key), approval=b"")


def _signed(
    subjects: dict[str, str], sites: Sites, site: str, said: Mapping[str, Any], key: Ed25519PrivateKey
) -> bytes:
    whose = {"site": site, "federation": sites.federation, "sites": dict(sites.keys)}
    return sign(in_toto(subjects, AGREEMENT_TYPE, {**said, **whose}), key)


def opened_agreement(letters: Letters, site: str, sites: Sites, synthetic_sha256: str) -> Agreement:
    """A site's yes to a set.

    Args:
        letters: anybody may have written them.
        site: whose they must be.
        sites: all that there are; each must mean the same ones.
        synthetic_sha256: of the set's manifest.

    Raises:
        NotReleasableError: the site says no.
        IntegrityError: by another key, of another federation, site or set, contradicting itself, or without its
            officer's approval of exactly what it claims.
    """
    with _of_site(site):
        statement = open_signed(letters.statement, key_of_line(sites.keys[site]))
        stated, subjects = _heard(statement, site, sites), _subjects(statement)
        if subjects.get(MANIFEST) != synthetic_sha256:
            raise IntegrityError("Expected a word on this very set, it is on another one: stale, or of another try.")
        if stated.get("agrees") is not True:
            raise NotReleasableError(f"Site {site} does not agree that this set is released; it need not say why.")
        if subjects.get(APPROVAL) != sha256_bytes(letters.approval):
            raise IntegrityError("Expected the officer's approval that this site names, it is missing or another.")
        return _agreed(site, stated, letters, synthetic_sha256)


def _agreed(site: str, stated: Mapping[str, Any], letters: Letters, synthetic_sha256: str) -> Agreement:
    approval = claimed_approval(stated, letters.approval, synthetic_sha256)
    try:
        policy = claimed_policy(stated["policy"], stated)
        found = Agreement(
            site=site,
            stated=stated,
            spend=from_table(PrivacySpend, stated["privacy"]),  # and nothing beside it
            policy=policy,
            strength=claimed_strength(stated, policy.policy),
            approval=approval,
            letters=letters,
        )
        passed = stated["verdict"] == "PASS" and stated["scope"] == "differential-privacy"
        whole = stated.keys() == _CLAIMS and stated["synthetic_sha256"] == synthetic_sha256
        words = (*map(str, stated["project"].values()), *map(str, stated["overrides"]), *policy.looser)
    except (KeyError, TypeError, ValueError, AttributeError, UsageError):
        raise IntegrityError(_ODD) from None
    if not (passed and whole and all(map(is_seen, words))):
        raise IntegrityError(_ODD)
    return found


def _heard(statement: Mapping[str, Any], site: str, sites: Sites) -> Mapping[str, Any]:
    stated = statement.get("predicate")
    if statement.get("predicateType") != AGREEMENT_TYPE or not isinstance(stated, dict):
        raise IntegrityError("Expected a hospital's word on a set, it is something else.")
    if (stated.get("federation"), stated.get("sites")) != (sites.federation, dict(sites.keys)):
        raise IntegrityError("Expected a word of this federation and of its sites, it is of others.")
    if stated.get("site") != site:
        raise IntegrityError("Expected the word of this site, it was written for another one.")
    return stated


def _subjects(statement: Mapping[str, Any]) -> dict[str, str]:
    try:
        return {str(item["name"]): str(item["digest"]["sha256"]) for item in statement["subject"]}
    except (KeyError, TypeError):
        raise IntegrityError(_ODD) from None


@contextmanager
def _of_site(site: str) -> Iterator[None]:
    """A refusal of a word says whose it is."""
    try:
        yield
    except IntegrityError as error:
        raise IntegrityError(kept("The word of site {site}: {reason}", site=site, reason=error)) from None


def require_together(agreements: Sequence[Agreement], sites: Sites) -> None:
    """Refuse words that do not go together.

    Raises:
        IntegrityError: they claim different privacy; or one person stands for two, an officer for two hospitals or an
            officer with a hospital's key.
    """
    officers: dict[str, str] = {}
    for each in agreements:
        line, site = each.approval.approval.public_key, each.site
        if each.spend != agreements[0].spend:
            raise IntegrityError("Expected one claim of privacy from all sites, as they were invited; two differ.")
        if line in sites.keys.values():
            raise IntegrityError(
                f"Expected two people at site {site}: its officer's approval is signed with the key of a site."
            )
        if (other := officers.setdefault(line, site)) != site:
            raise IntegrityError(
                f"Expected an officer of each hospital, those of {other} and {site} have the same key."
            )
