"""What a recipient runs: offline, with nothing but the bundle and the hospital's public key.

Imports neither torch nor pydicom, decodes no image, and trusts nothing in the bundle before the signature over
it has been checked.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from privgan.errors import IntegrityError, UsageError
from privgan.files import open_regular, require_exact_files, sha256_bytes
from privgan.progress import Progress, silent
from privgan_audits.bundle import ATTESTATION, SUMS, subjects_of, sums_text
from privgan_audits.signing import fingerprint, load_public_key, open_signed

_LARGEST_ATTESTATION_BYTES = 1 << 28


@dataclass(frozen=True, kw_only=True)
class VerifiedBundle:
    """What the signature covers, as the signer stated it.

    epsilon, delta: of the released run, per `unit`. files: how many were checked, the attestation and
    SHA256SUMS included. key_fingerprint: hex SHA-256 of the public key. signed: the day, YYYY-MM-DD.
    overrides: the warnings that the hospital accepted; the recipient should see them.
    """

    epsilon: float
    delta: float
    unit: str
    adjacency: str
    verdict: str
    scope: str
    overrides: tuple[str, ...]
    files: int
    key_fingerprint: str
    signed: str
    privgan_version: str


def verify(bundle: Path, public_key: Path, progress: Progress = silent) -> VerifiedBundle:
    """Check the signature, every digest and the exact list of files.

    Raises:
        UsageError: the bundle or the key is missing, or the key is not an Ed25519 public key.
        IntegrityError: unsigned, signed with another key, or a file is edited, extra, missing or not regular.
    """
    key = load_public_key(public_key)
    if not bundle.is_dir():
        raise UsageError(f"Expected a bundle, {bundle} is missing or not a folder.")
    attestation = _read(bundle / ATTESTATION)
    statement = open_signed(attestation, key)
    digests = {**subjects_of(statement), ATTESTATION: sha256_bytes(attestation)}
    sums = sums_text(digests)
    require_exact_files(bundle, {**digests, SUMS: sha256_bytes(sums)}, progress)
    return _summary(statement, files=len(digests) + 1, key_fingerprint=fingerprint(key))


def _read(path: Path) -> bytes:
    with open_regular(path) as stream:
        content: bytes = stream.read(_LARGEST_ATTESTATION_BYTES + 1)
    if len(content) > _LARGEST_ATTESTATION_BYTES:
        raise IntegrityError(f"Expected at most {_LARGEST_ATTESTATION_BYTES} bytes in {path.name}.")
    return content


def _summary(statement: dict[str, Any], *, files: int, key_fingerprint: str) -> VerifiedBundle:
    try:
        predicate = statement["predicate"]
        privacy = predicate["privacy"]
        summary = VerifiedBundle(
            epsilon=float(privacy["epsilon"]),
            delta=float(privacy["delta"]),
            unit=str(privacy["unit"]),
            adjacency=str(privacy["adjacency"]),
            verdict=str(predicate["verdict"]),
            scope=str(predicate["scope"]),
            overrides=tuple(map(str, predicate["overrides"])),
            files=files,
            key_fingerprint=key_fingerprint,
            signed=str(predicate["signed"]),
            privgan_version=str(predicate["privgan_version"]),
        )
    except (KeyError, TypeError, ValueError):
        raise IntegrityError("Expected the privacy spend and the verdict in the attestation.") from None
    if summary.verdict != "PASS":
        raise IntegrityError("Expected a released bundle to carry the verdict PASS, this one does not.")
    return summary
