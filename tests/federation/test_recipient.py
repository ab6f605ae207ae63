"""Who receives a bundle of three hospitals: nobody was left out, invented, exchanged or withdrawn."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privgan import load, seals
from privgan.errors import IntegrityError, PrivganError, UsageError
from privgan.files import sha256_bytes
from privgan.folders import list_files
from privgan_audits.release import bundle as layout
from privgan_audits.release.approval import APPROVAL, Approval, opened
from privgan_audits.release.joint.agreement import Letters
from privgan_audits.release.recipient.packing import verifier
from tests.audits.releasing import Record, sign_again
from tests.federation.joint import NAMES, NORTH, SOUTH, WEST, Together

Harm = Callable[[Together], None]


def signed_again(together: Together, change: Callable[[Record], object] = lambda _: None) -> None:
    """Whoever released signs what lies there now."""
    sign_again(together.gate(NORTH), together.bundle, change)


def refused(together: Together, match: str, *names: str, kind: type[PrivganError] = IntegrityError) -> None:
    with pytest.raises(kind, match=match):
        together.verify(*names)


def placed(together: Together, site: str, letters: Letters) -> None:
    for place, content in zip(layout.places_of(site), (letters.statement, letters.approval), strict=True):
        (together.bundle / place).write_bytes(content)


def test_every_byte_of_every_word_is_covered(together: Together) -> None:
    for name in NAMES:
        for place in layout.places_of(name):
            path = together.bundle / place
            content = path.read_bytes()
            for position in range(0, len(content), 499):
                path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
                refused(together, path.name)
            path.write_bytes(content)
    assert together.verify().files == len(list_files(together.bundle))


@pytest.mark.parametrize("names", [(NORTH,), (SOUTH,), (NORTH, SOUTH), (SOUTH, WEST), (NORTH, NORTH, SOUTH)])
def test_a_key_of_every_hospital_is_needed(together: Together, names: tuple[str, ...]) -> None:
    """Whoever has one alone would believe whatever it says of the others."""
    refused(together, "one public key of each hospital.*which are 3", *names, kind=UsageError)


def test_another_hospitals_key_is_none(together: Together) -> None:
    seals.generate_key(together.root / "stranger", None)
    (together.root / SOUTH / "site.pub").write_bytes((together.root / "stranger.pub").read_bytes())
    refused(together, "another hospital or by another key")


def test_several_keys_open_no_bundle_of_one_hospital(released_alone: tuple[Path, list[Path]]) -> None:
    from privgan_audits.release.verify import verify
    from tests.audits.releasing import TODAY

    bundle, keys = released_alone
    with pytest.raises(UsageError, match="which are 1, got 2"):
        verify(bundle, keys, today=TODAY)


@pytest.fixture(scope="module")
def released_alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    from tests.audits.releasing import make_gate

    gate = make_gate(tmp_path_factory.mktemp("alone"))
    gate.audit()
    gate.release()
    gate.key_of("another")
    return gate.root / "bundle", [gate.root / "site.pub", gate.root / "another.pub"]


def dropped(together: Together) -> None:
    for place in layout.places_of(WEST):
        (together.bundle / place).unlink()


def named_as_two(together: Together) -> None:
    """The manifest, too, says two."""
    dropped(together)
    manifest = together.bundle / layout.MANIFEST
    manifest.write_bytes(manifest.read_bytes().replace(b'"sites": 3', b'"sites": 2'))


def as_of_one(together: Together) -> None:
    """And as if there had been one."""
    shutil.rmtree(together.bundle / layout.SITES)
    manifest = together.bundle / layout.MANIFEST
    table = json.loads(manifest.read_bytes())
    del table["federation"]
    manifest.write_text(json.dumps(table))


def without_federation(predicate: Record) -> None:
    del predicate["federation"]


def test_a_hospital_that_is_dropped_is_missed(together: Together) -> None:
    dropped(together)
    refused(together, f"{WEST}.*missing|missing.*{WEST}|{WEST}")
    signed_again(together)
    refused(together, "each hospital whose patients this set is of, got 2")
    refused(together, "which are 3, got 2", NORTH, SOUTH, kind=UsageError)


def test_a_manifest_that_is_rewritten_was_not_agreed_to(together: Together) -> None:
    named_as_two(together)
    signed_again(together, lambda predicate: predicate["federation"].update(sites=2))
    refused(together, "of another", NORTH, SOUTH)


def test_a_set_that_no_longer_names_others_is_another_set(together: Together) -> None:
    as_of_one(together)
    signed_again(together, without_federation)
    refused(together, "of another one|very release", NORTH)


def test_an_attestation_that_forgets_the_others_contradicts_the_manifest(together: Together) -> None:
    shutil.rmtree(together.bundle / layout.SITES)
    signed_again(together, without_federation)
    refused(together, "that the attestation names", NORTH)


def test_an_invented_hospital_is_none(together: Together) -> None:
    """West's place is taken by somebody whom the recipient did not ask for a key."""
    key, officer = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    sites = replace(together.sites, keys={**together.sites.keys, WEST: seals.key_line(key.public_key())})
    letters = together.letters(WEST)
    told = json.loads(json.dumps(seals.unverified(letters.statement)))
    approval = replace(opened(Approval, letters.approval), public_key=seals.key_line(officer.public_key()))
    envelope = seals.sign(approval.statement(), officer)
    told["predicate"] |= {"sites": dict(sites.keys), "approval": approval.facts()}
    told["subject"][0]["digest"]["sha256"] = sha256_bytes(envelope)
    placed(together, WEST, Letters(statement=seals.sign(told, key), approval=envelope))
    signed_again(together)
    refused(together, "of others|signature by the given key|another hospital")


