"""A report by the memory of its cohort's ledger: is it the newest audit of its set, and which attempt was it?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from privgan.dp.budget.chain import Entry
from privgan.dp.budget.ledger import Ledger
from privgan.errors import BudgetError, IntegrityError


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """entry: how the audit ended. attempt: as which the ledger counts it."""

    entry: Entry
    attempt: int

    def require_attempt(self, record: Mapping[str, Any]) -> None:
        """Refuse a record that was judged as another attempt.

        Raises:
            IntegrityError: see above.
        """
        if record.get("attempt") != self.attempt:
            raise IntegrityError(
                f"Expected the audit of attempt {self.attempt}, as which the ledger counts it, it was judged as "
                "another one. Audit again."
            )


def remembered_audit(ledger: Ledger, synthetic_sha256: str, digest: str) -> Remembered:
    """What a ledger remembers of a report.

    Args:
        ledger: of the cohort.
        synthetic_sha256: of the audited set.
        digest: of audit.json.

    Raises:
        IntegrityError: it is not the set's newest audit.
        BudgetError: the cohort was charged after the audit began.
    """
    audits = [entry for entry in ledger.of_kind("audit") if entry["synthetic_sha256"] == synthetic_sha256]
    if not audits or audits[-1]["report_sha256"] != digest:
        raise IntegrityError(
            "Expected this set's newest audit as the cohort's ledger remembers it; this report is edited, "
            "superseded, or of another set. Audit again."
        )
    if ledger.charged_since(ledger.beginning(audits[-1])):
        raise BudgetError(
            "The cohort was charged again after this audit began, so that its total is out of date. Audit again."
        )
    return Remembered(entry=audits[-1], attempt=ledger.attempt(synthetic_sha256))
