"""The guide in a bundle, VERIFY.md: its commands, run as they stand there, find what `verify` finds."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from privgan import seals
from privgan_audits.release import bundle as layout
from privgan_audits.release.approval import APPROVAL, Approval, opened
from tests.audits.release.test_verify import forged_signature
from tests.audits.release.test_verify_approval import EXCHANGED
from tests.audits.releasing import Gate, sign_again


@pytest.fixture
def plain(released: Gate, tmp_path: Path) -> Path:
    return Path(shutil.copytree(released.root / "plain", tmp_path / "bundle"))


def guide(released: Gate, bundle: Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    """Run the commands of VERIFY.md as they stand there."""
    scratch.mkdir()
    blocks = re.findall(r"```sh\n(.*?)```", (bundle / "VERIFY.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == (8 if (bundle / APPROVAL).exists() else 5)
    environment = {"PATH": os.environ["PATH"], "KEY": str(released.root / "site.pub"), "TMP": str(scratch)}
    script = "set -e -o pipefail\n" + "\n".join(blocks)
    return subprocess.run(
        ["bash", "-c", script], cwd=bundle, env=environment, capture_output=True, text=True, check=False
    )


def test_the_guide_works_with_standard_tools_alone(released: Gate, plain: Path, tmp_path: Path) -> None:
    result = guide(released, plain, tmp_path / "scratch")
    assert result.returncode == 0, result.stderr
    fingerprint, verified = result.stdout.splitlines()
    assert fingerprint.split()[0] in (plain / "VERIFY.md").read_text()
    assert verified == "Signature Verified Successfully"


@pytest.mark.parametrize(
    "harm",
    [
        lambda b: (b / "dataset" / "extra.dcm").write_bytes(b"x"),
        lambda b: (b / "dataset" / "labels.csv").write_bytes(b"file,patient,label\n"),
        lambda b: (b / "dataset" / "labels.csv").unlink(),
        lambda b: (b / "SHA256SUMS").write_text("0" * 64 + "  VERIFY.md\n"),
        forged_signature,
    ],
)
def test_the_guide_finds_what_verify_finds(
    released: Gate, plain: Path, tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    harm(plain)
    assert guide(released, plain, tmp_path / "scratch").returncode != 0


def grant_again(released: Gate, bundle: Path, approved: str, until: str) -> None:
    """The officer's own approval, for other days."""
    approval = opened(Approval, (bundle / APPROVAL).read_bytes())
    other = dataclasses.replace(approval, grant=dataclasses.replace(approval.grant, approved=approved, until=until))
    (bundle / APPROVAL).write_bytes(seals.sign(other.statement(), released.key_of("officer")))
    sign_again(released, bundle, lambda predicate: predicate.update(approval=other.facts()))


@pytest.fixture
def current(released: Gate, bundle: Path) -> Path:
    """The bundle with an approval that holds on the day that the shell's clock says."""
    today = datetime.now(UTC).date()
    grant_again(released, bundle, today.isoformat(), (today + timedelta(days=1)).isoformat())
    return bundle


def test_the_guide_checks_both_signatures_with_standard_tools(released: Gate, current: Path, tmp_path: Path) -> None:
    result = guide(released, current, tmp_path / "scratch")
    assert result.returncode == 0, result.stderr + result.stdout
    hospital, first, officer, second = result.stdout.splitlines()
    assert first == second == "Signature Verified Successfully"
    for line, name in ((hospital, "site"), (officer, "officer")):
        assert line.split()[0] == seals.fingerprint(seals.load_public_key(released.root / f"{name}.pub"))


def test_the_guide_finds_a_foreign_signature_of_the_officer(released: Gate, current: Path, tmp_path: Path) -> None:
    told = json.loads(json.dumps(seals.unverified((current / APPROVAL).read_bytes())))
    (current / APPROVAL).write_bytes(seals.sign(told, released.key_of("site")))
    sign_again(released, current)
    result = guide(released, current, tmp_path / "scratch")
    assert result.returncode != 0
    assert "Signature Verification Failure" in result.stdout


def test_the_guide_finds_another_audit(released: Gate, current: Path, tmp_path: Path) -> None:
    told = json.loads(json.dumps(seals.unverified((current / APPROVAL).read_bytes())))
    told["predicate"]["audit"]["audit_sha256"] = "0" * 64
    (current / APPROVAL).write_bytes(seals.sign(told, released.key_of("officer")))
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


@pytest.mark.parametrize("exchange", EXCHANGED.values(), ids=list(EXCHANGED))
def test_the_guide_finds_other_files_beside_an_approved_manifest(
    released: Gate, current: Path, tmp_path: Path, exchange: Callable[[Path], object]
) -> None:
    exchange(current / layout.DATASET)
    sign_again(released, current)
    result = guide(released, current, tmp_path / "scratch")
    assert result.returncode != 0
    assert "dataset/" in result.stdout + result.stderr


def test_the_guide_finds_that_the_permission_ended(released: Gate, bundle: Path, tmp_path: Path) -> None:
    grant_again(released, bundle, "2020-01-01", "2020-12-31")
    result = guide(released, bundle, tmp_path / "scratch")
    assert result.returncode != 0
    assert result.stdout.splitlines()[-1] == "It ended on 2020-12-31."
