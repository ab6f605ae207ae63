"""The recipient sees two signatures, and a bundle whose permission is foreign, ended or withdrawn is refused."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from privgan.errors import IntegrityError, UsageError
from privgan.files import list_files, sha256_file
from privgan_audits import bundle as layout
from privgan_audits import signing
from privgan_audits.approval import APPROVAL, REVOCATION, Revocation
from privgan_audits.signoff import revoke
from privgan_audits.verify import VerifiedBundle, verify
from tests.audits.releasing import TODAY, Gate, make_gate

Statement = dict[str, Any]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """Approved by the officer and released by the hospital; `plain` beside it without an approval."""
    root = tmp_path_factory.mktemp("gate")
    gate = make_gate(root)
    gate.audit()
    gate.release()
    (root / "bundle").rename(root / "plain")
    gate.approve()
    gate.release()
    return gate


@pytest.fixture
def bundle(released: Gate, tmp_path: Path) -> Path:
    return Path(shutil.copytree(released.root / "bundle", tmp_path / "bundle"))


def check(released: Gate, bundle: Path, **options: Any) -> VerifiedBundle:
    return verify(bundle, released.root / "site.pub", **{"today": TODAY, **options})


def refused(released: Gate, bundle: Path, match: str, **options: Any) -> None:
    with pytest.raises(IntegrityError, match=match):
        check(released, bundle, **options)


def sign_again(released: Gate, bundle: Path, change: Callable[[Statement], object] = lambda _: None) -> None:
    """Whoever holds the hospital's key alone signs what the bundle holds now, with a changed predicate."""
    files = [path for path in list_files(bundle) if path.name not in (layout.ATTESTATION, layout.SUMS)]
    digests = {path.relative_to(bundle).as_posix(): sha256_file(path) for path in files}
    site = released.key_of("site")
    predicate = signing.open_signed((bundle / layout.ATTESTATION).read_bytes(), site.public_key())["predicate"]
    change(predicate)
    envelope = signing.sign(signing.statement(digests, layout.PREDICATE_TYPE, predicate), site)
    (bundle / layout.ATTESTATION).write_bytes(envelope)
    (bundle / layout.SUMS).write_bytes(
        layout.sums_text({**digests, layout.ATTESTATION: sha256_file(bundle / layout.ATTESTATION)})
    )


def test_both_signatures_are_shown(released: Gate, bundle: Path) -> None:
    officer = signing.load_public_key(released.root / "officer.pub")
    for options in ({}, {"officer_key": released.root / "officer.pub"}):
        found = check(released, bundle, **options)
        assert found.approval is not None
        assert found.approval.facts()["key_fingerprint"] == signing.fingerprint(officer)
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
    other = dataclasses.replace(approval, audit=dataclasses.replace(approval.audit, **change))
    (bundle / APPROVAL).write_bytes(signing.sign(other.statement(), released.key_of("officer")))


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
    (bundle / APPROVAL).write_bytes(signing.sign(own.statement(), released.key_of("site")))
    sign_again(released, bundle, lambda predicate: predicate.update(approval=own.facts()))
    refused(released, bundle, "two people")


def test_a_foreign_signature_under_the_officers_name_is_refused(released: Gate, bundle: Path) -> None:
    approval = check(released, bundle).approval
    assert approval is not None
    (bundle / APPROVAL).write_bytes(signing.sign(approval.statement(), released.key_of("site")))
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
    path.write_bytes(signing.sign(found.statement(), released.key_of(by)))
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


def guide(released: Gate, bundle: Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    """Run the commands of VERIFY.md as they stand there."""
    scratch.mkdir()
    blocks = re.findall(r"```sh\n(.*?)```", (bundle / "VERIFY.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 8
    environment = {"PATH": os.environ["PATH"], "KEY": str(released.root / "site.pub"), "TMP": str(scratch)}
    script = "set -e -o pipefail\n" + "\n".join(blocks)
    return subprocess.run(
        ["bash", "-c", script], cwd=bundle, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def current(released: Gate, bundle: Path) -> Path:
    """The bundle with an approval that holds on the day that the shell's clock says."""
    approval = check(released, bundle).approval
    assert approval is not None
    today = datetime.now(UTC).date()
    days = {"approved": today.isoformat(), "until": (today + timedelta(days=1)).isoformat()}
    now = dataclasses.replace(approval, grant=dataclasses.replace(approval.grant, **days))
    (bundle / APPROVAL).write_bytes(signing.sign(now.statement(), released.key_of("officer")))
    sign_again(released, bundle, lambda predicate: predicate.update(approval=now.facts()))
    return bundle


def test_the_guide_checks_both_signatures_with_standard_tools(released: Gate, current: Path, tmp_path: Path) -> None:
    result = guide(released, current, tmp_path / "scratch")
    assert result.returncode == 0, result.stderr + result.stdout
    hospital, first, officer, second = result.stdout.splitlines()
    assert first == second == "Signature Verified Successfully"
    for line, name in ((hospital, "site"), (officer, "officer")):
        assert line.split()[0] == signing.fingerprint(signing.load_public_key(released.root / f"{name}.pub"))


def test_the_guide_finds_a_foreign_signature_of_the_officer(released: Gate, current: Path, tmp_path: Path) -> None:
    told = json.loads(json.dumps(signing.unverified((current / APPROVAL).read_bytes())))
    (current / APPROVAL).write_bytes(signing.sign(told, released.key_of("site")))
    sign_again(released, current)
    result = guide(released, current, tmp_path / "scratch")
    assert result.returncode != 0
    assert "Signature Verification Failure" in result.stdout


def test_the_guide_finds_another_audit(released: Gate, current: Path, tmp_path: Path) -> None:
    told = json.loads(json.dumps(signing.unverified((current / APPROVAL).read_bytes())))
    told["predicate"]["audit"]["audit_sha256"] = "0" * 64
    (current / APPROVAL).write_bytes(signing.sign(told, released.key_of("officer")))
    sign_again(released, current)
    result = guide(released, current, tmp_path / "scratch")
    assert result.returncode != 0
    assert "0" * 64 in result.stdout


def test_the_guide_finds_another_set(released: Gate, current: Path, tmp_path: Path) -> None:
    (current / layout.MANIFEST).write_bytes((current / layout.MANIFEST).read_bytes() + b"\n")
    sign_again(released, current)
    result = guide(released, current, tmp_path / "scratch")
    assert result.returncode != 0
    assert "dataset/manifest.json: FAILED" in result.stdout


def test_the_guide_finds_that_the_permission_ended(released: Gate, bundle: Path, tmp_path: Path) -> None:
    approval = check(released, bundle).approval
    assert approval is not None
    old = dataclasses.replace(
        approval, grant=dataclasses.replace(approval.grant, approved="2020-01-01", until="2020-12-31")
    )
    (bundle / APPROVAL).write_bytes(signing.sign(old.statement(), released.key_of("officer")))
    sign_again(released, bundle, lambda predicate: predicate.update(approval=old.facts()))
    result = guide(released, bundle, tmp_path / "scratch")
    assert result.returncode != 0
    assert result.stdout.splitlines()[-1] == "It ended on 2020-12-31."
