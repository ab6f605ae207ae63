"""Findings that several questions have, as facts for the appendix."""

from collections.abc import Iterator

from privgan.language import to_tr, tr
from privgan_audits.evidence.bands import OUTSIDE, QUARTERS
from privgan_audits.record import Record
from privgan_audits.telling.keys import humanised
from privgan_audits.telling.numbers import percent, plain, span
from privgan_audits.telling.words import Fact

CLASS = to_tr("class")  # the column of the labels


def ranks(counted: Record) -> Iterator[Fact]:
    """How many members come before the closest non-members, beside what a safe set would give."""
    for rank, count in counted["members_before_non_member"].items():
        name = (
            tr("Members closer than the closest non-member")
            if rank == "1"
            else tr("Members closer than non-member number {rank} by closeness", rank=rank)
        )
        safe = tr("a safe set: about {count}", count=plain(counted["expected_when_safe"][rank]))
        yield Fact(name=name, value=plain(count), note=safe)


def group_name(group: Record) -> str:
    """A group of patients by its column and value.

    >>> group_name({"column": "age_band", "value": "1st quarter"})
    'age band 1st quarter'
    """
    column, value = str(group["column"]), str(group["value"])
    name = tr(CLASS) if column == CLASS else humanised(column)
    return f"{name} {tr(value) if value in (*QUARTERS, OUTSIDE) else value}"


def rates(test: Record) -> Iterator[Fact]:
    """True-positive rates with their intervals."""
    for rate, found in test["tpr"].items():
        value = f"{percent(found['measured'])} ({span(percent(found['low']), percent(found['high']))})"
        false = rate.removesuffix("_percent").replace("_", ".")
        name = tr("Members recognised at {rate} % false accusations", rate=false)
        yield Fact(name=name, value=value, note=tr("90 % interval"))
