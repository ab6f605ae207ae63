"""Letters that go by another way than a folder that all sites share: what one gives along, and takes of others.

Whoever carries them is trusted with nothing: what is taken is looked at, signature and all, when it is read. Here
only its place is checked, so that no letter is written anywhere else, and none in the place of this site's own.
Whoever carries them trusts no site either: what one says or gives is its own affair, and costs the others nothing.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from privgan.errors import IntegrityError, UsageError
from privgan.federation.exchange import LARGEST_ANSWER, LARGEST_LETTER, Exchange
from privgan.federation.invitation import Federation, Invitation
from privgan.federation.standing import current
from privgan.files import sha256_bytes
from privgan.seals import unverified

_ANSWERS, _AGREED = "answers", "agreed"
_PLACE = r"(joined|proposed|agreed)/{site}|answers/[0-9][0-9]-{site}"


@dataclass(frozen=True, kw_only=True)
class Bag:
    """A site's own copy of the federation's folder, and its name.

    A letter is called by its place: joined/SITE, answers/NN-SITE, proposed/SITE or agreed/SITE. The last is a site's
    word on a set and its officer's approval, which travel as one, so that nobody has one without the other.
    """

    exchange: Exchange
    site: str

    @cached_property
    def federation(self) -> str:
        """Which one this is: the digest of its invitation, whose signature is looked at by `join` and `answer`."""
        return sha256_bytes(self.exchange.invitation)

    @cached_property
    def _invited(self) -> Federation:
        """As the invitation says, whoever signed it.

        Raises:
            IntegrityError: it is of another version, odd, or does not name this site.
        """
        said = unverified(self.exchange.invitation).get("predicate")
        asked = Invitation.from_json(said if isinstance(said, dict) else {})
        if self.site not in [site.name for site in asked.sites]:
            raise IntegrityError("Expected a site that the invitation names, it names none of this name.")
        return Federation(invitation=asked, sha256=self.federation)

    @cached_property
    def places(self) -> dict[str, tuple[str, str, int]]:
        """Of all letters that there can be: kind, site and, of an answer, the question, else 0.

        Raises:
            IntegrityError: see above.
        """
        asked, found = self._invited.invitation, dict[str, tuple[str, str, int]]()
        for site in (each.name for each in asked.sites):
            found |= {f"{kind}/{site}": (kind, site, 0) for kind in ("joined", "proposed", _AGREED)}
            found |= {f"{_ANSWERS}/{n:02}-{site}": (_ANSWERS, site, n) for n in range(1, len(asked.noise) + 1)}
        return found

    def holds(self) -> dict[str, str]:
        """SHA-256 of each letter that there can be; empty of those that do not lie here yet."""
        return {place: sha256_bytes(letter) if (letter := self._read(place)) else "" for place in self.places}

    def told(self) -> tuple[str, dict[str, str], bool]:
        """What whoever carries is told: which federation this is, what lies here, and whether more is due."""
        held = self.holds()
        return self.federation, held, self._waits(held)

    def _waits(self, held: Mapping[str, str]) -> bool:
        """Whether letters are still due here: a yes and every answer of all, a set, and the word of all on this set.

        No word is believed for it, only that it is on this set.
        """
        due = [place for place, (kind, _, _) in self.places.items() if kind in ("joined", _ANSWERS)]
        if not all(held[place] for place in due):
            return True
        with suppress(IntegrityError):
            latest = current(self.exchange, self._invited)
            words = [self.exchange.agreed(site.name) for site in self._invited.invitation.sites]
            return not all(latest and word and _is_on(latest.sha256, word[0]) for word in words)
        return True

    def given(self, asked: Iterable[str]) -> dict[str, bytes]:
        """This site's own letters, of those that are asked for and lie here.

        Raises:
            IntegrityError: one has no place in this federation.
        """
        found = {place: self._read(place) for place in asked if self._placed(place)[1] == self.site}
        return {place: letter for place, letter in found.items() if letter}

    def take(self, letters: Mapping[str, bytes]) -> None:
        """Put other sites' letters in their places; this site's own are left as they are.

        Raises:
            IntegrityError: one has no place in this federation, or is no letter.
        """
        for place, letter in letters.items():
            kind, site, question = self._placed(place)
            if not _is_letter(place, letter):
                raise IntegrityError("Expected letters of a federation, one is empty, too large, or something else.")
            if site == self.site:
                continue
            if kind == _ANSWERS:
                self.exchange.give(question, site, letter)
            elif kind == _AGREED:
                self.exchange.agree(site, *_apart(letter))
            else:
                (self.exchange.say_yes if kind == "joined" else self.exchange.propose)(site, letter)

    def _read(self, place: str) -> bytes | None:
        kind, site, question = self._placed(place)
        if kind == _ANSWERS:
            return self.exchange.answer(question, site)
        if kind == _AGREED:
            word = self.exchange.agreed(site)
            return None if word is None else _as_one(*word)
        return self.exchange.yes(site) if kind == "joined" else self.exchange.proposed(site)

    def _placed(self, place: str) -> tuple[str, str, int]:
        if place not in self.places:
            raise IntegrityError("Expected the place of a letter in this federation, got another one.")
        return self.places[place]


class Way(Protocol):
    """To a site's bag, over a wire that may break; nothing that comes back needs to be what it should."""

    def given(self, asked: list[str], /) -> object:
        """See `Bag.given`."""

    def take(self, letters: dict[str, bytes], /) -> object:
        """See `Bag.take`."""


