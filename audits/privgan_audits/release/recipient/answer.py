"""What `verify` answers, for programs and for people: the same from privgan and from the verifier alone."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from privgan.language import AS_WRITTEN, speaking, to_tr, tr
from privgan_audits.release.approval import UNSEEN
from privgan_audits.release.joint.agreement import Agreement
from privgan_audits.release.verify import VerifiedBundle
from privgan_audits.telling.leaving import leaving_words
from privgan_audits.telling.verdict import told

_GRANTED = to_tr({"purpose": "purpose: {text}", "recipient": "recipient: {text}", "reason": "reason: {text}"})


def answer(found: VerifiedBundle) -> dict[str, Any]:
    """The JSON object that `verify --json` prints."""
    with speaking(AS_WRITTEN):
        return _answer(found)


def _answer(found: VerifiedBundle) -> dict[str, Any]:
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
        "federation": asdict(found.federation) if found.federation else None,
        "sites": [_site(each) for each in found.sites],
    }


def _site(each: Agreement) -> dict[str, Any]:
    return {
        "site": each.site,
        "key_fingerprint": each.key_fingerprint,
        "house": each.house,
        "verdict": told("PASS", each.policy.looser),
        "strength": each.strength,
        "attempt": each.stated["attempt"],
        "policy": {"preset": each.policy.preset, "looser_than_default": list(each.policy.looser)},
        "overrides": list(each.stated["overrides"]),
        "approval": each.approval.approval.facts(),
    }


def lines(found: VerifiedBundle) -> Iterator[str]:
    """The same in words."""
    yield from leaving_words({**found.project, **found.terms})
    if "licence" not in found.terms:
        yield tr("licence: none is stated")
    yield tr(
        "intact: {files} files, signed {day} by key {key}",
        files=found.files,
        day=found.signed,
        key=found.key_fingerprint[:16],
    )
    yield tr("{verdict}; {spend}", verdict=found.verdict_line, spend=found.spend)
    if found.federation:
        yield found.federation.sentence
        yield tr(
            "{count} hospitals have signed, each by its own audit and its own privacy officer:",
            count=len(found.sites),
        )
        for each in found.sites:
            yield from _of_site(each)
        yield tr(
            "these cover the files in dataset/; for all others here the key of the first signature answers alone"
        )
    elif found.approval:
        yield from _approval(found.approval.facts(), alone=True)
    if found.prior:
        yield found.prior.sentence
        yield "  " + tr("SHA-256 of the prior: {sha256}", sha256=found.prior.sha256)


def _of_site(each: Agreement) -> Iterator[str]:
    said = tr(
        "{name}: {verdict}, by key {key}", name=each.site, verdict=each.verdict_line, key=each.key_fingerprint[:16]
    )
    yield f"- {said}"
    if each.house:
        yield "  " + tr("house: {text}", text=each.house)
    yield from (f"  {line}" for line in _approval(each.approval.approval.facts(), alone=False))


def _approval(facts: Mapping[str, str], *, alone: bool) -> Iterator[str]:
    yield tr(
        "approved by {officer} on {first}, until {last}, with key {key}",
        officer=facts["officer"],
        first=facts["approved"],
        last=facts["until"],
        key=facts["key_fingerprint"][:16],
    )
    if facts.get("ledger") == UNSEEN:
        yield "  " + tr("the cohort's ledger was not asked when this was approved")
    if alone:
        yield "  " + tr(
            "this covers the files in dataset/; for all others here the key of the first signature answers alone"
        )
    for name, sentence in _GRANTED.items():
        if facts.get(name):
            yield "  " + tr(sentence, text=facts[name])
