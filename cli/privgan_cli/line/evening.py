"""What hospitals say of the set that is proposed, and what is due of whom, in words for whoever looks on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from privgan.errors import IntegrityError
from privgan.language import retold, tr

if TYPE_CHECKING:
    from privgan.federation.invitation import Federation
    from privgan.federation.letters import Proposal
    from privgan.federation.standing import Due
    from privgan_audits.release.joint.gathering import Joint


@dataclass(frozen=True, kw_only=True)
class Word:
    """What a site says of the set that is proposed. agrees: None where it says nothing. wrong: why it is no word."""

    site: str
    agrees: bool | None = None
    wrong: str = ""

    @property
    def line(self) -> str:
        """In words."""
        if self.wrong or self.agrees is None:
            return retold(self.wrong) if self.wrong else tr("{name}: has not said whether it agrees", name=self.site)
        return tr("{name}: agrees", name=self.site) if self.agrees else tr("{name}: says no", name=self.site)


@dataclass(frozen=True, kw_only=True)
class Evening:
    """What sites say of a set. proposal: the one that counts; wrong: why there is none although letters lie there.

    doubted: by whose letters.
    """

    proposal: "Proposal | None" = None
    wrong: str = ""
    doubted: tuple[str, ...] = ()
    words: tuple[Word, ...] = ()

    @classmethod
    def of(cls, joint: "Joint", about: "Federation") -> "Evening":
        """As the folder has it."""
        from privgan.federation.standing import current, doubted

        try:
            proposal = current(joint.exchange, about)
        except IntegrityError as error:
            return cls(wrong=str(error), doubted=doubted(joint.exchange, about))
        words = () if proposal is None else tuple(_word(joint, site, proposal.sha256) for site in joint.sites.keys)
        return cls(proposal=proposal, words=words)

    @property
    def agreed(self) -> dict[str, bool | None] | None:
        """Each site's word; None where there is no set."""
        return None if self.proposal is None else {each.site: each.agrees for each in self.words}

    @property
    def lines(self) -> Iterator[str]:
        """In words."""
        if self.wrong:
            yield retold(self.wrong)
        if self.proposal is not None:
            name, sha256 = self.proposal.site.name, self.proposal.sha256
            yield tr("a set is proposed by {name}: {sha256}", name=name, sha256=sha256)
        yield from (each.line for each in self.words)


def _word(joint: "Joint", site: str, sha256: str) -> Word:
    try:
        return Word(site=site, agrees=joint.said(site, sha256))
    except IntegrityError as error:
        return Word(site=site, wrong=str(error))


def due_line(due: "Due") -> str:
    """What has to come next, in words."""
    names = ", ".join(due.sites)
    return {
        "join": lambda: tr("next: {names} say yes, with 'privgan join'", names=names),
        "answer": lambda: tr(
            "next: {names} answer question {count}, with 'privgan answer'", names=names, count=due.question
        ),
        "propose": lambda: tr("next: any site proposes a set, with 'privgan generate --count'"),
        "propose-again": lambda: tr("next: {names} propose again, or send the letter again", names=names),
        "agree": lambda: tr(
            "next: {names} draw the set, audit it, have it approved, and say yes or no, with 'privgan agree'",
            names=names,
        ),
        "propose-another": lambda: tr("next: any site proposes another set; to this one a site says no"),
        "release": lambda: tr("next: any site releases the set, with 'privgan release'"),
    }[due.step]()
