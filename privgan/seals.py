"""Ed25519 keys, and statements signed so that any DSSE or in-toto tool can check them.

Envelope: DSSE v1.0 (secure-systems-lab/dsse); payload: in-toto Statement v1. The signature covers the
pre-authentication encoding "DSSEv1 LEN(type) type LEN(body) body", so that a payload cannot be taken for one
of another type.
"""

import base64
import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from privgan.errors import IntegrityError, UsageError
from privgan.files import (
    PRIVATE_FILE,
    SHAREABLE_FILE,
    canonical_json,
    open_new,
    open_regular,
    sha256_bytes,
    sync_folder,
)
from privgan.language import to_tr

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_OTHERS = 0o077
_KEY_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True)
class KeyPair:
    """Where a new key was written; `fingerprint` names its public half."""

    private: Path
    public: Path
    fingerprint: str


def generate_key(name: Path, passphrase: bytes | None) -> KeyPair:
    """Write NAME.key (PKCS8 PEM, 0600, encrypted when a passphrase is given) and NAME.pub (PEM).

    Raises:
        UsageError: one of the two exists, or the folder is missing; nothing is written then.
    """
    private, public = name.with_name(f"{name.name}.key"), name.with_name(f"{name.name}.pub")
    if not name.parent.is_dir():
        raise UsageError(f"Expected an existing folder for the key, {name.parent} is missing.")
    if os.path.lexists(public):
        raise UsageError(f"Expected a new key, {public} exists. Choose another name.")
    key = Ed25519PrivateKey.generate()
    with open_new(private, PRIVATE_FILE) as stream:
        stream.write(_private_pem(key, passphrase))
    try:
        with open_new(public, SHAREABLE_FILE) as stream:
            stream.write(public_pem(key.public_key()))
    except BaseException:
        private.unlink()
        raise
    sync_folder(name.parent)
    return KeyPair(private=private, public=public, fingerprint=fingerprint(key.public_key()))


def _private_pem(key: Ed25519PrivateKey, passphrase: bytes | None) -> bytes:
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def public_pem(key: Ed25519PublicKey) -> bytes:
    """PEM of a public key, as openssl reads it."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def fingerprint(key: Ed25519PublicKey) -> str:
    """Hex SHA-256 of the key's DER form: `openssl pkey -pubin -outform DER | sha256sum` prints the same."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return sha256_bytes(der)


def key_id(key: Ed25519PublicKey) -> str:
    """How envelopes name a key: what securesystemslib, and with it in-toto, computes of it.

    DSSE leaves it open, but that library looks a signature up by it.
    """
    public = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
    return sha256_bytes(canonical_json({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public}}))


def key_line(key: Ed25519PublicKey) -> str:
    """A public key in one line: the base64 line of its PEM file, as it stands in a policy and in statements."""
    return "".join(public_pem(key).decode().splitlines()[1:-1])


