"""The page that may leave, one sheet of A4: the verdict and what it implies, and nothing that was measured.

It takes from the record only what is named here and in the functions that it calls: verdict, thresholds, public
counts, charges. It reads no finding of a question and no outcome, so that nothing which was measured on patients, or
that one of them may flip, can slip into it. What it says refers to nothing but itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from privgan import __version__
from privgan.arrays import Images
from privgan.config import from_table
from privgan.data.cohort.options import EACH_IMAGE_IS_A_PATIENT
from privgan.dp.odds import IMAGE, PATIENT, odds
from privgan.language import in_a_row, to_tr, tr
from privgan.run import FederationNamed, PriorNamed
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
from privgan_audits.telling.keys import humanised
from privgan_audits.telling.numbers import in_parts, listed, percent, plain, rounded_up
from privgan_audits.telling.strength import strength_of
from privgan_audits.telling.verdict import told as told_as

PICTURES = 12
_EACH_SIGNED = to_tr("Each has audited the set for its own patients; this page is of the one that released it.")
_VERIFY_SEVERAL = to_tr(
    "Offline, with the public key of each hospital from that hospital itself: privgan verify BUNDLE --public-key "
    "NAME.pub, once for each, or sha256sum and openssl as the bundle's VERIFY.md says. The signatures cover this "
    "page."
)
_SPENT = to_tr(
    {
        PATIENT: "Epsilon {epsilon} at delta {delta}, per patient, among {members} whose images were learned from.",
        IMAGE: "Epsilon {epsilon} at delta {delta}, per image, among {members} whose images were learned from.",
    }
)
_SPENT_OF_SEVERAL = to_tr(
    {
        PATIENT: "Epsilon {epsilon} at delta {delta}, per patient of one hospital, among at most {members} of all.",
        IMAGE: "Epsilon {epsilon} at delta {delta}, per image of one hospital, among at most {members} of all.",
    }
)


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
    empty where none was. sites: of several hospitals, each officer's approval by the site's name.
    """

    approval: Mapping[str, str] | None
    images: Images
    licence: str = ""
    sites: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


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
    """The sheet of a record; before a release without an approval and without images.

    Of several hospitals it tells the size of none: what it says of members holds for all of them together.
    """
    record = _of_all(record)
    verdict, project = str(record["verdict"]), project_of(record)
    promised, marks = record["privacy"]["epsilon"] is not None, marks_of(record, inside=False)
    own = {"PASS": PUBLIC_HEADLINE} if promised else {"PASS": VERDICTS["PASS-empirical"].headline}
    allowed = plain(allowed_copies(record))
    return PublicPage(
        title=project["title"] or tr("Synthetic images"),
        subtitle=in_parts((project["house"], project["contact"], _what(record))),
        verdict=told_as(verdict, record["policy"]["looser_than_default"]),
        strength=marks.strength.promise,
        strength_tone=marks.strength_tone,
        tone=marks.tone,
        mark=marks.mark,
        headline=tr(own.get(verdict) or VERDICTS[verdict].headline),
        warnings=tuple(warnings_of(record)),
        odds=(*_odds(record), *_shaped(record)),
        rows=tuple(_rows(record)),
        not_covered=(
            tr("Fewer copied patients than {allowed}: only epsilon speaks of them.", allowed=allowed),
            *map(tr, frame.NOT_COVERED_OUTSIDE),
            tr(frame.NOT_BOUGHT),
        ),
        approval=_approval(released),
        verify=(
            tr(_VERIFY_SEVERAL if record.get("federation") else frame.VERIFY_OUTSIDE),
            tr("Set {sha256}.", sha256=record["synthetic"]["sha256"]),
            tr("Policy {sha256}.", sha256=record["policy"]["sha256"]),
            *([tr("Public images {sha256}.", sha256=record["prior"]["sha256"])] if record.get("prior") else []),
        ),
        pictures=tuple(map(data_uri, released.images[:PICTURES])) if released else (),
    )


def _of_all(record: Record) -> Record:
    """With the most members that all hospitals have together for those of this one: no limit gets better by that."""
    if (named := record.get("federation")) is None:
        return record
    return {**record, "counts": {**record["counts"], "members": named["patients"]}}


def _what(record: Record) -> str:
    values = {
        "count": plain(record["counts"]["synthetic"]),
        "size": plain(record["counts"]["image_size"]),
        "date": record["date"],
        "policy": record["policy"]["preset"],
    }
    if not record["cohort"]:
        return tr(
            "{count} synthetic images of {size} pixels, audited on {date}, not counted among a cohort's attempts, "
            "under the policy {policy}",
            **values,
        )
    return tr(
        "{count} synthetic images of {size} pixels, audited on {date}, attempt {attempt}, under the policy {policy}",
        attempt=plain(record["attempt"]),
        **values,
    )


