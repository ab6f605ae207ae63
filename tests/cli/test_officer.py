"""The officer's verbs as processes: pinned by prepare, demanded by release, shown to the recipient, withdrawn."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer

from privgan import seals
from privgan.data.cohort.cohort import open_cohort
from privgan.data.phantoms.phantom_records import COLUMNS
from privgan_audits.policy import Policy
from privgan_audits.release.approval import APPROVAL, REJECTION, REVOCATION
from privgan_cli.line import demonstrated
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
    assert "--recipient" in privgan(*approve, "--purpose", "teaching", code=2).stderr
    approve = (*approve, "--purpose", "teaching", "--recipient", "Anytown University")
    assert "Expected --cohort" in privgan(*approve, "--yes", code=2).stderr
    approve = (*approve, "--cohort", root / "cohort")
    assert "--reason: why --accept-delta" in privgan(*approve, "--yes", code=2).stderr
    approve = (*approve, "--reason", "the cohort is small")
    assert "a terminal to confirm on, or --yes" in privgan(*approve, code=2).stderr
    assert not (report / APPROVAL).exists()
    done = privgan(*approve, "--yes", "--json")
    said = json.loads(done.stdout)
    assert (said["officer"], said["purpose"], said["until"]) == ("Dr. Ada Byron", "teaching", until)
    assert (said["verdict"], said["epsilon"], said["overrides"]) == ("PASS", 3.0, ["accept-delta"])
    assert (said["strength"], said["reason"]) == ("moderate", "the cohort is small")
    for words in ("RED  Override: --accept-delta was given", "from 50 % at most 96 %, by any means", "Not covered"):
        assert words in done.stderr

    release = ("release", root / "synthetic", "--cohort", root / "cohort", "--report", report, "--to", bundle)
    release = (*release, "--run", root / "synthetic-run")
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


@pytest.mark.parametrize("typed", ["PASS", "the set", "wrong"])
def test_on_a_terminal_the_verdict_and_the_set_are_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str
) -> None:
    gate = make_gate(tmp_path, officer="officer")
    gate.audit(lambda record: record.update(overrides=[]))
    short = gate.record()["synthetic"]["sha256"][:12]
    line = {"PASS": "PASS", "the set": f" PASS  {short}", "wrong": f"FAIL {short}"}[typed]
    terminal = io.StringIO(f"{line}\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    until = datetime.now(UTC).date().isoformat()
    words = ("approve", tmp_path / "report", "--key", tmp_path / "officer.key", "--name", "A", "--until", until)
    words = (*words, "--cohort", tmp_path / "cohort", "--purpose", "p", "--recipient", "r")
    code = run([*map(str, words)])
    said = capsys.readouterr()
    assert f'Type "PASS {short}" (verdict and set) to sign' in said.err
    assert "moderate promise" in said.err
    assert (code, (tmp_path / "report" / APPROVAL).exists()) == ((0, True) if typed == "the set" else (2, False))
    assert typed == "the set" or "not signed" in said.err


def test_a_rejected_set_stays(privgan: Privgan, tmp_path: Path) -> None:
    gate = make_gate(tmp_path, officer="officer")
    gate.audit()
    gate.approve()
    report, words = tmp_path / "report", ("--cohort", tmp_path / "cohort", "--name", "Dr. Ada Byron")
    key = ("--key", tmp_path / "officer.key")
    said = json.loads(privgan("reject", report, *key, *words, "--reason", "no contract", "--json").stdout)
    assert (said["officer"], said["reason"]) == ("Dr. Ada Byron", "no contract")
    assert (report / REJECTION).is_file()
    release = ("release", tmp_path / "synthetic", "--cohort", tmp_path / "cohort", "--report", report)
    release = (*release, "--run", tmp_path / "synthetic-run")
    refusal = privgan(*release, "--to", tmp_path / "bundle", "--key", tmp_path / "site.key", code=6).stderr
    assert f"Dr. Ada Byron rejected this set on {said['rejected']}" in refusal
    assert "Dr. Ada Byron, on" in (report / "audit.html").read_text()


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
    grant = ("--name", "x", "--until", "2020-01-01", "--purpose", "p", "--recipient", "r", "--yes")
    assert run_here("approve", tmp_path / "report", "--key", "k", *grant, code=2)


def test_the_demo_has_two_people(tmp_path: Path) -> None:
    """What it does before anything is prepared, and after the audit; release would refuse without the officer."""
    (tmp_path / "keys").mkdir()
    context = typer.Context(typer.main.get_command(app))
    lines = demonstrated.of_one(tmp_path, columns=COLUMNS, size=28, epsilon=5.0, count=6)
    assert demo._show_and_run_all(context, [words for words in lines if words[0] == "keygen"]) == 0
    policy = Policy.read(tmp_path / "policy.toml")
    gate = make_gate(tmp_path, officer="keys/officer")
    assert policy.officer_key == gate.line_of("keys/officer")
    (tmp_path / "synthetic-run").rename(tmp_path / "run")
    gate.audit(lambda record: record.update(policy=policy.to_json(), overrides=[]))
    approve, *rest = [words for words in lines if words[0] in {"approve", "release", "verify", "budget"}]
    assert demo._show_and_run_all(context, rest) == 6
    assert demo._show_and_run_all(context, [approve, *rest]) == 0
