"""Letters that go by another way than a folder that all sites share: what one gives along, and takes of others.

Whoever carries them is trusted with nothing: what is taken is looked at, signature and all, when it is read. Here
only its place is checked, so that no letter is written anywhere else, and none in the place of this site's own.
Whoever carries them trusts no site either: what one says or gives is its own affair, and costs the others nothing.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from privgan.errors import IntegrityError, UsageError
from privgan.federation.exchange import LARGEST_ANSWER, Exchange
from privgan.federation.invitation import Invitation
from privgan.files import sha256_bytes
from privgan.seals import unverified


@dataclass(frozen=True, kw_only=True)
class Bag:
    """A site's own copy of the federation's folder, and its name.

    A letter is called by its place: joined/SITE or answers/NN-SITE. A set, and words on it, are few and go by hand.
    """

    exchange: Exchange
    site: str

    @cached_property
    def federation(self) -> str:
        """Which one this is: the digest of its invitation, whose signature is looked at by `join` and `answer`."""
        return sha256_bytes(self.exchange.invitation)

    @cached_property
    def places(self) -> dict[str, tuple[int, str]]:
        """Of all letters that there will be: question and site of each, question 0 of a yes.

        Raises:
            IntegrityError: the invitation is of another version, odd, or does not name this site.
        """
        said = unverified(self.exchange.invitation).get("predicate")
        asked = Invitation.from_json(said if isinstance(said, dict) else {})
        sites = [site.name for site in asked.sites]
        if self.site not in sites:
            raise IntegrityError("Expected a site that the invitation names, it names none of this name.")
        answers = {f"answers/{n:02}-{site}": (n, site) for n in range(1, len(asked.noise) + 1) for site in sites}
        return {**{f"joined/{site}": (0, site) for site in sites}, **answers}

    def holds(self) -> dict[str, str]:
        """SHA-256 of each letter that there will be; empty of those that do not lie here yet."""
        return {place: sha256_bytes(letter) if (letter := self._read(place)) else "" for place in self.places}

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
            question, site = self._placed(place)
            if not _is_letter(letter):
                raise IntegrityError("Expected letters of a federation, one is empty, too large, or something else.")
            if site == self.site:
                continue
            if question:
                self.exchange.give(question, site, letter)
            else:
                self.exchange.say_yes(site, letter)

    def _read(self, place: str) -> bytes | None:
        question, site = self._placed(place)
        return self.exchange.answer(question, site) if question else self.exchange.yes(site)

    def _placed(self, place: str) -> tuple[int, str]:
        if place not in self.places:
            raise IntegrityError("Expected the place of a yes or an answer in this federation, got another one.")
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
    """One round; whether there was nothing left to bring. Who does not answer is asked again in the next.

    Args:
        known: the letters that whoever carries has, by place; changed.
        told: the federation and what `Bag.holds` says, as it came, of each site that answered.
        ways: to every site, by its name.
        broken: what is raised where a wire breaks, or a site refuses.

    Raises:
        UsageError: the sites hold several invitations.
    """
    said = {name: _understood(told.get(name)) for name in ways}
    there = {name: each for name, each in said.items() if each is not None}
    if len({federation for federation, _ in there.values()}) > 1:
        raise UsageError("Expected one invitation at all sites, they hold several.")
    for name, (_, held) in there.items():
        own = re.compile(rf"(joined/|answers/[0-9][0-9]-){re.escape(name)}")  # others' it was only brought
        new = [p for p, digest in held.items() if own.fullmatch(p) and digest and digest != _digest(known, p)]
        if new:
            with suppress(broken):
                known.update(_letters(ways[name].given(new), new))
    for name, (_, held) in there.items():
        lacking = {place: known[place] for place in held if place in known and held[place] != _digest(known, place)}
        if lacking:
            with suppress(broken):
                ways[name].take(lacking)
    wanted = [held for _, held in there.values()]
    return len(there) == len(ways) and all(held == wanted[0] and all(held.values()) for held in wanted)


def _understood(said: object) -> tuple[str, dict[str, str]] | None:
    """Which federation a site holds, and the digests of its letters; None of what says something else."""
    match said:
        case [str(federation), dict(held)] if all(isinstance(each, str) for pair in held.items() for each in pair):
            return federation, held
    return None


def _letters(given: object, asked: list[str]) -> dict[str, bytes]:
    """Those that were asked for."""
    found = given if isinstance(given, dict) else {}
    return {place: found[place] for place in asked if _is_letter(found.get(place))}


def _is_letter(letter: object) -> bool:
    return isinstance(letter, bytes) and 0 < len(letter) <= LARGEST_ANSWER


def _digest(known: Mapping[str, bytes], place: str) -> str:
    return sha256_bytes(known[place]) if place in known else ""
