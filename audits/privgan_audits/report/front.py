"""Page one: the verdict, four facts, what to do next."""

from collections.abc import Iterator
from dataclasses import dataclass

from privgan.dp.odds import odds
from privgan.dp.strength import NONE, WEAK
from privgan_audits.gate.verdict import DIFFERENTIAL_PRIVACY, PASS
from privgan_audits.questions.controls.rule import CHANGED_COPIES, CHANGED_MAY_NEED, PLAIN_COPIES
from privgan_audits.questions.controls.words import seen_and_unseen
from privgan_audits.record import Record, allowed_copies, failed_before, finding, project_of
from privgan_audits.report.limits import worst_limit
from privgan_audits.report.page import Front
from privgan_audits.report.usefulness import use, worth
from privgan_audits.report.words import frame
from privgan_audits.report.words.verdicts import STATES, VERDICTS
from privgan_audits.telling.numbers import percent, plain, rounded_up, whole_percent_up
from privgan_audits.telling.strength import Strength, strength_of
from privgan_audits.telling.verdict import told as told_as
from privgan_audits.telling.words import Fact

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
    spoken = VERDICTS["PASS-empirical" if verdict == "PASS" and not promised else verdict]
    count, set_digest = plain(record["counts"]["synthetic"]), str(record["synthetic"]["sha256"])
    audit = f"Privacy audit of {record['date']}, {_attempt(record)}; set {set_digest[:12]}"
    return Front(
        title=f"May these {count} synthetic images be shared?",
        subtitle="; ".join(filter(None, (*project_of(record).values(), audit))),
        verdict=told_as(verdict, record["policy"]["looser_than_default"]),
        strength=marks.strength.promise,
        strength_tone=marks.strength_tone,
        tone=marks.tone,
        mark=marks.mark,
        headline=spoken.headline,
        reasons=() if verdict == "PASS" else tuple(record["reasons"]),
        warnings=(*warnings_of(record), *_failed_before(record)),
        next_steps=spoken.next_steps,
        tiles=tuple(_tiles(record)),
        noticed=seen_and_unseen(record),
        use=use(record["utility"]),
        worth=worth(record["utility"]),
    )


def _attempt(record: Record) -> str:
    return f"attempt {plain(record['attempt'])}" if record["cohort"] else "not counted among a cohort's attempts"


def warnings_of(record: Record) -> Iterator[str]:
    """What belongs in red, on either page."""
    if record["claim_not_private"]:
        yield frame.NOT_PRIVATE
    for name in record["overrides"]:
        yield frame.override(str(name))
    for line in record["policy"]["looser_than_default"]:
        yield f"Looser than the default policy: {line}."
    if record["privacy"]["epsilon"] is None:
        yield frame.NO_CLAIM


def _failed_before(record: Record) -> Iterator[str]:
    for entry in failed_before(record):
        yield f"{frame.FAILED_BEFORE} Entry {entry} of the ledger."


def _tiles(record: Record) -> Iterator[Fact]:
    counts, privacy = record["counts"], record["privacy"]
    promised, split = privacy["epsilon"] is not None, record["scope"] == DIFFERENTIAL_PRIVACY
    others = "were held back by lot" if split else "were not learned from, as far as the files say, and are there"
    yield Fact(
        name="Who is protected" if promised else "Who was looked for",
        value=f"{plain(counts['members'])} patients",
        note=f"Each with all of their images, {plain(counts['member_images'])} in all. "
        f"{plain(counts['non_members'])} more {others} to compare with.",
    )
    if not promised:
        yield Fact(name="What is promised", value="nothing", note="There is no claim of differential privacy.")
    else:
        yield Fact(
            name="What is promised",
            value=f"epsilon {rounded_up(privacy['epsilon'])}",
            note=f"{odds(float(privacy['epsilon']))}, by any means.",
        )
    yield _attack(record)
    yield _smallest_leak(record)


def _attack(record: Record) -> Fact:
    name, worst = "What attackers reached", finding(record, "T3", "auc_upper")
    if worst is None:
        return Fact(name=name, value="not measured", note="There was nobody to compare members with.")
    return Fact(
        name=name,
        value=f"{percent(finding(record, 'T3', 'auc'))} right",
        note="Shown a member and an outsider, the attacks together pick the member so often. A coin: 50 %; at worst "
        f"{whole_percent_up(worst)}; the policy allows {percent(record['policy']['max_auc'])}.",
    )


def _smallest_leak(record: Record) -> Fact:
    allowed = allowed_copies(record)
    changed = (
        f"Changed further, {worst_limit(record, CHANGED_COPIES)}, and {plain(CHANGED_MAY_NEED * allowed)} allowed"
    )
    return Fact(
        name="What would have been noticed",
        value=worst_limit(record, PLAIN_COPIES),
        note="Copies of so many different patients, also mirrored, are surely found; the policy allows up to "
        f"{plain(allowed)}. {changed}.",
    )
