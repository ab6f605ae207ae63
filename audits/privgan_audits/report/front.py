"""Page one: the verdict, four facts, what to do next."""

from collections.abc import Iterator

from privgan.dp.strength import NONE, WEAK
from privgan_audits.gate.verdict import PASS
from privgan_audits.questions.controls.rule import CHANGED_COPIES, CHANGED_MAY_NEED, PLAIN_COPIES
from privgan_audits.questions.controls.words import TRIED, seen_and_unseen
from privgan_audits.record import Record, allowed_copies, failed_before, finding
from privgan_audits.report.limits import worst_limit
from privgan_audits.report.page import Front
from privgan_audits.report.usefulness import worth
from privgan_audits.report.words import frame
from privgan_audits.report.words.verdicts import PUBLIC_NEXT_STEPS, REASONS_INSIDE, STATES, VERDICTS
from privgan_audits.telling.numbers import belief, percent, percent_at_most, plain, rounded_up, whole_percent_up
from privgan_audits.telling.strength import strength_of
from privgan_audits.telling.verdict import told as told_as
from privgan_audits.telling.words import Fact

_TONES = {"PASS": "pass", "FAIL": "fail", "INVALID": "fail"}
_STRENGTH_TONES = {"strong": "pass", "moderate": "pass", "weak": "open", "none": "fail"}
_MARKS = {"PASS": STATES["measured"].mark, "INCONCLUSIVE": STATES["INCONCLUSIVE"].mark}
_EXAMPLE_PRIOR = 0.01


def front(record: Record, *, inside: bool) -> Front:
    """The first page; the public one gives no reason and no exact number."""
    verdict = str(record["verdict"])
    promised = record["privacy"]["epsilon"] is not None
    spoken = VERDICTS["PASS-empirical" if verdict == "PASS" and not promised else verdict]
    inside_reasons = () if verdict == "PASS" else tuple(record["reasons"])
    outside_reasons = () if verdict == "PASS" else (REASONS_INSIDE,)
    outside_steps = PUBLIC_NEXT_STEPS if verdict == "PASS" else spoken.next_steps
    count, set_digest = plain(record["counts"]["synthetic"]), str(record["synthetic"]["sha256"])
    strength = strength_of(record, inside=inside)
    return Front(
        title=f"May these {count} synthetic images be shared?",
        subtitle=f"Privacy audit of {record['date']}, {_attempt(record)}; set {set_digest[:12]}",
        verdict=told_as(verdict, record["policy"]["looser_than_default"]),
        strength=strength.promise,
        strength_tone=_STRENGTH_TONES[strength.word],
        rule=strength.rule,
        tone=_tone(verdict, strength.word),
        mark=_MARKS.get(verdict, STATES["FAIL"].mark),
        headline=spoken.headline,
        reasons=inside_reasons if inside else outside_reasons,
        warnings=(*_warnings(record), *(_failed_before(record) if inside else ())),
        next_steps=spoken.next_steps if inside else outside_steps,
        tiles=tuple(_tiles(record, inside=inside)),
        noticed=seen_and_unseen(record) if inside else "",
        worth=worth(record["utility"]) if inside else "",
    )


def _tone(verdict: str, word: str) -> str:
    """Green is a PASS with a promise that limits an attacker by itself."""
    return "open" if verdict == PASS and word in (WEAK, NONE) else _TONES.get(verdict, "open")


def _attempt(record: Record) -> str:
    return f"attempt {plain(record['attempt'])}" if record["cohort"] else "not counted among a cohort's attempts"


def _warnings(record: Record) -> Iterator[str]:
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


def _tiles(record: Record, *, inside: bool) -> Iterator[Fact]:
    counts, privacy = record["counts"], record["privacy"]
    images = f", {plain(counts['member_images'])} in all" if inside else ""
    yield Fact(
        name="Who is protected",
        value=f"{plain(counts['members'])} patients",
        note=f"Each with all of their images{images}. {plain(counts['non_members'])} more were held back by lot, to "
        "compare with.",
    )
    if privacy["epsilon"] is None:
        yield Fact(name="What is promised", value="nothing", note="There is no claim of differential privacy.")
    else:
        afterwards = percent_at_most(belief(_EXAMPLE_PRIOR, float(privacy["epsilon"])))
        yield Fact(
            name="What is promised",
            value=f"epsilon {rounded_up(privacy['epsilon'])}",
            note=f"Whoever is {percent(_EXAMPLE_PRIOR)} sure that a patient is in the data can become at most "
            f"{afterwards} sure, by any means.",
        )
    yield _attack(record, inside=inside)
    yield _smallest_leak(record, inside=inside)


def _attack(record: Record, *, inside: bool) -> Fact:
    name, worst = "What attackers reached", finding(record, "T3", "auc_upper") if inside else None
    allowed = percent(record["policy"]["max_auc"])
    told = "Shown a member and an outsider, the attacks together pick the member so often. A coin: 50 %"
    if not inside:
        passed = record["verdict"] == PASS
        value = f"at most {allowed} right" if passed else frame.TOLD_INSIDE
        return Fact(name=name, value=value, note=f"{told}; more than {allowed} is no PASS.")
    if worst is None:
        return Fact(name=name, value="not measured", note="There was nobody to compare members with.")
    bounds = f"at worst {whole_percent_up(worst)}; the policy allows {allowed}"
    return Fact(name=name, value=f"{percent(finding(record, 'T3', 'auc'))} right", note=f"{told}; {bounds}.")


def _smallest_leak(record: Record, *, inside: bool) -> Fact:
    allowed, name = allowed_copies(record), "What would have been noticed"
    plainly = "copies of so many different patients, also mirrored"
    if not inside:
        further = f"of {plain(CHANGED_MAY_NEED * allowed)} when they are changed further: {TRIED}"
        note = f"To pass, an audit must surely find {plainly}, and {further}."
        return Fact(name=name, value=f"{plain(allowed)} copied patients", note=note)
    changed = (
        f"changed further, {worst_limit(record, CHANGED_COPIES)}, and {plain(CHANGED_MAY_NEED * allowed)} allowed"
    )
    note = (
        f"{plainly.capitalize()}, are surely found; the policy allows up to {plain(allowed)}. {changed.capitalize()}."
    )
    return Fact(name=name, value=worst_limit(record, PLAIN_COPIES), note=note)
