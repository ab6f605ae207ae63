"""Who has said yes and who has answered what, for whoever keeps the folder; no numbers are looked at."""

from dataclasses import dataclass

from privgan.errors import IntegrityError
from privgan.federation.answers import letter_of
from privgan.federation.exchange import Exchange
from privgan.federation.invitation import Federation, Site
from privgan.federation.letters import Answer, read_joined


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
