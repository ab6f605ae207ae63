"""What the sign-off box says of the officer's approval that lies beside the record, if one does."""

import os
from collections.abc import Iterator
from pathlib import Path

from privgan.errors import IntegrityError
from privgan_audits.approval import APPROVAL, LARGEST_BYTES, REVOCATION, Approval, opened
from privgan_audits.report.page import Fact
from privgan_audits.signing import read_bounded


def sign_off(folder: Path, audit_sha256: str) -> Iterator[Fact]:
    """For the internal page; that the key is the officer's is for `release` and `verify` to find out.

    Args:
        folder: the report.
        audit_sha256: of its audit.json.
    """
    if os.path.lexists(folder / REVOCATION):
        yield Fact(name="Withdrawn", value="The approval of this report was withdrawn, for good.", note=REVOCATION)
    if not os.path.lexists(folder / APPROVAL):
        return
    try:
        approval = opened(Approval, read_bounded(folder / APPROVAL, LARGEST_BYTES))
    except IntegrityError:
        yield Fact(name="Approval", value="A file lies here that is no approval, or was edited.", note=APPROVAL)
        return
    facts = approval.facts()
    if approval.audit.audit_sha256 != audit_sha256:
        yield Fact(name="Approval", value="The approval that lies here is of another audit.", note=APPROVAL)
        return
    yield Fact(name="Approved by", value=facts["officer"], note=f"key {facts['key_fingerprint'][:16]}")
    yield Fact(name="Valid", value=f"{facts['approved']} to {facts['until']}", note="both days included, UTC")
    yield Fact(name="Purpose", value=facts["purpose"] or "not said")
    yield Fact(name="Recipient", value=facts["recipient"] or "not said")
