"""From the audit's record to the two pages.

The public page is built by a function that is never given anything but the record and the accountant's
curve, and takes from the record only what is named here: verdict, thresholds, public counts, and bounds
rounded away from the private value. A field that is added to a test later cannot slip into it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from privgan.dp.budget.ledger import Ledger
from privgan_audits.policy import Policy
from privgan_audits.report import words
from privgan_audits.report.findings import measured_facts
from privgan_audits.report.ledger import charges, history
from privgan_audits.report.numbers import belief, percent, percent_at_most, plain, rounded_up
from privgan_audits.report.page import Fact, Page, Pair, Question
from privgan_audits.report.plots import Chart
from privgan_audits.report.rules import detection_limit, internal_limits, planted_copies, public_limits

Record = Mapping[str, Any]

_PRIORS = (0.001, 0.01, 0.1, 0.5)
_TONES = {"PASS": "pass", "FAIL": "fail"}


def internal_page(
    record: Record, *, ledger: Ledger | None, ceiling: float | None, charts: Sequence[Chart], pairs: Sequence[Pair]
) -> Page:
    """The page for the hospital: every measured number, the charts and the closest pairs."""
    policy = Policy.from_json(record["policy"])
    return replace(
        _page(record, ceiling),
        tier="internal",
        tier_note=words.INTERNAL_NOTE,
        protected=(*_protected(record), _images(record)),
        reasons=tuple(record["reasons"]),
        questions=tuple(_question(test, tuple(measured_facts(test))) for test in record["tests"]),
        limits=tuple(internal_limits(record, policy)),
        detection=tuple(planted_copies(record)),
        ledger=tuple(history(ledger)) if ledger else (),
        how_to_verify=words.VERIFY_INTERNAL,
        charts=tuple(charts),
        pairs=tuple(pairs),
        notes=tuple(record["notes"]),
    )


def public_page(record: Record, *, ledger: Ledger | None, ceiling: float | None) -> Page:
    """The page that may leave: verdict, thresholds and rounded bounds; of the ledger only the charges."""
    page = _page(record, ceiling)
    steps = words.PUBLIC_NEXT_STEPS if page.verdict == "PASS" else page.next_steps
    return replace(page, next_steps=steps, ledger=tuple(charges(ledger)) if ledger else ())


def _page(record: Record, ceiling: float | None) -> Page:
    policy = Policy.from_json(record["policy"])
    verdict = str(record["verdict"])
    promised = record["privacy"]["epsilon"] is not None
    spoken = words.VERDICTS["PASS-empirical" if verdict == "PASS" and not promised else verdict]
    return Page(
        tier="public",
        tier_note=words.PUBLIC_NOTE,
        verdict=verdict,
        tone=_TONES.get(verdict, "open"),
        headline=spoken.headline,
        reasons=() if verdict == "PASS" else (words.REASONS_INSIDE,),
        warnings=tuple(_warnings(record)),
        next_steps=spoken.next_steps,
        protected=tuple(_protected(record)),
        promise=tuple(_promise(record["privacy"], ceiling)),
        beliefs=tuple(_beliefs(record["privacy"])),
        questions=tuple(_question(test, ()) for test in record["tests"]),
        limits=tuple(public_limits(record, policy)),
        detection_limit=detection_limit(record, policy),
        digests=tuple(_digests(record)),
        how_to_verify=words.VERIFY_PUBLIC,
    )


def _warnings(record: Record) -> Iterator[str]:
    if record["claim_not_private"]:
        yield words.NOT_PRIVATE
    for name in record["overrides"]:
        yield f"Override: --{str(name).replace('_', '-').lstrip('-')} was given. {words.OVERRIDDEN}"
    for line in record["policy"]["looser_than_default"]:
        yield f"Looser than the default policy: {line}."
    if record["privacy"]["epsilon"] is None:
        yield words.NO_CLAIM


def _protected(record: Record) -> Iterator[Fact]:
    counts = record["counts"]
    promised = record["privacy"]["epsilon"] is not None
    unit = "Unit of protection" if promised else "Unit of the tests"
    yield Fact(name=unit, value="the patient, with all images", note="not the single image")
    yield Fact(name="Scope", value=words.SCOPES[record["scope"]])
    yield Fact(name="Members", value=plain(counts["members"]), note="patients whose images were learned from")
    held_back = plain(counts["non_members"])
    yield Fact(name="Non-members", value=held_back, note="patients held back by lot, for comparison")
    yield Fact(name="Synthetic images", value=plain(counts["synthetic"]), note="what would be shared")
    preset = str(record["policy"]["preset"])
    yield Fact(name="Policy", value=preset, note=words.POLICIES[preset])
    yield Fact(
        name="Audit attempt",
        value=plain(record["attempt"]),
        note="every further attempt is judged more strictly",
    )


def _images(record: Record) -> Fact:
    counts = record["counts"]
    value = f"{plain(counts['member_images'])} of members, {plain(counts['non_member_images'])} of non-members"
    return Fact(name="Real images", value=value, note="how many they are stays inside")


def _promise(privacy: Record, ceiling: float | None) -> Iterator[str]:
    if privacy["epsilon"] is None:
        yield words.NO_PROMISE
        return
    yield (
        f"The synthetic images were made with epsilon {rounded_up(privacy['epsilon'])} at delta "
        f"{plain(privacy['delta'])}, per {privacy['unit']}. {words.PROMISE}"
    )
    yield words.CONVENTION
    if ceiling is not None:
        yield (
            "For the queries that this cohort was actually asked, the accounting is sharper than that table: "
            "an attack that wrongly accuses 1 % of outsiders can recognise at most "
            f"{percent_at_most(ceiling)} of the members (guessing: 1 %)."
        )


def _beliefs(privacy: Record) -> Iterator[tuple[str, str]]:
    if privacy["epsilon"] is not None:
        for prior in _PRIORS:
            yield percent(prior), percent_at_most(belief(prior, float(privacy["epsilon"])))


def _question(test: Record, measured: tuple[Fact, ...]) -> Question:
    spoken = words.TESTS.get(test["id"]) or words.unknown_test(test["title"])
    state = words.OUTCOMES[test["outcome"]]
    return Question(
        id=test["id"],
        title=spoken.title,
        state=state.label,
        tone=state.tone,
        tries=spoken.tries,
        caught=spoken.caught,
        why="" if measured else state.sentence,
        measured=measured or tuple(_why(test)),
    )


def _why(test: Record) -> Iterator[Fact]:
    if test.get("reason"):
        yield Fact(name="Reason", value=str(test["reason"]))


def _digests(record: Record) -> Iterator[Fact]:
    yield Fact(name="Policy", value=str(record["policy"]["sha256"]), note="SHA-256")
    yield Fact(name="Synthetic set", value=str(record["synthetic"]["sha256"]), note="SHA-256 of its manifest")
    if record.get("encoder"):
        yield Fact(name="Encoder", value=str(record["encoder"]["sha256"]), note="SHA-256, brought by the hospital")
