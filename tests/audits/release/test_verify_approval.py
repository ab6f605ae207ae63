"""The recipient sees two signatures, and a bundle whose permission is foreign, ended or withdrawn is refused."""

import dataclasses
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privgan import seals
from privgan.errors import IntegrityError, UsageError
from privgan.files import sha256_file
from privgan.folders import list_files
from privgan_audits.release import bundle as layout
from privgan_audits.release.approval import APPROVAL, REVOCATION, Revocation
from privgan_audits.release.rejecting import revoke
from privgan_audits.release.verify import VerifiedBundle, verify
from tests.audits.releasing import TODAY, Gate, changed, sign_again


def check(released: Gate, bundle: Path, **options: Any) -> VerifiedBundle:
    return verify(bundle, released.root / "site.pub", **{"today": TODAY, **options})


def refused(released: Gate, bundle: Path, match: str, **options: Any) -> None:
    with pytest.raises(IntegrityError, match=match):
        check(released, bundle, **options)


def test_both_signatures_are_shown(released: Gate, bundle: Path) -> None:
    officer = seals.load_public_key(released.root / "officer.pub")
    for options in ({}, {"officer_key": released.root / "officer.pub"}):
        found = check(released, bundle, **options)
        assert found.approval is not None
        assert found.approval.facts()["key_fingerprint"] == seals.fingerprint(officer)
        assert (found.approval.grant.officer, found.approval.grant.until) == ("Dr. Ada Byron", "2026-12-31")
        assert found.files == len(list_files(bundle))
    assert check(released, released.root / "plain").approval is None


def test_every_byte_of_the_approval_is_covered(released: Gate, bundle: Path) -> None:
    path = bundle / APPROVAL
    content = path.read_bytes()
    for position in range(0, len(content), 97):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        refused(released, bundle, APPROVAL)
    path.unlink()
    refused(released, bundle, "missing")


@pytest.mark.parametrize(
    ("day", "match"),
    [
        (date(2027, 1, 1), "intact, but the permission to use them ended on 2026-12-31. Ask the hospital"),
        (date(2026, 1, 30), "begins on 2026-01-31"),
    ],
)
def test_a_permission_holds_from_its_first_to_its_last_day(
    released: Gate, bundle: Path, day: date, match: str
) -> None:
    check(released, bundle, today=date(2026, 1, 31))
    check(released, bundle, today=date(2026, 12, 31))
    refused(released, bundle, match, today=day)
    check(released, released.root / "plain", today=day)


def test_a_recipient_may_insist_on_the_officer(released: Gate, bundle: Path) -> None:
    released.key_of("second")
    refused(released, bundle, "officer's key", officer_key=released.root / "second.pub")
    refused(released, released.root / "plain", "officer's key", officer_key=released.root / "officer.pub")
    with pytest.raises(UsageError):
        check(released, bundle, officer_key=released.root / "absent.pub")


def approve_differently(released: Gate, bundle: Path, **change: Any) -> None:
    """The officer's true signature, but under an audit in which one field is another."""
    approval = check(released, bundle).approval
    assert approval is not None
    other = dataclasses.replace(approval, audit=changed(approval.audit, **change))
    (bundle / APPROVAL).write_bytes(seals.sign(other.statement(), released.key_of("officer")))


@pytest.mark.parametrize(
    "change",
    [
        {"audit_sha256": "0" * 64},
        {"policy_sha256": "0" * 64},
        {"epsilon": 2.0},
        {"delta": 1e-6},
        {"overrides": ()},
    ],
)
def test_the_hospital_cannot_put_an_approval_of_something_else_in(
    released: Gate, bundle: Path, change: dict[str, Any]
) -> None:
    sign_again(released, bundle)
    check(released, bundle)
    approve_differently(released, bundle, **change)
    sign_again(released, bundle)
    refused(released, bundle, "very release")


def test_the_hospital_cannot_put_another_set_under_an_approval(released: Gate, bundle: Path) -> None:
    (bundle / layout.MANIFEST).write_bytes((bundle / layout.MANIFEST).read_bytes() + b"\n")
    sign_again(released, bundle)
    refused(released, bundle, "very release")


# What whoever holds the release key may do to the files of a set whose manifest was approved.
EXCHANGED: dict[str, Callable[[Path], object]] = {
    "other arrays": lambda set_: np.savez(set_ / "images.npz", images=np.zeros((6, 28, 28), np.uint8)),
    "another table": lambda set_: (set_ / "labels.csv").write_text("file,patient,label\n"),
    "a file more": lambda set_: (set_ / "dicom" / "000007.dcm").write_bytes(b"x"),
    "a file less": lambda set_: (set_ / "contact-sheet.png").unlink(),
}


