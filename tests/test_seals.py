"""Keys that others cannot read, and envelopes that nothing can be changed in."""

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from in_toto.exceptions import SignatureVerificationError
from in_toto.models import metadata as in_toto
from in_toto.models.metadata import Metadata
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from privgan import seals
from privgan.errors import IntegrityError, UsageError

STATEMENT = seals.in_toto({"a": "00" * 32}, "urn:test", {"x": 1})


def test_a_key_signs_and_its_public_half_opens(tmp_path: Path) -> None:
    pair = seals.generate_key(tmp_path / "site", None)
    assert pair.private.stat().st_mode & 0o777 == 0o600
    assert not seals.is_encrypted(pair.private)
    signed = seals.sign(STATEMENT, seals.load_private_key(pair.private))
    assert seals.open_signed(signed, seals.load_public_key(pair.public)) == STATEMENT


def test_a_passphrase_is_needed_when_one_was_given(tmp_path: Path) -> None:
    pair = seals.generate_key(tmp_path / "site", b"correct horse")
    assert seals.is_encrypted(pair.private)
    seals.load_private_key(pair.private, b"correct horse")
    for wrong in (None, b"", b"battery"):
        with pytest.raises(UsageError, match="passphrase"):
            seals.load_private_key(pair.private, wrong)


