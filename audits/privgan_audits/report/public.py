"""The page that may leave, one sheet of A4: the verdict and what it implies, and nothing that was measured.

It takes from the record only what is named here and in the functions that it calls: verdict, thresholds, public
counts, charges. It reads no finding of a question and no outcome, so that nothing which was measured on patients, or
that one of them may flip, can slip into it. What it says refers to nothing but itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from privgan import __version__
from privgan.arrays import Images
from privgan.config import from_table
from privgan.data.cohort.options import EACH_IMAGE_IS_A_PATIENT
from privgan.dp.odds import odds
from privgan.run import PriorNamed
from privgan_audits.gate.verdict import PASS, implied
from privgan_audits.policy import Policy
from privgan_audits.questions.controls.rule import CHANGED_MAY_NEED
from privgan_audits.questions.controls.words import TRIED
from privgan_audits.record import Record, allowed_copies, project_of
from privgan_audits.report.cards import words_of
from privgan_audits.report.front import marks_of, warnings_of
from privgan_audits.report.pictures import data_uri
from privgan_audits.report.words import frame
from privgan_audits.report.words.verdicts import PUBLIC_HEADLINE, STATES, VERDICTS, OutcomeWords
from privgan_audits.telling.numbers import percent, plain, rounded_up
from privgan_audits.telling.strength import strength_of
from privgan_audits.telling.verdict import told as told_as

PICTURES = 12


@dataclass(frozen=True, kw_only=True)
class Row:
    """A question, what became of it as far as the verdict tells, and what would have been seen."""

    question: str
    state: OutcomeWords
    seen: str


@dataclass(frozen=True, kw_only=True)
class Released:
    """What a release adds. approval: the officer's, as `Approval.facts` tells it; None where one person releases.

    images: uint8 (n, h, w) or (n, h, w, 3) of the set, at most PICTURES of which are shown. licence: as it was given,
    empty where none was.
    """

    approval: Mapping[str, str] | None
    images: Images
    licence: str = ""


@dataclass(frozen=True, kw_only=True)
class PublicPage:
    """Everything that the sheet shows, in the order of its template."""

    title: str
    subtitle: str
    verdict: str
    strength: str
    strength_tone: str
    tone: str
    mark: str
    headline: str
    warnings: tuple[str, ...]
    odds: tuple[str, ...]
    rows: tuple[Row, ...]
    not_covered: tuple[str, ...]
    approval: str
    verify: tuple[str, ...]
    pictures: tuple[str, ...]
    template: str = "public.html.j2"
    version: str = __version__


def public_page(record: Record, released: Released | None = None) -> PublicPage:
    """The sheet of a record; before a release without an approval and without images."""
    verdict, project = str(record["verdict"]), project_of(record)
    promised, marks = record["privacy"]["epsilon"] is not None, marks_of(record, inside=False)
    own = {"PASS": PUBLIC_HEADLINE} if promised else {"PASS": VERDICTS["PASS-empirical"].headline}
    return PublicPage(
        title=project["title"] or "Synthetic images",
        subtitle="; ".join(filter(None, (project["house"], project["contact"], _what(record)))),
        verdict=told_as(verdict, record["policy"]["looser_than_default"]),
        strength=marks.strength.promise,
        strength_tone=marks.strength_tone,
        tone=marks.tone,
        mark=marks.mark,
        headline=own.get(verdict) or VERDICTS[verdict].headline,
        warnings=tuple(warnings_of(record)),
        odds=(*_odds(record), *_shaped(record)),
        rows=tuple(_rows(record)),
        not_covered=(
            f"Fewer copied patients than {plain(allowed_copies(record))}: only epsilon speaks of them.",
            *frame.NOT_COVERED_OUTSIDE,
            frame.NOT_BOUGHT,
        ),
        approval=_approval(released),
        verify=(
            frame.VERIFY_OUTSIDE,
            f"Set {record['synthetic']['sha256']}.",
            f"Policy {record['policy']['sha256']}.",
            *([f"Public images {record['prior']['sha256']}."] if record.get("prior") else []),
        ),
        pictures=tuple(map(data_uri, released.images[:PICTURES])) if released else (),
    )


def _what(record: Record) -> str:
    counts = record["counts"]
    counted, uncounted = f", attempt {plain(record['attempt'])}", ", not counted among a cohort's attempts"
    attempt = counted if record["cohort"] else uncounted
    return (
        f"{plain(counts['synthetic'])} synthetic images of {plain(counts['image_size'])} pixels, audited on "
        f"{record['date']}{attempt}, under the policy {record['policy']['preset']}"
    )


def _odds(record: Record) -> Iterator[str]:
    privacy, counts = record["privacy"], record["counts"]
    if privacy["epsilon"] is None:
        yield frame.NO_PROMISE_OUTSIDE
        return
    who = "image" if EACH_IMAGE_IS_A_PATIENT in record["overrides"] else "patient"
    yield (
        f"Epsilon {rounded_up(privacy['epsilon'])} at delta {plain(privacy['delta'])}, per {who}, among "
        f"{plain(counts['members'])} whose images were learned from. {odds(float(privacy['epsilon']), who)}: by any "
        "means, now or later, leaving aside a chance of delta."
    )
    strength = strength_of(record, inside=False)
    yield f"{str(strength).capitalize()}. {strength.rule}"


def _shaped(record: Record) -> Iterator[str]:
    """Which public images had a part in the pictures: what a run names is public."""
    if prior := record.get("prior"):
        yield from_table(PriorNamed, prior).sentence


def _rows(record: Record) -> Iterator[Row]:
    """The questions that may speak against a set, by what an attacker is after."""
    policy, passed = Policy.from_json(record["policy"]), record["verdict"] == PASS
    answered, seen = implied(record["scope"]), _seen(record, policy)
    for test in sorted(record["tests"], key=lambda test: words_of(test).group):
        words, name = words_of(test), str(test["id"])
        state = STATES["public"]
        if passed and name in answered and words.ticked:
            good = STATES["measured"]
            state = OutcomeWords(label=words.good, tone=good.tone, mark=good.mark)
        if name in seen:
            yield Row(question=words.title, state=state, seen=seen[name])


def _seen(record: Record, policy: Policy) -> dict[str, str]:
    """By question, what a PASS means was not there, from the policy and public counts alone."""
    allowed, shaped = allowed_copies(record), record.get("prior")
    return {
        "T0": f"Copies of {plain(allowed)} patients, exact or mirrored; of {plain(CHANGED_MAY_NEED * allowed)} if "
        f"{TRIED}.",
        "T1": "A single exact copy, also mirrored, turned, inverted, brighter or darker.",
        "T2": f"Near copies of a group of {plain(allowed)} patients.",
        "T3": f"Members told from others in more than {percent(policy.max_auc)} of pairs, or more than "
        f"{percent(policy.max_tpr)} of them at 1 % false accusations.",
        "T4": "Networks that remember more than epsilon permits.",
        "T6": "A claim that the ledger does not carry, and any image that the charged generator did not draw.",
        "T7": "Little: that a detector finds nobody proves little.",
        "T8": f"Facts guessed better for members by {percent(policy.max_attribute_advantage)} or more.",
        "T10": "Names, numbers and dates of the source's headers and tables, in every byte.",
        **({"T11": "Copies of these public images, exact, or nearer than strangers come."} if shaped else {}),
    }


def _approval(released: Released | None) -> str:
    if released is None:
        return "Not released, and not approved by anybody."
    licence = f"Licence: {released.licence}." if released.licence else "No licence is stated."
    return f"{_approved(released.approval)} {licence}"


def _approved(told: Mapping[str, str] | None) -> str:
    if told is None:
        return "Released without a second person's approval."
    who = f"{told['officer']}, from {told['approved']} until {told['until']}, key {told['key_fingerprint'][:16]}"
    reason = f" Why switched-off safeguards do no harm: {told['reason']}." if told.get("reason") else ""
    return f"{who}. Purpose: {told['purpose'] or 'not said'}. Recipient: {told['recipient'] or 'not said'}.{reason}"
