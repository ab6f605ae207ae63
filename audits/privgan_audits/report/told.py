"""What each test measured, in a phrase and in a few plain sentences; for the internal page only.

Numbers first where a reader can act on them; p-values as how often chance alone would look so. The appendix has all
the rest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from privgan_audits.record import Record
from privgan_audits.report.numbers import chances, humanised, percent, plain
from privgan_audits.report.words.frame import COPIES
from privgan_audits.verdict import GATING_COPIES

Entry = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Told:
    """answer: a phrase for the list on page one. sentences: for the card."""

    answer: str
    sentences: tuple[str, ...]


def told(test: Entry, record: Record) -> Told:
    """One measured entry of the record in words; an unknown test has none yet."""
    tell = _TELLERS.get(str(test["id"]))
    return Told(answer="", sentences=()) if tell is None else tell(test, record)


def _controls(test: Entry, record: Record) -> Told:
    del record
    limits = [test["limit_of_detection"].get(kind) for kind in GATING_COPIES]
    missed = [COPIES[kind] for kind, count in zip(GATING_COPIES, limits, strict=True) if count is None]
    if missed:
        most = plain(test["copies_planted_at_most"])
        answer, found = (
            f"misses {most} copies",
            f"Copies ({', '.join(missed)}) of {most} patients are not surely found.",
        )
    else:
        answer = f"sees copies from {plain(max(limits))} patients on"
        found = f"Copies of {plain(max(limits))} patients are surely found, also when mirrored, shifted or noisy."
    expected = plain(round(0.05 * test["resplits"]))
    return Told(
        answer=answer,
        sentences=(
            found,
            (
                f"Without any synthetic image, members and non-members look as different as chance makes them "
                f"{chances(test['split_p'])}."
            ),
            (
                f"In {plain(test['resplits'])} comparisons of members among themselves, where nothing can be found, "
                f"the near-copy alarm rang {plain(test['small_p_near_copies'])} times and the membership alarm "
                f"{plain(test['small_p_membership'])} times; about {expected} false alarms are its share."
            ),
        ),
    )


def _copies(test: Entry, record: Record) -> Told:
    ours, theirs = test["copies_of_members"], test["copies_of_other_patients"]
    looked = f"{plain(record['counts']['synthetic'])} synthetic images were compared with "
    looked += f"{plain(test['compared_real_images'])} real ones."
    if not ours and not theirs:
        return Told(answer="none", sentences=(looked, "None of them is a real one."))
    found = f"{plain(ours)} of them are images of members, {plain(theirs)} of held-back patients."
    return Told(answer=f"{plain(ours + theirs)} real images in the set", sentences=(looked, found))


def _near_copies(test: Entry, record: Record) -> Told:
    del record
    name, space = min(test["spaces"].items(), key=lambda item: _or_one(item[1]["p"]))
    counts = [
        f"{plain(count)} members are closer than held-back patient number {rank} by closeness (a safe set: about "
        f"{plain(space['expected_when_safe'][rank])})"
        for rank, count in space["members_before_non_member"].items()
    ]
    return Told(
        answer=f"chance alone looks so {chances(test['p'])}",
        sentences=(
            f"Most telling way to compare: {name}. " + "; ".join(counts) + ".",
            f"Taking all ways together, chance alone looks at least as suspicious {chances(test['p'])}.",
        ),
    )


def _membership(test: Entry, record: Record) -> Told:
    del record
    rate = test["tpr"].get("1_percent", {}).get("measured")
    hits = f"they recognise {percent(rate)} of the members" if rate is not None else "they recognise members"
    return Told(
        answer=f"right {percent(test['auc'])} of the time; a coin 50 %",
        sentences=(
            (
                f"Shown a member and an outsider, the attacks together pick the member {percent(test['auc'])} of the "
                f"time (a coin: 50 %; at worst {percent(test['auc_upper'])})."
            ),
            f"Wrongly accusing 1 % of the outsiders, {hits} (guessing: 1 %; at worst {percent(test['tpr_upper'])}).",
            f"Chance alone looks at least as suspicious {chances(test['p'])}.",
        ),
    )


def _books(test: Entry, record: Record) -> Told:
    del record
    held = sum(true is True for true in test["checks"].values())
    total = len(test["checks"])
    failed = [humanised(name) for name, true in test["checks"].items() if true is not True]
    broken = (f"Not so: {', '.join(failed)}.",) if failed else ()
    return Told(
        answer=f"{held} of {total} checks hold",
        sentences=(
            f"{held} of {total} checks of the books hold.",
            *broken,
            (
                f"Claimed: epsilon {plain(test['claimed_epsilon'])}. Computed again from the ledger: "
                f"{plain(test['recomputed_epsilon'])}. All runs on this cohort together: "
                f"{plain(test['cohort_total_epsilon'])}."
            ),
        ),
    )


def _identifiers(test: Entry, record: Record) -> Told:
    del record
    found = test["identifiers_found"]
    searched = f"{plain(test['files'])} files, every byte, were searched for {plain(test['known_identifiers'])} "
    searched += "identifiers of the source, known here only as keyed digests."
    kinds = "" if not found else f" By kind: {plain(test['by_category'])}."
    result = "None was found." if not found else f"{plain(found)} places hold one.{kinds}"
    differs = test.get("not_as_audited") or {}
    alike = (
        "Every file is what was audited." if not differs else f"Files differ from what was audited: {plain(differs)}."
    )
    return Told(answer="none" if not found else f"{plain(found)} places", sentences=(searched, result, alike))


def _or_one(p: float | None) -> float:
    return 1.0 if p is None else p


_TELLERS: dict[str, Callable[[Entry, Record], Told]] = {
    "T0": _controls,
    "T1": _copies,
    "T2": _near_copies,
    "T3": _membership,
    "T6": _books,
    "T10": _identifiers,
}