@pytest.mark.parametrize("taken", ["site.key", "site.pub"])
def test_an_existing_key_is_never_replaced(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("precious")
    with pytest.raises(UsageError, match="exists"):
        seals.generate_key(tmp_path / "site", None)
    assert [path.name for path in tmp_path.iterdir()] == [taken]
    assert (tmp_path / taken).read_text() == "precious"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    pair = seals.generate_key(tmp_path / "site", None)
    pair.private.chmod(mode)
    with pytest.raises(UsageError, match="only you can read"):
        seals.load_private_key(pair.private)


def test_what_is_no_key_is_a_usage_error(tmp_path: Path) -> None:
    pair = seals.generate_key(tmp_path / "site", None)
    other = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    wrong_kind, junk, link = tmp_path / "ec.key", tmp_path / "junk", tmp_path / "link"
    wrong_kind.write_bytes(other.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    junk.write_text("no key")
    link.symlink_to(pair.private)
    for path in (wrong_kind, junk, pair.public):
        path.chmod(0o600)
    for path in (wrong_kind, junk, link, pair.public, tmp_path / "absent"):
        with pytest.raises(UsageError):
            seals.load_private_key(path)
    for path in (junk, pair.private, tmp_path / "absent"):
        with pytest.raises(UsageError):
            seals.load_public_key(path)


def test_the_fingerprint_is_what_openssl_computes(tmp_path: Path) -> None:
    pair = seals.generate_key(tmp_path / "site", None)
    command = f"openssl pkey -pubin -in '{pair.public}' -outform DER | sha256sum"
    printed = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout
    assert printed.split()[0] == pair.fingerprint


def test_securesystemslib_and_in_toto_accept_an_envelope_without_being_told_more(tmp_path: Path) -> None:
    pair = seals.generate_key(tmp_path / "site", None)
    signed = tmp_path / "statement.dsse.json"
    signed.write_bytes(seals.sign(STATEMENT, seals.load_private_key(pair.private)))
    key = SSlibKey.from_crypto(seals.load_public_key(pair.public))
    envelope = Metadata.load(str(signed))
    assert isinstance(envelope, in_toto.Envelope)
    envelope.verify_signature({"keyid": key.keyid, **key.to_dict()})
    assert json.loads(envelope.payload) == STATEMENT
    Envelope.from_dict(json.loads(signed.read_bytes())).verify([key], 1)
    other = SSlibKey.from_crypto(Ed25519PrivateKey.generate().public_key())
    with pytest.raises(SignatureVerificationError):
        envelope.verify_signature({"keyid": other.keyid, **other.to_dict()})
    with pytest.raises(VerificationError):
        Envelope.from_dict(json.loads(signed.read_bytes())).verify([other], 1)


def test_openssl_accepts_a_signature(tmp_path: Path) -> None:
    pair = seals.generate_key(tmp_path / "site", None)
    table = json.loads(seals.sign(STATEMENT, seals.load_private_key(pair.private)))
    (tmp_path / "message").write_bytes(seals.pae(base64.b64decode(table["payload"])))
    (tmp_path / "signature").write_bytes(base64.b64decode(table["signatures"][0]["sig"]))
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-rawin", "-inkey", pair.public, "-in", "message"]
    told = subprocess.run([*words, "-sigfile", "signature"], cwd=tmp_path, capture_output=True, check=False)
    assert told.returncode == 0, told.stderr
    (tmp_path / "message").write_bytes(seals.pae(b"{}"))
    assert subprocess.run(
        [*words, "-sigfile", "signature"], cwd=tmp_path, capture_output=True, check=False
    ).returncode


def test_an_envelope_that_names_its_key_by_the_fingerprint_still_opens(tmp_path: Path) -> None:
    """As earlier versions signed."""
    pair = seals.generate_key(tmp_path / "site", None)
    key = seals.load_public_key(pair.public)
    signed = seals.sign(STATEMENT, seals.load_private_key(pair.private))
    earlier = signed.replace(seals.key_id(key).encode(), pair.fingerprint.encode())
    assert earlier != signed
    assert seals.open_signed(earlier, key) == STATEMENT
    with pytest.raises(IntegrityError, match="around the signature"):
        seals.open_signed(signed.replace(seals.key_id(key).encode(), b"0" * 64), key)


def test_a_public_key_in_one_line_is_the_middle_of_its_file(tmp_path: Path) -> None:
    pair = seals.generate_key(tmp_path / "site", None)
    key = seals.load_public_key(pair.public)
    line = pair.public.read_text().splitlines()[1]
    assert seals.key_line(key) == line
    assert seals.fingerprint(seals.key_of_line(line)) == pair.fingerprint
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = other.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    for wrong in (
        "",
        "AAAA",
        f"{line} ",
        f"{line}\n",
        line[:-4],
        "\xe9",
        base64.b64encode(der).decode(),
        line + "AAAA",
    ):
        with pytest.raises(UsageError, match="keygen"):
            seals.key_of_line(wrong)


def respaced(envelope: bytes) -> bytes:
    return envelope.replace(b"\n", b"\n\n", 1)


def with_field(envelope: bytes) -> bytes:
    return json.dumps({**json.loads(envelope), "note": "trust me"}, indent=1).encode() + b"\n"


def other_type(envelope: bytes) -> bytes:
    return envelope.replace(b"in-toto+json", b"in-toto+yaml")


def other_payload(envelope: bytes) -> bytes:
    table = json.loads(envelope)
    payload = base64.b64decode(table["payload"]).replace(b"urn:test", b"urn:best")
    return json.dumps({**table, "payload": base64.b64encode(payload).decode()}, indent=1).encode() + b"\n"


def unsigned(envelope: bytes) -> bytes:
    return json.dumps({**json.loads(envelope), "signatures": []}, indent=1).encode() + b"\n"


@pytest.mark.parametrize(
    "change",
    [
        respaced,
        with_field,
        other_type,
        other_payload,
        unsigned,
        lambda _: b"{}",
        lambda _: b"",
        lambda _: b"[" * 9999,
    ],
)
def test_any_change_of_an_envelope_is_found(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    pair = seals.generate_key(tmp_path / "site", None)
    signed = seals.sign(STATEMENT, seals.load_private_key(pair.private))
    assert change(signed) != signed
    with pytest.raises(IntegrityError):
        seals.open_signed(change(signed), seals.load_public_key(pair.public))


def test_a_foreign_key_opens_nothing(tmp_path: Path) -> None:
    ours = seals.generate_key(tmp_path / "ours", None)
    theirs = seals.generate_key(tmp_path / "theirs", None)
    signed = seals.sign(STATEMENT, seals.load_private_key(ours.private))
    with pytest.raises(IntegrityError, match="foreign"):
        seals.open_signed(signed, seals.load_public_key(theirs.public))
