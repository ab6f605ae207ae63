"""Page one: the verdict, four facts, what to do next."""

from collections.abc import Iterator
from dataclasses import dataclass

from privgan.dp.odds import odds
from privgan.dp.strength import NONE, WEAK
from privgan.language import retold, to_tr, tr
from privgan_audits.gate.verdict import DIFFERENTIAL_PRIVACY, PASS
from privgan_audits.questions.controls.rule import CHANGED_COPIES, CHANGED_MAY_NEED, PLAIN_COPIES
from privgan_audits.questions.controls.words import seen_and_unseen
from privgan_audits.record import Record, allowed_copies, failed_before, finding, project_of
from privgan_audits.report.limits import worst_limit
from privgan_audits.report.page import Front
from privgan_audits.report.usefulness import use, worth
from privgan_audits.report.words import frame
from privgan_audits.report.words.verdicts import STATES, VERDICTS
from privgan_audits.telling.numbers import in_parts, percent, plain, rounded_up, whole_percent_up
from privgan_audits.telling.strength import Strength, strength_of
from privgan_audits.telling.verdict import told as told_as
from privgan_audits.telling.words import Fact

_HELD_BACK = to_tr(
    "Each with all of their images, {images} in all. {others} more were held back by lot to compare with."
)
_THERE = to_tr(
    "Each with all of their images, {images} in all. {others} more were not learned from, as far as the files say, "
    "and are there to compare with."
)
_TONES = {"PASS": "pass", "FAIL": "fail", "INVALID": "fail"}
_STRENGTH_TONES = {"strong": "pass", "moderate": "pass", "weak": "open", "none": "fail"}
_MARKS = {"PASS": STATES["measured"].mark, "INCONCLUSIVE": STATES["INCONCLUSIVE"].mark}


@dataclass(frozen=True, kw_only=True)
class Marks:
    """How a verdict and its promise look."""

    strength: Strength
    strength_tone: str
    tone: str
    mark: str


def marks_of(record: Record, *, inside: bool) -> Marks:
    """Green is a PASS with a promise that limits an attacker by itself. inside: see `strength_of`."""
    verdict, strength = str(record["verdict"]), strength_of(record, inside=inside)
    weak = verdict == PASS and strength.word in (WEAK, NONE)
    return Marks(
        strength=strength,
        strength_tone=_STRENGTH_TONES[strength.word],
        tone="open" if weak else _TONES.get(verdict, "open"),
        mark=_MARKS.get(verdict, STATES["FAIL"].mark),
    )


def front(record: Record) -> Front:
    """The first page of the hospital's report."""
    verdict, marks = str(record["verdict"]), marks_of(record, inside=True)
    promised = record["privacy"]["epsilon"] is not None
    spoken = VERDICTS["PASS-empirical" if verdict == "PASS" and not promised else verdict].spoken
    return Front(
        title=tr("May these {count} synthetic images be shared?", count=plain(record["counts"]["synthetic"])),
        subtitle=in_parts((*project_of(record).values(), _audit(record))),
        verdict=told_as(verdict, record["policy"]["looser_than_default"]),
        strength=marks.strength.promise,
        strength_tone=marks.strength_tone,
        tone=marks.tone,
        mark=marks.mark,
        headline=spoken.headline,
        reasons=() if verdict == "PASS" else tuple(map(retold, record["reasons"])),
        warnings=(*warnings_of(record), *_failed_before(record)),
        next_steps=spoken.next_steps,
        tiles=tuple(_tiles(record)),
        noticed=seen_and_unseen(record),
        use=use(record["utility"]),
        worth=worth(record["utility"]),
    )


def _audit(record: Record) -> str:
    values = {"date": record["date"], "set": str(record["synthetic"]["sha256"])[:12]}
    if not record["cohort"]:
        return tr("Privacy audit of {date}, not counted among a cohort's attempts; set {set}", **values)
    return tr("Privacy audit of {date}, attempt {attempt}; set {set}", attempt=plain(record["attempt"]), **values)


def warnings_of(record: Record) -> Iterator[str]:
    """What belongs in red, on either page."""
    if record["claim_not_private"]:
        yield tr(frame.NOT_PRIVATE)
    for name in record["overrides"]:
        yield frame.override(str(name))
    for line in record["policy"]["looser_than_default"]:
        yield frame.looser(line)
    if record["privacy"]["epsilon"] is None:
        yield tr(frame.NO_CLAIM)


def _failed_before(record: Record) -> Iterator[str]:
    yield from map(frame.failed_before, failed_before(record))


def _tiles(record: Record) -> Iterator[Fact]:
    counts, privacy = record["counts"], record["privacy"]
    promised = privacy["epsilon"] is not None
    yield Fact(
        name=tr("Who is protected") if promised else tr("Who was looked for"),
        value=tr("{count} patients", count=plain(counts["members"])),
        note=tr(
            _HELD_BACK if record["scope"] == DIFFERENTIAL_PRIVACY else _THERE,
            images=plain(counts["member_images"]),
            others=plain(counts["non_members"]),
        ),
    )
    if not promised:
        yield Fact(
            name=tr("What is promised"), value=tr("nothing"), note=tr("There is no claim of differential privacy.")
        )
    else:
        yield Fact(
            name=tr("What is promised"),
            value=tr("epsilon {epsilon}", epsilon=rounded_up(privacy["epsilon"])),
            note=tr("{odds}, by any means.", odds=odds(float(privacy["epsilon"]))),
        )
    yield _attack(record)
    yield _smallest_leak(record)


def _attack(record: Record) -> Fact:
    name, worst = tr("What attackers reached"), finding(record, "T3", "auc_upper")
    if worst is None:
        return Fact(name=name, value=tr("not measured"), note=tr("There was nobody to compare members with."))
    return Fact(
        name=name,
        value=tr("{share} right", share=percent(finding(record, "T3", "auc"))),
        note=tr(
            "Shown a member and an outsider, the attacks together pick the member so often. A coin: 50 %; at worst "
            "{worst}; the policy allows {allowed}.",
            worst=whole_percent_up(worst),
            allowed=percent(record["policy"]["max_auc"]),
        ),
    )


def _smallest_leak(record: Record) -> Fact:
    allowed = allowed_copies(record)
    return Fact(
        name=tr("What would have been noticed"),
        value=worst_limit(record, PLAIN_COPIES),
        note=tr(
            "Copies of so many different patients, also mirrored, are surely found; the policy asks that {asked} be. "
            "Changed further: {changed}, where {changed_asked} are asked.",
            asked=plain(allowed),
            changed=worst_limit(record, CHANGED_COPIES),
            changed_asked=plain(CHANGED_MAY_NEED * allowed),
        ),
    )