def carry(
    known: dict[str, bytes],
    told: Mapping[str, object],
    ways: Mapping[str, Way],
    *,
    broken: type[Exception],
) -> bool:
    """One round; whether nothing is due and there was nothing left to bring. Who does not answer is asked again.

    Args:
        known: the letters that whoever carries has, by place; changed.
        told: what `Bag.told` says, as it came, of each site that answered.
        ways: to every site, by its name.
        broken: what is raised where a wire breaks, or a site refuses.

    Raises:
        UsageError: the sites hold several invitations.
    """
    said = {name: _understood(told.get(name)) for name in ways}
    there = {name: each for name, each in said.items() if each is not None}
    if len({federation for federation, _, _ in there.values()}) > 1:
        raise UsageError("Expected one invitation at all sites, they hold several.")
    for name, (_, held, _) in there.items():
        own = re.compile(_PLACE.format(site=re.escape(name)))  # others' it was only brought
        new = [p for p, digest in held.items() if own.fullmatch(p) and digest and digest != _digest(known, p)]
        if new:
            with suppress(broken):
                known.update(_letters(ways[name].given(new), new))
    for name, (_, held, _) in there.items():
        lacking = {place: known[place] for place in held if place in known and held[place] != _digest(known, place)}
        if lacking:
            with suppress(broken):
                ways[name].take(lacking)
    wanted = [held for _, held, waits in there.values() if not waits]
    return len(wanted) == len(ways) and all(held == wanted[0] for held in wanted)


def _understood(said: object) -> tuple[str, dict[str, str], bool] | None:
    """Which federation a site holds, the digests of its letters, and whether it waits; None of something else."""
    match said:
        case [str(federation), dict(held), bool(waits)] if all(
            isinstance(each, str) for pair in held.items() for each in pair
        ):
            return federation, held, waits
    return None


def _letters(given: object, asked: list[str]) -> dict[str, bytes]:
    """Those that were asked for."""
    found = given if isinstance(given, dict) else {}
    return {place: found[place] for place in asked if _is_letter(place, found.get(place))}


def _is_letter(place: str, letter: object) -> bool:
    """Whether a site could read it again, which is all that can be said before it is looked at."""
    if not isinstance(letter, bytes):
        return False
    most = LARGEST_ANSWER if place.startswith(f"{_ANSWERS}/") else LARGEST_LETTER
    word, approval = _apart(letter) if place.startswith(f"{_AGREED}/") else (letter, b"")
    return 0 < len(word) <= most and len(approval) <= most


def _as_one(word: bytes, approval: bytes) -> bytes:
    """A word and its approval, in base64, with a space between them."""
    return base64.b64encode(word) + b" " + base64.b64encode(approval)


def _apart(letter: bytes) -> tuple[bytes, bytes]:
    """The inverse; both empty of what is something else."""
    word, space, approval = letter.partition(b" ")
    with suppress(binascii.Error):
        found = base64.b64decode(word, validate=True), base64.b64decode(approval, validate=True)
        if space and found[0] and _as_one(*found) == letter:
            return found
    return b"", b""


def _is_on(sha256: str, word: bytes) -> bool:
    """Whether a site's word is on this set; it is read again, signature and all, by whoever acts on it."""
    subjects = unverified(word).get("subject")
    told = subjects if isinstance(subjects, list) else []
    return any(isinstance(each, dict) and each.get("digest") == {"sha256": sha256} for each in told)


def _digest(known: Mapping[str, bytes], place: str) -> str:
    return sha256_bytes(known[place]) if place in known else ""
