"""The policy's rules, beside the numbers that they were applied to."""

from collections.abc import Iterator, Sequence

from privgan_audits.policy import Policy
from privgan_audits.questions.books.words import together
from privgan_audits.questions.bounds import BOOKS
from privgan_audits.questions.controls.rule import CHANGED_COPIES, CHANGED_MAY_NEED, GATING_COPIES, PLAIN_COPIES
from privgan_audits.questions.controls.words import TRIED, copy_name
from privgan_audits.questions.membership.rule import POWER
from privgan_audits.questions.near_copies.rule import SHARE
from privgan_audits.record import Record, allowed_copies, finding
from privgan_audits.report.page import Limit, Table
from privgan_audits.telling.facts import group_name
from privgan_audits.telling.numbers import exactly, plain

_LEFT_OUT = "not looked at as a group"
_WEIGHT = ("no, for information", "yes")
_COPIES = "Copies of real images, identical but perhaps for brightness"
_PUBLIC_COPIES = "Copies of public images, identical or nearly so"
_IDENTIFIERS = "Identifiers of patients in the files"
_NEAR = "Near copies: p-value must not be below"
_AUC = "AUC of the membership attack, upper bound"
_TPR = "Members recognised at 1 % false accusations, upper bound"
_HIDDEN = "Hidden facts: how much better they are guessed for members, upper bound"
_SEEN = "Smallest advantage in AUC that would have been seen"
_DETECTION = "Limit of detection, in distinct copied patients"
_CHANGED = "The same, copies changed in one way of each family"
_EPSILON = "epsilon of the cohort in total, all runs"


def internal_limits(record: Record, policy: Policy) -> Iterator[Limit]:
    """Each rule with the number that the verdict read."""
    exact = [finding(record, "T1", key) for key in ("copies_of_members", "copies_of_other_patients")]
    shared = finding(record, "T1", "copies_of_both") or 0  # records of earlier versions do not have it
    copies = None if None in exact else sum(exact) + shared
    seen = finding(record, "T3", "auc_se_when_safe")
    seen = None if seen is None else POWER * seen
    level = f"{plain(record['level'] * SHARE)} (attempt {plain(record['attempt'])}, its share of the error)"
    yield Limit(name=_COPIES, required="none", measured=plain(copies))
    if record.get("prior"):
        public = [finding(record, "T11", key) for key in ("exact_copies", "near_copies")]
        yield Limit(name=_PUBLIC_COPIES, required="none", measured=plain(None if None in public else sum(public)))
    yield Limit(name=_IDENTIFIERS, required="none", measured=plain(finding(record, "T10", "identifiers_found")))
    yield Limit(name=_NEAR, required=level, measured=exactly(finding(record, "T2", "p")))
    for name, most, key in ((_AUC, policy.max_auc, "auc_upper"), (_TPR, policy.max_tpr, "tpr_upper")):
        yield Limit(name=name, required=f"at most {plain(most)}", measured=exactly(finding(record, "T3", key)))
    hidden = exactly(finding(record, "T8", "largest_advantage_upper"))
    yield Limit(name=_HIDDEN, required=f"at most {plain(policy.max_attribute_advantage)}", measured=hidden)
    yield Limit(name=_SEEN, required=f"at most {plain(policy.max_detectable_auc)}", measured=exactly(seen))
    for name, most, kinds in ((_DETECTION, 1, PLAIN_COPIES), (_CHANGED, CHANGED_MAY_NEED, CHANGED_COPIES)):
        required = f"at most {plain(most * allowed_copies(record))}"
        yield Limit(name=name, required=required, measured=worst_limit(record, kinds))
    yield _ledger_limit(record, policy)


def planted_copies(record: Record) -> Table | None:
    """The limit of detection of each kind of planted copy."""
    found = finding(record, "T0", "limit_of_detection")
    missed = f"not even from {plain(finding(record, 'T0', 'copies_planted_at_most'))} patients"
    if not found:
        return None
    rows = [
        (
            copy_name(kind),
            missed if count is None else f"{plain(count)} patients",
            _WEIGHT[kind in GATING_COPIES],
        )
        for kind, count in found.items()
    ]
    return Table(
        caption="Planted copies",
        head=("Kind of copy", "Found reliably from", "Counts for the verdict"),
        rows=tuple(rows),
    )


def copies_within_groups(record: Record) -> Table | None:
    """Of how few members of each class, or of each value of a column, unchanged copies would have been seen."""
    found, left_out = (finding(record, "T0", key) or () for key in ("groups", "groups_left_out"))
    rows = [(*_group(group), _seen_from(group["seen_from"])) for group in found]
    rows += [(*_group(group), _LEFT_OUT) for group in left_out]
    if not rows:
        return None
    return Table(
        caption="Copies within a class, or a value of a column",
        head=("Group", "Members", "Non-members", "Unchanged copies found reliably from"),
        rows=tuple(rows),
    )


def _group(group: Record) -> tuple[str, str, str]:
    return group_name(group), plain(group["members"]), plain(group["non_members"])


def _seen_from(count: int | None) -> str:
    return "not even if all are copied" if count is None else f"{plain(count)} patients"


def detection_limit(record: Record) -> str:
    """How few copied patients the audit had to be able to find: from the policy and a public count alone."""
    return (
        f"To pass, the audit must reliably find {plain(allowed_copies(record))} distinct copied patients of "
        f"{plain(record['counts']['members'])} members, also when the copies are mirrored, and "
        f"{plain(CHANGED_MAY_NEED * allowed_copies(record))} when they are changed further: {TRIED}."
    )


def _ledger_limit(record: Record, policy: Policy) -> Limit:
    books = next((test for test in record["tests"] if test["id"] == BOOKS), {"outcome": "missing"})
    measured = together(books) if books["outcome"] == "measured" else "no ledger"
    return Limit(name=_EPSILON, required=f"at most {plain(policy.max_epsilon)}", measured=measured)


def worst_limit(record: Record, kinds: Sequence[str]) -> str:
    """The limit of detection that the verdict reads, over some kinds of copies."""
    found = finding(record, "T0", "limit_of_detection")
    if not found:
        return "not measured"
    gating = [found.get(kind) for kind in kinds]
    return "not found" if None in gating else f"{plain(max(gating))} patients"
