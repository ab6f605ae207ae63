"""The officer's verbs as processes: pinned by prepare, demanded by release, shown to the recipient, withdrawn."""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer

from privgan.data.cohort.cohort import open_cohort
from privgan_audits import seals
from privgan_audits.policy import Policy
from privgan_audits.release.approval import REVOCATION
from privgan_cli.main import app, run
from privgan_cli.verbs import demo
from tests.audits.releasing import Gate, make_gate

Privgan = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    gate = make_gate(tmp_path_factory.mktemp("gate"), officer="officer")
    gate.audit()
    return gate


def test_from_approval_to_withdrawal(privgan: Privgan, gate: Gate) -> None:
    """Approved, released, verified with both signatures; then withdrawn, and refused on both sides."""
    root, report, bundle = gate.root, gate.root / "report", gate.root / "bundle"
    until = (datetime.now(UTC).date() + timedelta(days=365)).isoformat()
    approve = ("approve", report, "--key", root / "officer.key", "--name", " Dr. Ada Byron ", "--until", until)
    done = privgan(*approve, "--purpose", "teaching", "--json")
    said = json.loads(done.stdout)
    assert (said["officer"], said["purpose"], said["until"]) == ("Dr. Ada Byron", "teaching", until)
    assert (said["verdict"], said["epsilon"], said["overrides"]) == ("PASS", 3.0, ["accept-delta"])
    for words in ("RED  Override --accept-delta", "20.1-fold", "Not covered"):
        assert words in done.stderr

    release = ("release", root / "synthetic", "--cohort", root / "cohort", "--report", report, "--to", bundle)
    released = json.loads(privgan(*release, "--key", root / "site.key", "--json").stdout)
    assert released["approval"]["key_fingerprint"] == said["key_fingerprint"]
    verify = ("verify", bundle, "--public-key", root / "site.pub", "--officer-key", root / "officer.pub")
    text = privgan(*verify).stdout
    for words in (released["key_fingerprint"][:16], said["key_fingerprint"][:16], "Dr. Ada Byron", f"until {until}"):
        assert words in text
    assert json.loads(privgan(*verify, "--json").stdout)["approval"] == released["approval"]

    told = privgan("revoke", report, "--key", root / "officer.key", "--cohort", root / "cohort", "--reason", "no")
    assert "--revocation" in told.stdout
    refusal = privgan(*verify, "--revocation", report / REVOCATION, code=6).stderr
    assert "withdrew its approval of this bundle" in refusal
    (report / REVOCATION).unlink()
    assert "for good" in privgan(*release, "--key", root / "site.key", "--force", code=6).stderr


def test_prepare_pins_the_key_of_the_policy(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The line of keygen goes into the policy, prepare takes it over, and another officer's policy cannot audit."""

    def run_here(*words: object, code: int = 0) -> str:
        assert run([str(word) for word in words]) == code
        return "".join(capsys.readouterr())

    lines = {}
    for name in ("officer", "second"):
        lines[name] = json.loads(run_here("keygen", tmp_path / name, "--no-passphrase", "--json"))["officer_key"]
        (tmp_path / f"{name}.toml").write_text(f'schema = 1\nofficer_key = "{lines[name]}"\n')
    assert lines["officer"] == seals.key_line(seals.load_public_key(tmp_path / "officer.pub"))
    prepare = ("prepare", source, tmp_path / "cohort", "--size", 28, "--accept-low-power")
    assert "approval by the officer's key" in run_here(*prepare, "--policy", tmp_path / "officer.toml")
    assert open_cohort(tmp_path / "cohort").facts.officer_key == lines["officer"]
    audit = ("audit", source, "--cohort", tmp_path / "cohort", "--report", tmp_path / "report")
    assert "pinned" in run_here(*audit, "--policy", tmp_path / "second.toml", code=6)
    (tmp_path / "bad.toml").write_text('schema = 1\nofficer_key = "AAAA"\n')
    assert "privgan keygen" in run_here(*prepare, "--policy", tmp_path / "bad.toml", code=2)
    assert run_here("approve", tmp_path / "report", "--key", "k", "--name", "x", "--until", "2020-01-01", code=2)


def test_the_demo_has_two_people(tmp_path: Path) -> None:
    """What it does before anything is prepared, and after the audit; release would refuse without the officer."""
    (tmp_path / "keys").mkdir()
    context = typer.Context(typer.main.get_command(app))
    assert demo._show_and_run_all(context, demo._keys(tmp_path)) == 0
    demo._pin_the_officer(tmp_path)
    policy = Policy.read(tmp_path / "policy.toml")
    gate = make_gate(tmp_path, officer="keys/officer")
    assert policy.officer_key == gate.line_of("keys/officer")
    gate.audit(lambda record: record.update(policy=policy.to_json()))
    approve, *rest = [
        words for words in demo._path(tmp_path) if words[0] in {"approve", "release", "verify", "budget"}
    ]
    assert demo._show_and_run_all(context, rest) == 6
    assert demo._show_and_run_all(context, [approve, *rest]) == 0
