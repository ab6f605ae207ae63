"""What happens to a bundle on its way, and what to do: the commonest harmless reasons why it no longer verifies.

Nothing is forgiven here; a bundle that fails fails. Its errors say more.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from privgan.errors import IntegrityError, UsageError
from privgan.files import sha256_bytes
from privgan.folders import list_entries
from privgan.language import kept, to_tr
from privgan.seals import read_bounded
from privgan_audits.release.bundle import ATTESTATION

_LITTER = frozenset((".ds_store", "thumbs.db", "desktop.ini", ".directory", ".git", "__macosx", "@eadir"))
_OF_MACOS = "._"
_LARGEST_BYTES = 1 << 26
_SHOWN = 60  # characters of a foreign name
_CRLF = to_tr(
    "It seems that of {name} its line ends were changed, as git, mail and FTP in text mode do. Copy the bundle again "
    "byte for byte, for example as one archive file."
)
_LITTERED = to_tr("Desktops leave such files in folders that they show: delete them and verify again.")


def require_bundle(bundle: Path) -> None:
    """Refuse a path that holds no bundle.

    Raises:
        UsageError: it is missing or no folder, or the bundle lies one folder down.
        IntegrityError: it has no attestation.
    """
    if not bundle.is_dir():
        raise UsageError(f"Expected a bundle, {bundle} is missing or not a folder.")
    if not (bundle / ATTESTATION).exists():
        below = sorted(path.parent for path in bundle.glob(f"*/{ATTESTATION}"))
        if below:
            raise UsageError(f"Expected a bundle, {bundle} only has one inside: verify {below[0]}.")
        raise IntegrityError(f"Expected a bundle, {bundle} has no {ATTESTATION}.")


@contextmanager
def travelled_badly(bundle: Path, expected: Mapping[str, str | None]) -> Iterator[None]:
    """Say why a check inside the block failed, if it is one of the usual reasons.

    Args:
        bundle: the folder.
        expected: hex SHA-256 by path of every file; None where it is not known.
    """
    try:
        yield
    except IntegrityError as error:
        reason = _line_ends(bundle, expected) or (_extra(bundle, expected) if None not in expected.values() else "")
        if not reason:
            raise
        raise IntegrityError(f"{error} {reason}") from None


def _line_ends(bundle: Path, expected: Mapping[str, str | None]) -> str:
    for name, digest in expected.items():
        try:
            content = read_bounded(bundle / name, _LARGEST_BYTES)
        except IntegrityError:
            continue
        changed = b"\r\n" in content and (digest is None or sha256_bytes(content.replace(b"\r\n", b"\n")) == digest)
        if changed and sha256_bytes(content) != digest:
            return kept(_CRLF, name=name)
    return ""


def _extra(bundle: Path, expected: Mapping[str, str | None]) -> str:
    found = {path.relative_to(bundle).as_posix() for path in list_entries(bundle)}
    folders = {str(parent) for name in expected for parent in Path(name).parents}
    extra = sorted(found - expected.keys() - folders)
    if not extra:
        return ""
    first = extra[0] if extra[0].isprintable() else ascii(extra[0])
    litter = all(any(_is_litter(part) for part in name.split("/")) for name in extra)
    said = kept("The first: {name}.", name=first[:_SHOWN])
    return f"{said} {_LITTERED}" if litter else said


def _is_litter(name: str) -> bool:
    return name.casefold() in _LITTER or name.startswith(_OF_MACOS)