def test_a_word_of_another_bundle_is_none(together: Together) -> None:
    told = together.sign(SOUTH, lambda said: said["subject"][1]["digest"].update(sha256="0" * 64))
    placed(together, SOUTH, told)
    signed_again(together)
    refused(together, f"The word of site {SOUTH}: .*another one")


def test_whoever_releases_says_what_it_said_to_the_others(together: Together) -> None:
    signed_again(together, lambda predicate: predicate.update(attempt=7))
    refused(together, "what that hospital's own word says")
    signed_again(together, lambda predicate: predicate.update(attempt=1, released_by=SOUTH))
    refused(together, "what that hospital's own word says")


def test_words_beside_a_set_of_one_hospital_are_refused(
    together: Together, released_alone: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    from privgan_audits.release.verify import verify
    from tests.audits.releasing import TODAY, Gate

    bundle, keys = released_alone
    root = Path(shutil.copytree(bundle.parent, tmp_path / "root"))
    (root / "bundle" / layout.SITES).mkdir()
    (root / "bundle" / layout.places_of(NORTH)[0]).write_bytes(together.letters(NORTH).statement)
    sign_again(Gate(root=root), root / "bundle")
    with pytest.raises(IntegrityError, match="got 1"):
        verify(root / "bundle", keys[:1], today=TODAY)


def test_any_officer_can_withdraw(together: Together) -> None:
    west = together.gate(WEST)
    west.take_back()
    revocation = together.root / WEST / "report" / "revocation.dsse.json"
    with pytest.raises(IntegrityError, match="withdrew its approval"):
        together.verify(revocation=revocation)
    stranger = Ed25519PrivateKey.generate()
    told = json.loads(json.dumps(seals.unverified(revocation.read_bytes())))
    told["predicate"]["public_key"] = seals.key_line(stranger.public_key())
    revocation.write_bytes(seals.sign(told, stranger))
    with pytest.raises(IntegrityError, match="by the officer's key"):
        together.verify(revocation=revocation)


def test_the_bundle_ends_when_the_first_approval_does(together: Together) -> None:
    with pytest.raises(IntegrityError, match="the permission to use them ended"):
        together.verify(today=date(2027, 1, 1))


def test_an_officer_whose_key_was_given_must_have_approved(together: Together) -> None:
    with pytest.raises(IntegrityError, match="officer's key that was given"):
        together.verify(officer_key=[together.root / SOUTH / "officer.pub", together.root / NORTH / "site.pub"])


def test_what_any_hospital_has_made_looser_is_told(together: Together) -> None:
    """And its word for the promise, if it is the weakest."""
    from privgan_audits.policy import Policy

    policy = Policy(max_auc=0.6, moderate_epsilon=2.0)

    def looser(record: Record) -> None:
        record["policy"] = policy.to_json()
        record["level"] = policy.level(1)

    together.audit(WEST, looser)
    together.agree(WEST)
    shutil.rmtree(together.bundle)
    together.release(NORTH)
    found = together.verify()
    assert found.strength == "weak"
    assert [line for line in found.looser if "max_auc" in line]
    text = (together.bundle / layout.README).read_text()
    assert "PASS UNDER A LOOSER POLICY, weak promise" in text


def current(together: Together) -> None:
    """Every approval holds on the day that this machine's clock says."""
    today = datetime.now(UTC).date()
    for name in NAMES:
        gate = together.gate(name)
        gate.approve(first=today.isoformat(), last=(today + timedelta(days=1)).isoformat(), force=True)
    together.agree(today=today)
    shutil.rmtree(together.bundle)
    together.release(today=today)


def test_the_verifier_alone_says_the_same(together: Together, tmp_path: Path) -> None:
    current(together)
    alone = tmp_path / "privgan-verify.pyz"
    alone.write_bytes(verifier())
    keys = [word for name in NAMES for word in ("--public-key", str(together.root / name / "site.pub"))]
    line = [sys.executable, "-P", str(alone), str(together.bundle), *keys]
    found = subprocess.run(line, capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]})
    assert "3 hospitals have signed" in found.stdout
    assert all(f"- {name}: PASS" in found.stdout for name in NAMES)
    few = subprocess.run(line[:-2], capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert (few.returncode, "which are 3, got 2" in few.stderr) == (2, True)


def test_it_is_loaded_with_the_keys_of_all(together: Together) -> None:
    current(together)
    keys = [together.root / name / "site.pub" for name in NAMES]
    loaded = load(together.bundle, keys)
    assert len(loaded.verified.sites) == len(NAMES)
    with pytest.raises(UsageError):
        load(together.bundle, keys[0])


def guide(together: Together, scratch: Path) -> subprocess.CompletedProcess[str]:
    """Run the commands of VERIFY.md as they stand there."""
    (scratch / "keys").mkdir(parents=True)
    (scratch / "tmp").mkdir()
    for name in NAMES:
        shutil.copy(together.root / name / "site.pub", scratch / "keys" / f"{name}.pub")
    blocks = re.findall(r"```sh\n(.*?)```", (together.bundle / "VERIFY.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 10
    places = {
        "KEY": str(scratch / "keys" / f"{NORTH}.pub"),
        "KEYS": str(scratch / "keys"),
        "TMP": str(scratch / "tmp"),
    }
    script = "set -e -o pipefail\n" + "\n".join(blocks)
    environment = {"PATH": os.environ["PATH"], **places}
    return subprocess.run(
        ["bash", "-c", script], cwd=together.bundle, env=environment, capture_output=True, text=True, check=False
    )


def test_the_guide_checks_all_signatures_with_standard_tools(together: Together, tmp_path: Path) -> None:
    current(together)
    found = guide(together, tmp_path / "scratch")
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.count("Signature Verified Successfully") == 2 + 2 * len(NAMES)
    text = (together.bundle / "VERIFY.md").read_text()
    assert all(seals.fingerprint(together.gate(name).key.public_key()) in text for name in NAMES)


@pytest.mark.parametrize("harm", [dropped, named_as_two])
def test_the_guide_misses_a_hospital_that_was_dropped(together: Together, tmp_path: Path, harm: Harm) -> None:
    current(together)
    harm(together)
    signed_again(
        together, lambda predicate: predicate["federation"].update(sites=2) if harm is named_as_two else None
    )
    found = guide(together, tmp_path / "scratch")
    assert found.returncode != 0, found.stdout


def test_the_guide_finds_another_hospitals_key(together: Together, tmp_path: Path) -> None:
    current(together)
    seals.generate_key(together.root / "stranger", None)
    shutil.copy(together.root / "stranger.pub", together.root / SOUTH / "site.pub")
    found = guide(together, tmp_path / "scratch")
    assert found.returncode != 0
    assert "Signature Verification Failure" in found.stdout


def test_the_officers_approval_of_whoever_releases_is_in_both_places(together: Together) -> None:
    assert (together.bundle / APPROVAL).read_bytes() == (together.bundle / layout.places_of(NORTH)[1]).read_bytes()
