"""Who has said yes, who has answered what, and which set is proposed, as the folder has it; no sums are looked at.

Any site may propose a set, each in its own place, and the latest counts: the one with the largest number, for whoever
proposes takes the next one after all that it sees. No clock is asked. Two that took the same number at the same time
are told apart by the order in which the invitation names them, so that whoever has both letters means the same set.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privgan.errors import IntegrityError, UsageError
from privgan.federation.answers import letter_of
from privgan.federation.exchange import Exchange
from privgan.federation.invitation import Federation, Site
from privgan.federation.letters import MOST_PROPOSALS, Answer, Proposal, read_joined
from privgan.language import kept


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One site: whether it joined, how many questions it answered in a row, and what is wrong with its letters."""

    site: str
    joined: bool
    answered: int
    wrong: tuple[str, ...]


def standing(exchange: Exchange, federation: Federation) -> tuple[Standing, ...]:
    """Of every site, in the order of the invitation."""
    return tuple(_of(exchange, federation, site) for site in federation.invitation.sites)


def _of(exchange: Exchange, federation: Federation, site: Site) -> Standing:
    wrong: list[str] = []
    joined, answered = False, 0
    try:
        with letter_of(site.name, 0):
            if (letter := exchange.yes(site.name)) is not None:
                read_joined(letter, federation, site)
                joined = True
    except IntegrityError as error:
        wrong.append(str(error))
    for question in range(1, len(federation.invitation.noise) + 1):
        try:
            with letter_of(site.name, question):
                if (letter := exchange.answer(question, site.name)) is None:
                    break
                Answer.read(letter, federation, site, question)
                answered = question
        except IntegrityError as error:
            wrong.append(str(error))
            break
    return Standing(site=site.name, joined=joined, answered=answered, wrong=tuple(wrong))


def current(exchange: Exchange, federation: Federation) -> Proposal | None:
    """The set that counts; None where nobody has proposed one.

    Raises:
        IntegrityError: a proposal is foreign, forged or odd; it is named by its site.
    """
    return _latest(_proposal(exchange, federation, site) for site in federation.invitation.sites)


def doubted(exchange: Exchange, federation: Federation) -> tuple[str, ...]:
    """The sites whose proposal is foreign, forged or odd: until none is, no set counts."""
    found: list[str] = []
    for site in federation.invitation.sites:
        try:
            _proposal(exchange, federation, site)
        except IntegrityError:
            found.append(site.name)
    return tuple(found)


def propose(
    exchange: Exchange, federation: Federation, site: Site, said: dict[str, Any], key: Ed25519PrivateKey
) -> None:
    """Put a set into its site's place, as the latest of all that lie here; forged letters keep nobody from it.

    said: what it is drawn from, and its digest.

    Raises:
        UsageError: it could not count, because a site that the invitation names before has taken the last number.
    """
    here: dict[str, Proposal | None] = {}
    for each in federation.invitation.sites:
        here[each.name] = None
        with suppress(IntegrityError):
            here[each.name] = _proposal(exchange, federation, each)
    latest = _latest(here.values())
    number = 1 if latest is None else min(MOST_PROPOSALS, latest.number + 1)
    proposal = Proposal(site=site, number=number, said=said)
    counts = _latest({**here, site.name: proposal}.values())
    if counts is not None and counts is not proposal:
        raise UsageError(
            f"Expected room for another set, site {counts.site.name} has taken the last number. It was not proposed: "
            "ask that site to propose it, or invite again."
        )
    exchange.propose(site.name, proposal.signed(federation, key))


def _latest(proposals: Iterable[Proposal | None]) -> Proposal | None:
    """Of those in the order of the invitation; of equal numbers the first."""
    return max(filter(None, proposals), key=lambda each: each.number, default=None)


def _proposal(exchange: Exchange, federation: Federation, site: Site) -> Proposal | None:
    try:
        letter = exchange.proposed(site.name)
        return None if letter is None else Proposal.read(letter, federation, site)
    except IntegrityError as error:
        raise IntegrityError(
            kept("The set that site {site} proposes: {reason}", site=site.name, reason=error)
        ) from None


@dataclass(frozen=True, kw_only=True)
class Due:
    """What has to come next. step: join, answer, propose, propose-again, agree, propose-another or release.

    sites: of whom; none where any of them may. question: which answer is due, 0 of other steps.
    """

    step: str
    sites: tuple[str, ...] = ()
    question: int = 0


def due(
    found: Sequence[Standing],
    questions: int,
    words: Mapping[str, bool | None] | None,
    unbelieved: tuple[str, ...] = (),
) -> Due:
    """What has to come next, as far as letters say; what a site does at home, and why, is in none.

    Args:
        found: of every site.
        questions: how many there are.
        words: each site's on the set that is proposed, None where it has said nothing that holds; None without a set.
        unbelieved: sites that are `doubted`.
    """
    if sites := tuple(each.site for each in found if not each.joined):
        return Due(step="join", sites=sites)
    answered = min(each.answered for each in found)
    if answered < questions:
        last = tuple(each.site for each in found if each.answered == answered)
        return Due(step="answer", sites=last, question=answered + 1)
    if words is None:
        return Due(step="propose-again" if unbelieved else "propose", sites=unbelieved)
    if sites := tuple(site for site, agrees in words.items() if agrees is False):
        return Due(step="propose-another", sites=sites)
    if sites := tuple(site for site, agrees in words.items() if agrees is None):
        return Due(step="agree", sites=sites)
    return Due(step="release")
