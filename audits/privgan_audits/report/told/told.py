"""Finds the words for one measured entry of the record."""

from collections.abc import Callable

from privgan_audits.report.told import files, people
from privgan_audits.report.told.telling import Entry, Told

_TELLERS: dict[str, Callable[[Entry], Told]] = {
    "T0": files.controls,
    "T1": files.copies,
    "T2": files.near_copies,
    "T3": people.membership,
    "T4": people.white_box,
    "T6": files.books,
    "T7": people.reidentification,
    "T8": people.attributes,
    "T9": people.resemblance,
    "T10": files.identifiers,
}


def told(test: Entry) -> Told:
    """One measured entry in words; an unknown test has none yet."""
    tell = _TELLERS.get(str(test["id"]))
    return Told(answer="", sentences=()) if tell is None else tell(test)
