"""How the JSON of audit.json is read by whoever judges it: what is absent or odd is never mistaken for fine."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from privgan_audits.policy import Policy

RECORD = "audit.json"  # the file
Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The record with accessors that never mistake "absent" for "fine"."""

    policy: Policy
    record: Record
    level: float

    def test(self, name: str) -> Record:
        """The entry of one test; empty when the record has none."""
        return next((test for test in self.record.get("tests", ()) if test.get("id") == name), {})

    def outcome(self, name: str) -> str:
        """measured, not-applicable, not-run, or missing."""
        return str(self.test(name).get("outcome", "missing"))

    def number(self, name: str, key: str) -> float:
        """A finding as a float; NaN, which every comparison refuses, unless it is a real number."""
        value = self.test(name).get(key)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan

    def table(self, name: str, key: str) -> Mapping[str, Any]:
        """A finding that is a table; empty when absent."""
        value = self.test(name).get(key)
        return value if isinstance(value, Mapping) else {}

    def has_table(self, name: str, key: str) -> bool:
        """Whether a finding is there and is a table, be it empty."""
        return isinstance(self.test(name).get(key), Mapping)

    def count(self, key: str) -> float:
        """One of the record's counts, NaN when absent."""
        value = self.record.get("counts", {}).get(key)
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else math.nan
