"""How the JSON of audit.json is read by whoever judges it: what is absent or odd is never mistaken for fine."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from privgan.kinds import REPORT
from privgan_audits.policy import Policy

ACCEPT_DELTA = "accept-delta"  # the override by which a large delta was taken
RECORD = REPORT.marker  # the file
SALT_BYTES = 32  # of randomness in a record, so that its digest says nothing about what it holds
Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a record says of one question, with accessors that never mistake "absent" for "fine".

    about: the question's id. entry: its entry, empty when the record has none. level: the family error at which this
    attempt is judged. rejected: the questions whose p-value is below its share of that level. entries: the first of
    each id; found once for all questions of a record.
    """

    policy: Policy
    record: Record
    level: float
    about: str = ""
    rejected: frozenset[str] = frozenset()
    entries: Mapping[str, Record] | None = field(default=None, repr=False)
    entry: Record = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.entries is None:
            object.__setattr__(self, "entries", _by_id(self.record))
        object.__setattr__(self, "entry", (self.entries or {}).get(self.about, {}))

    def of(self, question: str) -> Self:
        """The same record, read for another question."""
        # Not `replace`, which is slow: a pre-flight asks tens of thousands of times.
        return type(self)(
            policy=self.policy,
            record=self.record,
            level=self.level,
            about=question,
            rejected=self.rejected,
            entries=self.entries,
        )

    @property
    def outcome(self) -> str:
        """measured, not-applicable, not-run, or missing."""
        return str(self.entry.get("outcome", "missing"))

    @property
    def measured(self) -> bool:
        """Whether the question was answered with numbers."""
        return self.outcome == "measured"

    @property
    def is_rejected(self) -> bool:
        """Whether chance alone would look so too rarely, at the question's share of the level."""
        return self.about in self.rejected

    def number(self, key: str) -> float:
        """A finding as a float; NaN, which every comparison refuses, unless it is a real number."""
        value = self.entry.get(key)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan

    def table(self, key: str) -> Mapping[str, Any]:
        """A finding that is a table; empty when absent."""
        value = self.entry.get(key)
        return value if isinstance(value, Mapping) else {}

    def has_table(self, key: str) -> bool:
        """Whether a finding is there and is a table, be it empty."""
        return isinstance(self.entry.get(key), Mapping)

    def count(self, key: str) -> float:
        """One of the record's counts, NaN when absent."""
        value = self.record.get("counts", {}).get(key)
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else math.nan


def _by_id(record: Record) -> Mapping[str, Record]:
    """The entries of a record, of several with one id the first."""
    return {name: test for test in reversed(record.get("tests", ())) if isinstance(name := test.get("id"), str)}


def finding(record: Record, test: str, key: str) -> Any:
    """One finding of one question, or None when it was not answered or has no such finding."""
    return next((entry.get(key) for entry in record["tests"] if entry["id"] == test), None)


def project_of(record: Record) -> dict[str, str]:
    """title, contact and house of a record's project; empty in records of earlier versions."""
    told = record.get("project", {})
    return {name: str(told.get(name, "")) for name in ("title", "house", "contact")}


def language_of(record: Record) -> str:
    """The language of the record's policy, in which it is told if nobody chose another."""
    return Policy.from_json(record["policy"]).language


def failed_before(record: Record) -> tuple[int, ...]:
    """The ledger entries by which earlier audits of this very set ended in FAIL."""
    books, audited = record["ledger"] or {"entries": ()}, record["synthetic"]["sha256"]
    failed = (e for e in books["entries"] if e["kind"] in ("audit", "rehearsed") and e["verdict"] == "FAIL")
    return tuple(int(entry["sequence"]) for entry in failed if entry["synthetic_sha256"] == audited)


def allowed_copies(record: Record) -> int:
    """The largest limit of detection that the policy accepts: from the policy and a public count alone."""
    return int(Policy.from_json(record["policy"]).largest_copied(record["counts"]["members"]))
