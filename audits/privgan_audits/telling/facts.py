"""Findings that several questions have, as facts for the appendix."""

from collections.abc import Iterator

from privgan_audits.record import Record
from privgan_audits.telling.numbers import humanised, percent, plain
from privgan_audits.telling.words import Fact


def ranks(counted: Record) -> Iterator[Fact]:
    """How many members come before the closest non-members, beside what a safe set would give."""
    for rank, count in counted["members_before_non_member"].items():
        nearest = "the closest non-member" if rank == "1" else f"non-member number {rank} by closeness"
        safe = f"a safe set: about {plain(counted['expected_when_safe'][rank])}"
        yield Fact(name=f"Members closer than {nearest}", value=plain(count), note=safe)


def group_name(group: Record) -> str:
    """A group of patients by its column and value.

    >>> group_name({"column": "age_band", "value": "1st quarter"})
    'age band 1st quarter'
    """
    return f"{humanised(str(group['column']))} {group['value']}"


def rates(test: Record) -> Iterator[Fact]:
    """True-positive rates with their intervals."""
    for rate, found in test["tpr"].items():
        value = f"{percent(found['measured'])} ({percent(found['low'])} to {percent(found['high'])})"
        false = rate.removesuffix("_percent").replace("_", ".")
        yield Fact(name=f"Members recognised at {false} % false accusations", value=value, note="90 % interval")
