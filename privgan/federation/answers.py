"""Sums of all sites by files: each adds its own noise before its answer leaves.

An answer is made once. Its site keeps it, announces its digest in the ledger, and then gives it away. Whichever of
the three a kill prevents, and whichever two of them forget it: whoever asks again gets the same bytes, or nothing. A
second draw of noise for one question would halve the noise, and nobody would have paid.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from torch import Tensor

from privgan.dp.budget.ledger import Ledger
from privgan.errors import BudgetError, IntegrityError
from privgan.federation.adding import Adding, Masked, Openly
from privgan.federation.exchange import LARGEST_ANSWER, Exchange
from privgan.federation.invitation import MASKED, Federation, Site
from privgan.federation.letters import Answer, read_joined
from privgan.federation.masks import Masks, key_of_mask_line, mask_key
from privgan.federation.vectors import Shape
from privgan.files import canonical_json, sha256_bytes, sha256_file, write_bytes
from privgan.language import kept
from privgan.seals import is_envelope, read_bounded

Vector = Callable[[], Tensor]
GIVEN = (
    "Expected a question that this site has not answered, its answer lies here and the ledger does not know it: the "
    "ledger was rolled back, or another copy of this site has answered. Restore the newest backup of the cohort."
)
_Believed = tuple[Answer, Tensor]


class AwaitedError(Exception):
    """Letters of other sites are missing; nothing is wrong. question: 0 where they have not joined yet."""

    def __init__(self, question: int, missing: tuple[str, ...]) -> None:
        super().__init__()
        self.question, self.missing = question, missing


@dataclass(frozen=True, kw_only=True)
class Here:
    """A site at home. kept: the folder of its own answers. ledger: at its path, read again for every entry."""

    federation: Federation
    site: Site
    key: Ed25519PrivateKey
    kept: Path
    ledger: Path

    def __repr__(self) -> str:
        return f"Here({self.site.name})"


@dataclass(kw_only=True, eq=False)
class SumOfAnswers:
    """sum(vector) -> vector, question after question. wait: called while letters are missing; False gives up.

    heard: a digest of everything that was answered so far, which every answer repeats. answered: how many questions
    this site has answered.
    """

    here: Here
    exchange: Exchange
    wait: Callable[[], bool]
    heard: str = field(init=False)
    answered: int = 0
    _lines: dict[str, str] = field(init=False, default_factory=dict)
    _adding: Adding = field(init=False)

    def __post_init__(self) -> None:
        self.heard = self.here.federation.heard_nothing

    def __call__(self, vector: Vector, shape: Shape) -> Tensor:
        """What the vectors of all sites add up to: float64 of that shape.

        Args:
            vector: this site's, with its noise; made only if this question was never answered.
            shape: of every site's vector.

        Raises:
            AwaitedError: other sites have not joined, or not answered, and nobody waits any longer.
            IntegrityError: a letter is not what it has to be; it is named by its site.
            BudgetError: the ledger refuses, or does not remember an answer of this site that was given away.
        """
        question = self.answered + 1
        self._until_there(0, self._without_yes)
        if not self.answered:  # a site that says yes again with another key for masks is noticed
            self.heard = sha256_bytes(canonical_json([self.heard, self._lines]))
        self._adding = self._as_invited()
        own = self._own(question, vector)
        self.exchange.give(question, self.here.site.name, own)
        self.answered = question
        found: dict[str, _Believed] = {}
        self._until_there(question, lambda waiting: self._without_answer(waiting, question, own, shape, found))
        numbers = [found[site.name][0].numbers for site in self.here.federation.invitation.sites]
        self.heard = sha256_bytes(canonical_json([self.heard, [sha256_bytes(each.encode()) for each in numbers]]))
        return self._adding.total([values for _, values in found.values()], question)

    def _as_invited(self) -> Adding:
        """As the invitation says, by the keys for masks that all sites have said yes with."""
        federation, own = self.here.federation, self.here.site.name
        if federation.invitation.transport != MASKED:
            return Openly(invitation=federation.invitation)
        masks = Masks(
            federation=federation.sha256,
            own=own,
            key=mask_key(self.here.key, federation.sha256),
            others={name: key_of_mask_line(line) for name, line in self._lines.items() if name != own},
        )
        return Masked(invitation=federation.invitation, masks=masks)

    def _until_there(self, question: int, missing: Callable[[bool], tuple[str, ...]]) -> None:
        """Wait until nobody is missing; whose letter lies there in part is, until nobody waits any longer."""
        while missing(True):
            if not self.wait():
                if names := missing(False):  # at the last look
                    raise AwaitedError(question, names)
                return

    def _without_yes(self, waiting: bool) -> tuple[str, ...]:
        federation, missing = self.here.federation, []
        for site in federation.invitation.sites:
            with letter_of(site.name, 0):
                letter = self.exchange.yes(site.name)
                if not _is_there(letter, waiting=waiting):
                    missing.append(site.name)
                    continue
                self._lines[site.name] = read_joined(letter, federation, site)
        return tuple(missing)

    def _without_answer(
        self, waiting: bool, question: int, own: bytes, shape: Shape, found: dict[str, _Believed]
    ) -> tuple[str, ...]:
        """Whose answer is missing; those that are there are looked at, once, and noted among the found."""
        for site in self.here.federation.invitation.sites:
            with letter_of(site.name, question):
                letter = own if site == self.here.site else self.exchange.answer(question, site.name)
                if site.name not in found and _is_there(letter, waiting=waiting):
                    found[site.name] = self._believed(letter, site, question, shape)
        return tuple(site.name for site in self.here.federation.invitation.sites if site.name not in found)

    def _own(self, question: int, vector: Vector) -> bytes:
        """This site's answer: the one that it keeps, or a new one, kept; either way announced."""
        here = self.here
        place = _place(here.kept, question)
        ledger = Ledger.read(here.ledger)
        known = [e["sha256"] for e in ledger.of_kind("answered", here.federation.run_id) if e["question"] == question]
        if known:
            if not os.path.lexists(place) or sha256_file(place) != known[0]:
                raise BudgetError(
                    "Expected this site's own answer as the ledger remembers it, it is lost or edited. None is made "
                    "instead: that would be a release that nobody charged. Answer in the run in which this site "
                    "answered first; if it is lost, restore it from a backup."
                )
            return read_bounded(place, LARGEST_ANSWER)
        self._require_ungiven(question)
        charged = bool(ledger.of_kind("charge", here.federation.run_id))
        if os.path.lexists(place):
            letter = self._kept_before(place, question, charged=charged)
        else:
            if not charged:
                plan = here.federation.invitation.plan
                ledger = ledger.charge(here.federation.run_id, plan.queries, delta=plan.delta)
            said = Answer(question=question, heard=self.heard, numbers=self._adding.given(vector(), question))
            letter = said.signed(here.federation, here.site, here.key)
            write_bytes(place, letter)
        ledger.record_answer(here.federation.run_id, question=question, sha256=sha256_bytes(letter))
        return letter

    def _kept_before(self, place: Path, question: int, *, charged: bool) -> bytes:
        """An answer that the ledger does not know: a kill came between the two, or the ledger was cut.

        Which of them cannot be told where the folder's keeper withholds the letter. The same bytes are right in both.
        """
        with suppress(IntegrityError):
            letter = read_bounded(place, LARGEST_ANSWER)
            answer = Answer.read(letter, self.here.federation, self.here.site, question)
            if charged and answer.heard == self.heard:
                return letter
        raise BudgetError(
            "Expected this site's kept answer to this question to be charged and unedited, and to follow from the "
            "answers that lie here: the ledger was rolled back, the answer was edited, or an earlier one exchanged. "
            "None is made instead: that would be a release that nobody charged. Restore the newest backup of the "
            "cohort and of the run."
        )

    def _require_ungiven(self, question: int) -> None:
        """An answer that was given and that the ledger does not know: it was rolled back, or another copy gave it.

        A later one tells the same of this one, whose letter the folder's keeper may have withheld.
        """
        here = self.here
        last = len(here.federation.invitation.noise)
        kept_later = any(os.path.lexists(_place(here.kept, each)) for each in range(question + 1, last + 1))
        if kept_later or has_given(self.exchange, here.federation, here.site, range(question, last + 1)):
            raise BudgetError(GIVEN)

    def _believed(self, letter: bytes, site: Site, question: int, shape: Shape) -> _Believed:
        federation = self.here.federation
        answer = Answer.read(letter, federation, site, question)
        if answer.heard != self.heard:
            raise IntegrityError(
                "Expected an answer that follows from the answers that lie here, this one follows from others: it is "
                "stale, or an earlier answer was exchanged since."
            )
        return answer, self._adding.read(answer.numbers, question, shape)


