"""In a bundle of several hospitals: every one of them has signed this very set, and nobody was left out or invented.

How many they are says the set's manifest, which all of them signed; who they are, each of their words, and the keys
that the recipient got from each. Needs no training stack.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from privgan.config import from_table
from privgan.errors import IntegrityError, NotReleasableError, UsageError
from privgan.run import FederationNamed
from privgan.seals import key_line, read_bounded, unverified
from privgan_audits.release.bundle import MANIFEST, SITES, places_of, sites_in
from privgan_audits.release.joint.agreement import (
    LARGEST_AGREEMENT,
    Agreement,
    Letters,
    Sites,
    opened_agreement,
    require_together,
)

_NOT_OF_THE_RELEASE = ("agrees", "site", "sites", "federation", "policy")


def federation_in(statement: Mapping[str, Any]) -> FederationNamed | None:
    """The hospitals that a release names, None where it is of one.

    Raises:
        IntegrityError: it cannot be read.
    """
    try:
        named = statement["predicate"].get("federation")
        return None if named is None else from_table(FederationNamed, named)
    except (KeyError, TypeError, AttributeError, UsageError):
        raise IntegrityError("Expected the hospitals of this set in the attestation, they cannot be read.") from None


def require_signed_by_all(
    bundle: Path, statement: Mapping[str, Any], digests: Mapping[str, str], keys: Sequence[Ed25519PublicKey]
) -> tuple[Agreement, ...]:
    """The words of all hospitals in a bundle whose files were checked, by name; none of a set of one hospital.

    Args:
        bundle: the folder.
        statement: the attestation's, by one of the keys.
        digests: hex SHA-256 by path, as they are signed.
        keys: that the recipient was given.

    Raises:
        UsageError: not one key for each hospital.
        IntegrityError: a hospital's word is missing, foreign or a no, or they do not go together.
    """
    named, found, lines = federation_in(statement), sites_in(digests), {key_line(key) for key in keys}
    count = 1 if named is None else named.sites
    if len(lines) != count or len(keys) != count:
        raise _not_one_each(count, keys)
    if len(found) != (0 if named is None else count):
        raise IntegrityError(
            f"Expected in sites/ the signed word of each hospital whose patients this set is of, got {len(found)}."
        )
    if named is None:
        return ()
    letters = {site: _letters(bundle, site, digests) for site in sorted(found)}
    sites = _sites(letters, named, lines)
    try:
        agreements = tuple(opened_agreement(letters[site], site, sites, digests[MANIFEST]) for site in letters)
    except NotReleasableError:
        raise IntegrityError("Expected in sites/ the yes of each hospital, one of them says no.") from None
    require_together(agreements, sites)
    _require_own(agreements, statement["predicate"])
    return agreements


@contextmanager
def told_of_keys(bundle: Path, keys: Sequence[Ed25519PublicKey]) -> Iterator[None]:
    """Where no given key has signed, say that a key of each hospital is needed, if words of more of them lie here.

    Nothing of the bundle was checked then; it is refused either way.
    """
    try:
        yield
    except IntegrityError:
        here = (bundle / SITES).iterdir() if (bundle / SITES).is_dir() else ()
        count = len(sites_in(f"{SITES}/{path.name}" for path in here))
        if len(keys) < count:
            raise _not_one_each(count, keys) from None
        raise


def _not_one_each(count: int, keys: Sequence[Ed25519PublicKey]) -> UsageError:
    return UsageError(
        f"Expected one public key of each hospital whose patients this set is of, which are {count}, got "
        f"{len(keys)}. Ask each hospital for its own, and name it with --public-key."
    )


def _letters(bundle: Path, site: str, digests: Mapping[str, str]) -> Letters:
    word, approval = (
        read_bounded(bundle / place, LARGEST_AGREEMENT) if place in digests else b"" for place in places_of(site)
    )
    return Letters(statement=word, approval=approval)


def _sites(letters: Mapping[str, Letters], named: FederationNamed, lines: Collection[str]) -> Sites:
    """As the first of them names all: each is then held against it, by a key that the recipient was given."""
    try:
        told = dict(unverified(next(iter(letters.values())).statement)["predicate"]["sites"])
    except (KeyError, TypeError, ValueError):
        told = {}
    if told.keys() != letters.keys() or sorted(map(str, told.values())) != sorted(lines):
        raise IntegrityError(
            "Expected the words of the hospitals whose public keys were given, one is of another hospital or by "
            "another key."
        )
    return Sites(federation=named.sha256, keys=told)


def _require_own(agreements: Sequence[Agreement], predicate: Mapping[str, Any]) -> None:
    """Whoever released says of its own audit what it said to the others."""
    own = next((each for each in agreements if each.site == predicate.get("released_by")), None)
    if own is None or any(
        predicate.get(name) != said for name, said in own.stated.items() if name not in _NOT_OF_THE_RELEASE
    ):
        raise IntegrityError(
            "Expected the attestation to say of the hospital that released this what that hospital's own word says."
        )
