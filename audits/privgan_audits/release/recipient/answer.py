"""What `verify` answers, for programs and for people: the same from privgan and from the verifier alone."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from privgan_audits.release.approval import UNSEEN
from privgan_audits.release.verify import VerifiedBundle
from privgan_audits.telling.verdict import told


def answer(found: VerifiedBundle) -> dict[str, Any]:
    """The JSON object that `verify --json` prints."""
    return {
        "verdict": told(found.verdict, found.looser),
        "strength": found.strength,
        "project": found.project,
        "terms": found.terms,
        "scope": found.scope,
        "epsilon": found.spend.epsilon,
        "delta": found.spend.delta,
        "unit": found.spend.unit,
        "files": found.files,
        "key_fingerprint": found.key_fingerprint,
        "signed": found.signed,
        "policy": {"preset": found.policy, "looser_than_default": list(found.looser)},
        "overrides": list(found.overrides),
        "approval": found.approval.facts() if found.approval else None,
        "prior": asdict(found.prior) if found.prior else None,
    }


def lines(found: VerifiedBundle) -> Iterator[str]:
    """The same in words."""
    yield from (f"{name}: {text}" for name, text in {**found.project, **found.terms}.items())
    if "licence" not in found.terms:
        yield "licence: none is stated"
    yield f"intact: {found.files} files, signed {found.signed} by key {found.key_fingerprint[:16]}"
    yield f"{found.verdict_line}; {found.spend}"
    if found.approval:
        yield from _approval(found.approval.facts())
    if found.prior:
        yield found.prior.sentence
        yield f"  SHA-256 of the prior: {found.prior.sha256}"


def _approval(facts: Mapping[str, str]) -> Iterator[str]:
    days, key = f"on {facts['approved']}, until {facts['until']}", facts["key_fingerprint"][:16]
    yield f"approved by {facts['officer']} {days}, with key {key}"
    if facts.get("ledger") == UNSEEN:
        yield "  the cohort's ledger was not asked when this was approved"
    yield from (f"  {name}: {facts[name]}" for name in ("purpose", "recipient", "reason") if facts.get(name))