def key_of_line(line: str) -> Ed25519PublicKey:
    """The public key that `key_line` wrote.

    Raises:
        UsageError: it is not the line of an Ed25519 public key.
    """
    wrong = UsageError(
        "Expected an Ed25519 public key in one line, the middle line of a NAME.pub that 'privgan keygen' wrote."
    )
    try:
        key = serialization.load_der_public_key(base64.b64decode(line, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        raise wrong from None
    if not isinstance(key, Ed25519PublicKey) or key_line(key) != line:
        raise wrong
    return key


def is_encrypted(path: Path) -> bool:
    """Whether a private key needs a passphrase, so that the caller knows to ask for one.

    Raises:
        UsageError: see `load_private_key`.
    """
    return b"BEGIN ENCRYPTED PRIVATE KEY" in _read_private(path)


def load_private_key(path: Path, passphrase: bytes | None = None) -> Ed25519PrivateKey:
    """Read a private key that only its owner can read.

    Raises:
        UsageError: missing, a link, readable by others, not Ed25519 PEM, or the passphrase is wrong or missing.
    """
    content = _read_private(path)
    encrypted = b"BEGIN ENCRYPTED PRIVATE KEY" in content
    if encrypted and not passphrase:
        raise UsageError(f"Expected a passphrase for the key {path.name}, got none.")
    try:
        key = serialization.load_pem_private_key(content, passphrase if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        hint = to_tr("The passphrase may be wrong." if encrypted else "Make one with 'privgan keygen'.")
        raise UsageError(f"Expected an Ed25519 private key in {path.name}, it cannot be read. {hint}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"Expected an Ed25519 private key in {path.name}, got another kind.")
    return key


def _read_private(path: Path) -> bytes:
    if path.is_symlink():
        raise UsageError(f"Expected a private key itself, {path} is a link to one. Name the file that it leads to.")
    content, mode = _read_key(path)
    if mode & _OTHERS:
        raise UsageError(
            f"Expected a private key that only you can read, {path} has mode {mode:04o}. "
            f"Run 'chmod 600' on it, and make a new key if others may have read this one."
        )
    return content


def load_public_key(path: Path) -> Ed25519PublicKey:
    """Read a public key, through a link if it is one: there is nothing to hide in it.

    Raises:
        UsageError: missing, not a regular file, or not an Ed25519 public key in PEM.
    """
    content, _ = _read_key(path.resolve())
    try:
        key = serialization.load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(f"Expected an Ed25519 public key in PEM form in {path.name}.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"Expected an Ed25519 public key in {path.name}, got another kind.")
    return key


def _read_key(path: Path) -> tuple[bytes, int]:
    try:
        with open_regular(path) as stream:
            return stream.read(_KEY_BYTES), stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
    except IntegrityError as error:
        raise UsageError(f"Expected a key file {path}. {error}") from None


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """The content of a regular file that anybody may have put there.

    Raises:
        IntegrityError: missing, not regular, or larger than what it is for needs.
    """
    with open_regular(path) as stream:
        content: bytes = stream.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise IntegrityError(f"Expected at most {most_bytes} bytes in {path.name}.")
    return content


def in_toto(subjects: dict[str, str], predicate_type: str, predicate: dict[str, Any]) -> dict[str, Any]:
    """An in-toto Statement v1 about files.

    Args:
        subjects: hex SHA-256 by relative path.
        predicate_type: URI of the predicate's form.
        predicate: what is stated about the subjects.
    """
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(subjects.items())],
        "predicateType": predicate_type,
        "predicate": predicate,
    }


def sign(value: dict[str, Any], key: Ed25519PrivateKey) -> bytes:
    """The bytes of a DSSE envelope around a statement: JSON with one field a line, so that sed can read it."""
    payload = canonical_json(value)
    return _envelope(payload, key.sign(pae(payload)), key_id(key.public_key()))


def open_signed(content: bytes, key: Ed25519PublicKey) -> dict[str, Any]:
    """The statement in an envelope that this key has signed.

    Only the exact bytes that `sign` writes are accepted, so that nothing can be changed that no digest covers; or
    wrote before, when a key was named by its fingerprint.

    Raises:
        IntegrityError: not such an envelope, or not signed by this key.
    """
    payload, signature = _parts(content)
    try:
        key.verify(signature, pae(payload))
    except InvalidSignature:
        raise IntegrityError("Expected a signature by the given key, it does not match: edited or foreign.") from None
    if content not in [_envelope(payload, signature, name) for name in (key_id(key), fingerprint(key))]:
        raise IntegrityError("Expected the envelope as it was signed, something around the signature was edited.")
    return _statement(payload)


def unverified(content: bytes) -> dict[str, Any]:
    """The statement in an envelope whoever signed it: only to find the key that it names, never to believe it.

    Raises:
        IntegrityError: not an envelope around a statement.
    """
    payload, _ = _parts(content)
    return _statement(payload)


def is_envelope(content: bytes) -> bool:
    """Whether it is one from its first byte to its last, whoever signed it and whatever it says."""
    with suppress(IntegrityError):
        _parts(content)
        return True
    return False


def pae(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding.

    >>> pae(b"{}")
    b'DSSEv1 28 application/vnd.in-toto+json 2 {}'
    """
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def _parts(content: bytes) -> tuple[bytes, bytes]:
    """Payload and signature of an envelope."""
    try:
        table = json.loads(content)
        payload = base64.b64decode(table["payload"], validate=True)
        signature = base64.b64decode(table["signatures"][0]["sig"], validate=True)
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        raise IntegrityError("Expected a signed DSSE envelope, it cannot be read.") from None
    return payload, signature


def _statement(payload: bytes) -> dict[str, Any]:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or value.get("_type") != STATEMENT_TYPE:
        raise IntegrityError("Expected an in-toto statement, the signed payload is something else.")
    return value


def _envelope(payload: bytes, signature: bytes, key_id: str) -> bytes:
    encoded = base64.b64encode(payload).decode(), base64.b64encode(signature).decode()
    envelope = {
        "payloadType": PAYLOAD_TYPE,
        "payload": encoded[0],
        "signatures": [{"keyid": key_id, "sig": encoded[1]}],
    }
    return json.dumps(envelope, indent=1).encode() + b"\n"