def _odds(record: Record) -> Iterator[str]:
    privacy, counts = record["privacy"], record["counts"]
    if privacy["epsilon"] is None:
        yield tr(frame.NO_PROMISE_OUTSIDE)
        return
    who = IMAGE if EACH_IMAGE_IS_A_PATIENT in record["overrides"] else PATIENT
    spent = tr(
        (_SPENT_OF_SEVERAL if record.get("federation") else _SPENT)[who],
        epsilon=rounded_up(privacy["epsilon"]),
        delta=plain(privacy["delta"]),
        members=plain(counts["members"]),
    )
    meant = tr(
        "{odds}: by any means, now or later, leaving aside a chance of delta.",
        odds=odds(float(privacy["epsilon"]), who),
    )
    yield in_a_row((spent, meant))
    strength = strength_of(record, inside=False)
    yield in_a_row((tr("{strength}.", strength=str(strength).capitalize()), strength.rule))


def _shaped(record: Record) -> Iterator[str]:
    """What records say, which hospitals and which public images had a part in the set: what a run names is public."""
    if columns := record.get("columns"):
        yield tr(
            "Every image has an invented record, under the same promise: {columns}.",
            columns=listed(map(humanised, columns)),
        )
    if named := record.get("federation"):
        yield from_table(FederationNamed, named).sentence
    if prior := record.get("prior"):
        yield from_table(PriorNamed, prior).sentence


def _rows(record: Record) -> Iterator[Row]:
    """The questions that may speak against a set, by what an attacker is after."""
    policy, passed = Policy.from_json(record["policy"]), record["verdict"] == PASS
    answered, seen = implied(record["scope"]), _seen(record, policy)
    for test in sorted(record["tests"], key=lambda test: words_of(test).group):
        words, name = words_of(test), str(test["id"])
        state = STATES["public"].spoken
        if passed and name in answered and words.ticked:
            good = STATES["measured"]
            state = OutcomeWords(label=words.good, tone=good.tone, mark=good.mark)
        if name in seen:
            yield Row(question=words.title, state=state, seen=seen[name])


def _seen(record: Record, policy: Policy) -> dict[str, str]:
    """By question, what a PASS means was not there, from the policy and public counts alone."""
    allowed, shaped = allowed_copies(record), record.get("prior")
    return {
        "T0": tr(
            "Copies of {allowed} patients, exact or mirrored; of {changed} if {tried}.",
            allowed=plain(allowed),
            changed=plain(CHANGED_MAY_NEED * allowed),
            tried=tr(TRIED),
        ),
        "T1": tr("A single exact copy, also mirrored, turned, inverted, brighter or darker."),
        "T2": tr("Near copies of a group of {allowed} patients.", allowed=plain(allowed)),
        "T3": tr(
            "Members told from others in more than {auc} of pairs, or more than {tpr} of them at 1 % false "
            "accusations.",
            auc=percent(policy.max_auc),
            tpr=percent(policy.max_tpr),
        ),
        "T4": tr("Networks that remember more than epsilon permits."),
        "T6": tr("A claim that the ledger does not carry, and any image that the charged generator did not draw."),
        "T7": tr("Little: that a detector finds nobody proves little."),
        "T8": tr(
            "Facts guessed better for members by {advantage} or more.",
            advantage=percent(policy.max_attribute_advantage),
        ),
        "T10": tr("Names, numbers and dates of the source's headers and tables, in every byte."),
        **({"T11": tr("Copies of these public images, exact, or nearer than strangers come.")} if shaped else {}),
    }


def _approval(released: Released | None) -> str:
    if released is None:
        return tr("Not released, and not approved by anybody.")
    licence = released.licence
    stated = tr("Licence: {licence}.", licence=licence) if licence else tr("No licence is stated.")
    if released.sites:
        return in_a_row((*(_approved_at(*each) for each in released.sites.items()), tr(_EACH_SIGNED), stated))
    return in_a_row((_approved(released.approval), stated))


def _approved_at(site: str, told: Mapping[str, str]) -> str:
    return tr(
        "{name}: {officer}, until {last}, key {key}.",
        name=site,
        officer=told["officer"],
        last=told["until"],
        key=told["key_fingerprint"][:16],
    )


def _approved(told: Mapping[str, str] | None) -> str:
    if told is None:
        return tr("Released without a second person's approval.")
    who = tr(
        "{officer}, from {first} until {last}, key {key}. Purpose: {purpose}. Recipient: {recipient}.",
        officer=told["officer"],
        first=told["approved"],
        last=told["until"],
        key=told["key_fingerprint"][:16],
        purpose=told["purpose"] or tr("not said"),
        recipient=told["recipient"] or tr("not said"),
    )
    why = tr("Why switched-off safeguards do no harm: {reason}.", reason=told["reason"]) if told.get("reason") else ""
    return in_a_row((who, why))