def _is_there(letter: bytes | None, *, waiting: bool) -> TypeGuard[bytes]:
    """Whether a letter has come; one that is still being copied, or was copied in part, has not.

    Raises:
        IntegrityError: such a one lies there, and nobody waits any longer.
    """
    if letter is None or is_envelope(letter):
        return letter is not None
    if not waiting:
        raise IntegrityError(
            "Expected a whole letter, a signed DSSE envelope; it is empty, was copied in part, or is something else. "
            "Copy it again."
        )
    return False


def has_given(exchange: Exchange, federation: Federation, site: Site, questions: range) -> bool:
    """Whether an answer by this site's key to any of these questions lies in the folder.

    What somebody else put into such a place is none, and will be replaced.

    Raises:
        IntegrityError: a link, a folder or a file that is too large is in its place, which may hide one.
    """
    for question in questions:
        with letter_of(site.name, question):
            letter = exchange.answer(question, site.name)
        with suppress(IntegrityError):
            Answer.read(letter or b"", federation, site, question)
            return True
    return False


def _place(kept_in: Path, question: int) -> Path:
    return kept_in / f"{question:02}.dsse.json"


@contextmanager
def letter_of(site: str, question: int) -> Iterator[None]:
    """A refusal of a letter says whose it is. question: 0 for a site's yes."""
    try:
        yield
    except IntegrityError as error:
        if not question:
            raise IntegrityError(kept("The yes of site {site}: {reason}", site=site, reason=error)) from None
        raise IntegrityError(
            kept("The answer of site {site} to question {count}: {reason}", site=site, count=question, reason=error)
        ) from None
