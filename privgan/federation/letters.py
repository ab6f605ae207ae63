"""What sites sign: an invitation, a yes to it, an answer, a set. Each is an in-toto statement in a DSSE envelope.

A letter is believed when its signature is by the key that the invitation names for that site, and when it speaks of
this federation, in this version, for this site and this question. Whatever else it says of itself counts for nothing.
"""

from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

import privgan
from privgan.errors import IntegrityError
from privgan.federation.invitation import MASKED, PROTOCOL, Federation, Invitation, Site
from privgan.federation.masks import key_of_mask_line, mask_key, mask_line
from privgan.files import canonical_json, sha256_bytes
from privgan.seals import in_toto, key_of_line, open_signed, sign

INVITED, JOINED, ANSWERED, PROPOSED = (
    f"urn:privgan:federation:{kind}:v1" for kind in ("invited", "joined", "answered", "proposed")
)
_SUBJECT = "federation"
MOST_PROPOSALS = 1_000_000  # so that a site's number stays one from which the others can count on


def invited(invitation: Invitation, key: Ed25519PrivateKey) -> bytes:
    """An invitation, signed by whoever invites."""
    said = invitation.to_json()
    return sign(in_toto({_SUBJECT: sha256_bytes(canonical_json(said))}, INVITED, said), key)


def federation_of(content: bytes, key: Ed25519PublicKey) -> Federation:
    """The federation that an invitation is for.

    Raises:
        IntegrityError: it is not signed by this key, of another version, or odd.
    """
    said = _said(open_signed(content, key), INVITED)
    return Federation(invitation=Invitation.from_json(said), sha256=sha256_bytes(content))


def joined(federation: Federation, site: Site, key: Ed25519PrivateKey) -> bytes:
    """A site's yes; where answers are masked, with its public key for masks."""
    said = {}
    if federation.invitation.transport == MASKED:
        said["masks"] = mask_line(mask_key(key, federation.sha256))
    return _signed(federation, site, JOINED, said, key)


def read_joined(content: bytes, federation: Federation, site: Site) -> str:
    """That site's yes to this federation: the line of its public key for masks, empty where there are none.

    Raises:
        IntegrityError: by another key, of another federation, version or site, or something else.
    """
    said = _heard(content, federation, site, JOINED)
    if federation.invitation.transport != MASKED:
        return ""
    key_of_mask_line(said.get("masks"))
    return str(said["masks"])


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The set that a site would have all release. said: what it is drawn from, and its digest `synthetic_sha256`.

    number: the next one after all that the site has seen; see `standing.current`.
    """

    site: Site
    number: int
    said: dict[str, Any] = field(repr=False)

    @property
    def sha256(self) -> str:
        """Of the set's manifest, as its site says."""
        return str(self.said.get("synthetic_sha256"))

    def signed(self, federation: Federation, key: Ed25519PrivateKey) -> bytes:
        """As it leaves the site."""
        return _signed(federation, self.site, PROPOSED, {**self.said, "number": self.number}, key)

    @classmethod
    def read(cls, content: bytes, federation: Federation, site: Site) -> "Proposal":
        """A site's.

        Raises:
            IntegrityError: by another key, of another federation, version or site, or something else.
        """
        said = _heard(content, federation, site, PROPOSED)
        number = said.get("number")
        if type(number) is not int or not 1 <= number <= MOST_PROPOSALS:
            raise IntegrityError("Expected a proposal of a set, a value of it is odd or missing.")
        return cls(site=site, number=number, said=said)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A site's answer to a question. heard: a digest of everything that was answered before. numbers: as packed."""

    question: int
    heard: str
    numbers: str

    def signed(self, federation: Federation, site: Site, key: Ed25519PrivateKey) -> bytes:
        """As it leaves the site."""
        said = {"question": self.question, "heard": self.heard, "numbers": self.numbers}
        return _signed(federation, site, ANSWERED, said, key)

    @classmethod
    def read(cls, content: bytes, federation: Federation, site: Site, question: int) -> "Answer":
        """A site's answer to this question.

        Raises:
            IntegrityError: by another key, of another federation, version, site or question, or something else.
        """
        said = _heard(content, federation, site, ANSWERED)
        if said.get("question") != question:
            raise IntegrityError("Expected an answer to this question, it is one to another question, sent again.")
        return cls(question=question, heard=str(said.get("heard")), numbers=str(said.get("numbers")))


def _signed(federation: Federation, site: Site, kind: str, said: dict[str, Any], key: Ed25519PrivateKey) -> bytes:
    about = {"site": site.name, "protocol": PROTOCOL, "privgan_version": privgan.__version__, **said}
    return sign(in_toto({_SUBJECT: federation.sha256}, kind, about), key)


def _heard(content: bytes, federation: Federation, site: Site, kind: str) -> dict[str, Any]:
    """What a site says in a letter of this kind."""
    statement = open_signed(content, key_of_line(site.key))
    said = _said(statement, kind)
    if statement.get("subject") != [{"name": _SUBJECT, "digest": {"sha256": federation.sha256}}]:
        raise IntegrityError("Expected a letter of this federation, it is of another one.")
    version = (PROTOCOL, federation.invitation.privgan_version)
    if (said.get("protocol"), said.get("privgan_version")) != version:
        raise IntegrityError("Expected a letter of the invitation's version of privgan, another one wrote it.")
    if said.get("site") != site.name:
        raise IntegrityError("Expected a letter of this site, it was written for another one.")
    return said


def _said(statement: dict[str, Any], kind: str) -> dict[str, Any]:
    said = statement.get("predicate")
    if statement.get("predicateType") != kind or not isinstance(said, dict):
        raise IntegrityError("Expected a letter of a federation, it is of another kind.")
    return said