@pytest.mark.parametrize("exchange", EXCHANGED.values(), ids=list(EXCHANGED))
def test_the_hospital_cannot_put_other_files_beside_an_approved_manifest(
    released: Gate, bundle: Path, exchange: Callable[[Path], object]
) -> None:
    exchange(bundle / layout.DATASET)
    sign_again(released, bundle)
    refused(released, bundle, "files that its manifest names")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda told: told.update(officer="Dr. Else"), "very release"),
        (lambda told: told.update(until="2030-12-31"), "very release"),
        (lambda told: told.update(key_fingerprint="0" * 64), "very release"),
        (lambda told: told.update(public_key="x"), "very release"),
        (lambda told: told.pop("public_key"), "very release"),
    ],
)
def test_the_hospital_cannot_say_otherwise_than_the_officer(
    released: Gate, bundle: Path, change: Callable[[dict[str, str]], object], match: str
) -> None:
    sign_again(released, bundle, lambda predicate: change(predicate["approval"]))
    refused(released, bundle, match)


def test_the_approval_stands_in_both_places_or_in_none(released: Gate, bundle: Path) -> None:
    sign_again(released, bundle, lambda predicate: predicate.pop("approval"))
    refused(released, bundle, "in none")
    plain = Path(shutil.copytree(released.root / "plain", bundle.parent / "plain"))
    sign_again(released, plain, lambda predicate: predicate.update(approval={}))
    refused(released, plain, "in none")


def test_one_key_is_not_two_people(released: Gate, bundle: Path) -> None:
    approval = check(released, bundle).approval
    assert approval is not None
    own = dataclasses.replace(approval, public_key=released.line_of("site"))
    (bundle / APPROVAL).write_bytes(seals.sign(own.statement(), released.key_of("site")))
    sign_again(released, bundle, lambda predicate: predicate.update(approval=own.facts()))
    refused(released, bundle, "two people")


def test_a_foreign_signature_under_the_officers_name_is_refused(released: Gate, bundle: Path) -> None:
    approval = check(released, bundle).approval
    assert approval is not None
    (bundle / APPROVAL).write_bytes(seals.sign(approval.statement(), released.key_of("site")))
    sign_again(released, bundle)
    refused(released, bundle, "by the officer's key")


@pytest.fixture
def withdrawn(released: Gate, tmp_path: Path) -> Path:
    """The file that the hospital sends; made on a copy, so that the other tests are not withdrawn."""
    root = Path(shutil.copytree(released.root, tmp_path / "copy"))
    key = released.key_of("officer")
    revoke(root / "report", root / "cohort", key, reason="wrong recipient", today=TODAY)
    return root / "report" / REVOCATION


def test_a_withdrawn_bundle_is_refused(released: Gate, bundle: Path, withdrawn: Path) -> None:
    refused(released, bundle, "withdrew its approval of this bundle on 2026-03-01", revocation=withdrawn)


def revocation_of(released: Gate, path: Path, by: str = "officer", **change: str) -> Path:
    found = Revocation(
        reason="x",
        revoked="2026-03-01",
        approval_sha256=change.get("approval_sha256", sha256_file(released.root / "bundle" / APPROVAL)),
        audit_sha256=change.get("audit_sha256", sha256_file(released.root / "report" / "audit.json")),
        public_key=released.line_of(by),
    )
    path.write_bytes(seals.sign(found.statement(), released.key_of(by)))
    return path


def test_a_withdrawal_covers_every_approval_of_its_audit_and_no_other(
    released: Gate, bundle: Path, tmp_path: Path
) -> None:
    nothing, path = "0" * 64, tmp_path / "r.json"
    for change in ({"approval_sha256": nothing}, {"audit_sha256": nothing}):
        refused(released, bundle, "withdrew", revocation=revocation_of(released, path, **change))
    both = {"approval_sha256": nothing, "audit_sha256": nothing}
    check(released, bundle, revocation=revocation_of(released, path, **both))


def test_a_withdrawal_by_anybody_else_says_nothing_and_is_refused(
    released: Gate, bundle: Path, tmp_path: Path
) -> None:
    foreign = revocation_of(released, tmp_path / "r.json", by="second")
    refused(released, bundle, "a revocation by the officer's key", revocation=foreign)
    refused(released, bundle, "a revocation", revocation=released.root / "bundle" / APPROVAL)
    with pytest.raises(UsageError, match="missing"):
        check(released, bundle, revocation=tmp_path / "absent")
    with pytest.raises(UsageError, match="none that could be withdrawn"):
        check(released, released.root / "plain", revocation=foreign)
