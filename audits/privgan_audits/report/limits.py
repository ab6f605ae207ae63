"""The policy's rules, beside the numbers that they were applied to."""

from collections.abc import Iterator, Sequence

from privgan.language import to_tr, tr
from privgan_audits.policy import Policy
from privgan_audits.questions.books.words import together
from privgan_audits.questions.bounds import BOOKS
from privgan_audits.questions.controls.rule import CHANGED_COPIES, CHANGED_MAY_NEED, GATING_COPIES, PLAIN_COPIES
from privgan_audits.questions.controls.words import TRIED, copy_name
from privgan_audits.questions.membership.rule import POWER
from privgan_audits.questions.near_copies.rule import SHARE
from privgan_audits.questions.singling_out.rule import SHARE as RECORDS_SHARE
from privgan_audits.record import Record, allowed_copies, finding
from privgan_audits.report.page import Limit, Table
from privgan_audits.telling.facts import group_name
from privgan_audits.telling.numbers import exactly, plain

_AUC = to_tr("AUC of the membership attack, upper bound")
_TPR = to_tr("Members recognised at 1 % false accusations, upper bound")
_DETECTION = to_tr("Limit of detection, in distinct copied patients")
_CHANGED = to_tr("The same, copies changed in one way of each family")


def internal_limits(record: Record, policy: Policy) -> Iterator[Limit]:
    """Each rule with the number that the verdict read."""
    exact = [finding(record, "T1", key) for key in ("copies_of_members", "copies_of_other_patients")]
    shared = finding(record, "T1", "copies_of_both") or 0  # records of earlier versions do not have it
    copies = None if None in exact else sum(exact) + shared
    seen = finding(record, "T3", "auc_se_when_safe")
    seen = None if seen is None else POWER * seen
    asked_more = finding(record, "T12", "p") is not None
    level, attempt = plain(record["level"] * SHARE / (1 + RECORDS_SHARE * asked_more)), plain(record["attempt"])
    yield _none(tr("Copies of real images, identical but perhaps for brightness"), copies)
    if record.get("prior"):
        public = [finding(record, "T11", key) for key in ("exact_copies", "near_copies")]
        near = None if None in public else sum(public)
        yield _none(tr("Copies of public images, identical or nearly so"), near)
    yield _none(tr("Identifiers of patients in the files"), finding(record, "T10", "identifiers_found"))
    yield Limit(
        name=tr("Near copies: p-value must not be below"),
        required=tr("{level} (attempt {attempt}, its share of the error)", level=level, attempt=attempt),
        measured=exactly(finding(record, "T2", "p")),
    )
    for name, allowed, key in ((_AUC, policy.max_auc, "auc_upper"), (_TPR, policy.max_tpr, "tpr_upper")):
        yield _at_most(tr(name), allowed, exactly(finding(record, "T3", key)))
    yield _at_most(
        tr("Hidden facts: how much better they are guessed for members, upper bound"),
        policy.max_attribute_advantage,
        exactly(finding(record, "T8", "largest_advantage_upper")),
    )
    yield _at_most(
        tr("Smallest advantage in AUC that would have been seen"), policy.max_detectable_auc, exactly(seen)
    )
    for name, times, kinds in ((_DETECTION, 1, PLAIN_COPIES), (_CHANGED, CHANGED_MAY_NEED, CHANGED_COPIES)):
        yield _at_most(tr(name), times * allowed_copies(record), worst_limit(record, kinds))
    yield _ledger_limit(record, policy)


def _none(name: str, found: int | None) -> Limit:
    return Limit(name=name, required=tr("none"), measured=plain(found))


def _at_most(name: str, most: float, measured: str) -> Limit:
    return Limit(name=name, required=tr("at most {most}", most=plain(most)), measured=measured)


def planted_copies(record: Record) -> Table | None:
    """The limit of detection of each kind of planted copy."""
    found = finding(record, "T0", "limit_of_detection")
    if not found:
        return None
    most = plain(finding(record, "T0", "copies_planted_at_most"))
    missed, weight = tr("not even from {count} patients", count=most), (tr("no, for information"), tr("yes"))
    rows = [
        (
            copy_name(kind),
            missed if count is None else _patients(count),
            weight[kind in GATING_COPIES],
        )
        for kind, count in found.items()
    ]
    return Table(
        caption=tr("Planted copies"),
        head=(tr("Kind of copy"), tr("Found reliably from"), tr("Counts for the verdict")),
        rows=tuple(rows),
    )


def copies_within_groups(record: Record) -> Table | None:
    """Of how few members of each class, or of each value of a column, unchanged copies would have been seen."""
    found, left_out = (finding(record, "T0", key) or () for key in ("groups", "groups_left_out"))
    rows = [(*_group(group), _seen_from(group["seen_from"])) for group in found]
    rows += [(*_group(group), tr("not looked at as a group")) for group in left_out]
    if not rows:
        return None
    return Table(
        caption=tr("Copies within a class, or a value of a column"),
        head=(tr("Group"), tr("Members"), tr("Non-members"), tr("Unchanged copies found reliably from")),
        rows=tuple(rows),
    )


def _group(group: Record) -> tuple[str, str, str]:
    return group_name(group), plain(group["members"]), plain(group["non_members"])


def _seen_from(count: int | None) -> str:
    return tr("not even if all are copied") if count is None else _patients(count)


def _patients(count: int) -> str:
    return tr("{count} patients", count=plain(count))


def detection_limit(record: Record) -> str:
    """How few copied patients the audit had to be able to find: from the policy and a public count alone."""
    return tr(
        "To pass, the audit must reliably find {allowed} distinct copied patients of {members} members, also when "
        "the copies are mirrored, and {changed} when they are changed further: {tried}.",
        allowed=plain(allowed_copies(record)),
        members=plain(record["counts"]["members"]),
        changed=plain(CHANGED_MAY_NEED * allowed_copies(record)),
        tried=tr(TRIED),
    )


def _ledger_limit(record: Record, policy: Policy) -> Limit:
    books = next((test for test in record["tests"] if test["id"] == BOOKS), {"outcome": "missing"})
    measured = together(books) if books["outcome"] == "measured" else tr("no ledger")
    return _at_most(tr("epsilon of the cohort in total, all runs"), policy.max_epsilon, measured)


def worst_limit(record: Record, kinds: Sequence[str]) -> str:
    """The limit of detection that the verdict reads, over some kinds of copies."""
    found = finding(record, "T0", "limit_of_detection")
    if not found:
        return tr("not measured")
    gating = [found.get(kind) for kind in kinds]
    return tr("not found") if None in gating else _patients(max(gating))
