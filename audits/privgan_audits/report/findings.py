"""What each test measured, in words; a finding that has no words here is shown by its own name.

Internal page only: these are exact numbers computed from patients' images.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from privgan_audits.report.numbers import humanised, percent, plain
from privgan_audits.report.page import Fact

_FRAME = frozenset({"id", "title", "outcome", "reason", "series"})


@dataclass(frozen=True, kw_only=True)
class Label:
    """A finding's name and small print; `share` values are shown as per cent."""

    name: str
    note: str = ""
    share: bool = False


_P_NOTE = "how often chance alone looks at least this bad"
_LABELS: dict[str, dict[str, Label]] = {
    "T0": {
        "split_p": Label(name="Members and non-members differ without any synthetic image, p-value", note=_P_NOTE),
        "split_auc": Label(name="How well a classifier tells them apart", note="0.5 is not at all"),
        "resplits": Label(name="Re-splits of members among themselves"),
        "small_p_near_copies": Label(name="of these, false alarms of T2 at 5 %", note="about 5 % are expected"),
        "small_p_membership": Label(name="of these, false alarms of T3 at 5 %", note="about 5 % are expected"),
        "copies_planted_at_most": Label(name="Most copies planted at once"),
    },
    "T1": {
        "copies_of_members": Label(name="Synthetic images identical to a member's", note="a single one is a FAIL"),
        "rescaled_copies_of_members": Label(name="of these, with another brightness or inverted"),
        "copies_of_other_patients": Label(name="Identical to another real patient's", note="a FAIL as well"),
        "rescaled_copies_of_other_patients": Label(name="of these, with another brightness or inverted"),
        "constant_images": Label(name="Constant images", note="show nothing and are nobody's"),
        "compared_real_images": Label(name="Real images compared"),
    },
    "T2": {"p": Label(name="p-value of all ways of comparing together", note=_P_NOTE)},
    "T3": {
        "p": Label(name="p-value of all attacks together", note=_P_NOTE),
        "auc": Label(name="AUC of the attacks combined", note="0.5 is guessing"),
        "auc_interval": Label(name="its 95 % interval"),
        "auc_upper": Label(name="its one-sided upper bound"),
        "auc_lower": Label(name="Largest lower bound of any attack's AUC", note="for all attacks at once"),
        "auc_se_when_safe": Label(name="Standard error of an AUC for a safe set", note="small means a strong test"),
        "tpr_upper": Label(name="Members recognised at 1 % false accusations, upper bound", share=True),
        "tpr_lower": Label(name="Largest lower bound of any attack's", note="for all attacks at once", share=True),
        "epsilon_lower_bound": Label(name="Smallest epsilon that this proves", note="must not exceed the claim"),
        "largest_provable_epsilon": Label(name="Largest epsilon that it could have proved"),
    },
    "T6": {
        "claimed_epsilon": Label(name="epsilon that the synthetic set claims"),
        "recomputed_epsilon": Label(name="epsilon of its run, computed again from the ledger"),
        "cohort_total_epsilon": Label(name="epsilon of the cohort in total", note="all runs ever charged"),
        "delta": Label(name="delta"),
    },
    "T10": {
        "identifiers_found": Label(name="Places with a patient's identifier", note="a single one is a FAIL"),
        "by_category": Label(name="Kinds of identifiers found"),
        "files": Label(name="Files searched, every byte"),
        "structure": Label(name="Files with something odd in their structure", note="in a privgan set a FAIL"),
        "not_as_audited": Label(name="Files that differ from the audited images", note="a single one is a FAIL"),
        "unreadable_entries": Label(name="Links and other entries that are not files"),
        "known_identifiers": Label(name="Identifiers searched for", note="known here only as keyed digests"),
    },
}


def measured_facts(test: Mapping[str, Any]) -> Iterator[Fact]:
    """The findings of one test of the record, in the order of the record."""
    if test["outcome"] != "measured":
        return  # its reason says what there is to say
    labels = _LABELS.get(test["id"], {})
    for key, value in test.items():
        if key in _SPECIAL:
            yield from _SPECIAL[key](test)
        elif key not in _FRAME and key not in _TOLD_ELSEWHERE:
            label = labels.get(key, Label(name=humanised(key)))
            shown = percent(value) if label.share and isinstance(value, float) else plain(value)
            yield Fact(name=label.name, value=shown, note=label.note)


def _spaces(test: Mapping[str, Any]) -> Iterator[Fact]:
    for name, space in test["spaces"].items():
        yield Fact(name=f"Comparing by {name}: p-value", value=plain(space["p"]))
        for rank, count in space["members_before_non_member"].items():
            nearest = "the closest non-member" if rank == "1" else f"non-member number {rank} by closeness"
            safe = f"a safe set: about {plain(space['expected_when_safe'][rank])}"
            yield Fact(name=f"Members closer than {nearest}", value=plain(count), note=safe)


def _look_alikes(test: Mapping[str, Any]) -> Iterator[Fact]:
    for name, found in test["look_alikes"].items():
        note = f"within {found['bits']} of 64 bits, at which no two real patients look alike"
        if found["bits"] < 0:
            note = "real patients already look alike to it, so that it cannot say anything here"
        value = f"{plain(found['members'])} members, {plain(found['non_members'])} non-members"
        yield Fact(name=f"Patients with a look-alike by {name}", value=value, note=note)


def _rates(test: Mapping[str, Any]) -> Iterator[Fact]:
    for rate, found in test["tpr"].items():
        value = f"{percent(found['measured'])} ({percent(found['low'])} to {percent(found['high'])})"
        false = rate.removesuffix("_percent").replace("_", ".")
        yield Fact(name=f"Members recognised at {false} % false accusations", value=value, note="90 % interval")


def _attacks(test: Mapping[str, Any]) -> Iterator[Fact]:
    for name, found in test["attacks"].items():
        value = f"AUC {plain(found['auc'])}, {percent(found['tpr_at_1_percent'])} at 1 % false accusations"
        yield Fact(name=f"By {name} alone", value=value)


def _precision(test: Mapping[str, Any]) -> Iterator[Fact]:
    for share, value in test["precision"].items():
        name = f"Right accusations, at most, where {percent(float(share))} of the suspects are members"
        yield Fact(name=name, value=percent(value), note=f"guessing: {percent(float(share))}")


def _checks(test: Mapping[str, Any]) -> Iterator[Fact]:
    failed = [humanised(name) for name, holds in test["checks"].items() if holds is not True]
    total = len(test["checks"])
    yield Fact(name="Checks of the books", value=f"{total - len(failed)} of {total} hold", note="")
    for name in failed:
        yield Fact(name="Does not hold", value=name)


def _places(test: Mapping[str, Any]) -> Iterator[Fact]:
    for place in test["places"]:
        yield Fact(name="Found in", value=place["file"], note=f"{place['kind']}: {place['category']}")


_SPECIAL = {
    "spaces": _spaces,
    "look_alikes": _look_alikes,
    "tpr": _rates,
    "precision": _precision,
    "attacks": _attacks,
    "checks": _checks,
    "places": _places,
}
_TOLD_ELSEWHERE = frozenset({"limit_of_detection"})
