"""What can come of a training at all: how its noise compares with what patients differ by, before anything is spent.

A generator starts from the average of each class and from the ways in which its patients differ: directions of their
second moments, of which only those above the noise are kept (`warm_start.shrinkage`). The largest eigenvalue of the
noise alone tends to s sqrt(2 m) / n, where s is the noise of that query, m the numbers that describe an image and n
the patients of a class; all that they differ by together is at most 1 in the same units. So a way of differing that
makes up less than s sqrt(2 m) / n of it all is hidden, and that share is public: it depends on numbers of patients
and classes, on epsilon and delta alone.

How far it carries was tried on chest X-rays and head CT: the table stands in docs/results/quality.md, "How many
patients it takes". Above 0.12 there are blobs, on X-rays with less than 28 % of the coverage of real images, on head
CT with none; below 0.05 the images differ as patients do, and what limits them is no longer the noise.
"""

import logging
import math
from dataclasses import dataclass

from privgan.dp.plan import calibrate_queries
from privgan.errors import InputRejectedError
from privgan.gan.image_model import MixtureSettings
from privgan.language import kept, to_tr

NOTHING, LITTLE, ENOUGH = to_tr(("nothing", "little", "enough"))
DROWNED, CLEAR = 0.12, 0.05  # hidden shares above which nothing, and up to which enough, is heard
_WORDS = to_tr(
    {
        NOTHING: "nothing can come of it",
        LITTLE: "little will come of it",
        ENOUGH: "noise is not what will limit the images",
    }
)
_log = logging.getLogger(__name__)
_MOST_EPSILON = 50.0  # more makes no difference, and no hospital would spend it


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """band: `NOTHING`, `LITTLE` or `ENOUGH`. hidden: the share of differences that noise hides. told: in words."""

    band: str
    hidden: float
    told: str

    def require(self, *, accept: bool) -> None:
        """Refuse to spend privacy on nothing, unless that is accepted; warn of little.

        Raises:
            InputRejectedError: nothing can come of it.
        """
        reason = self.told
        if self.band == NOTHING and not accept:
            raise InputRejectedError(
                f"Expected more patients or epsilon: {reason} Nothing was spent; --accept-noise goes on all the same."
            )
        _log.log(logging.INFO if self.band == ENOUGH else logging.WARNING, "%s", reason)


@dataclass(frozen=True, kw_only=True)
class Question:
    """Public numbers. start: how images are described and asked about; its share of epsilon is spent on that."""

    members: int
    classes: int
    epsilon: float
    delta: float
    start: MixtureSettings

    def noise(self, epsilon: float) -> float:
        """Of the second moments, as the warm start would have it."""
        return min(
            calibrate_queries(self.start.share * min(epsilon, _MOST_EPSILON), self.delta, self.start.noise_ratios)
        )

    def hidden(self, epsilon: float) -> float:
        """The share of what patients of a class differ by that noise hides; it may exceed one."""
        return self._edge * self.noise(epsilon) * self.classes / self.members

    def patients(self, hidden: float) -> int:
        """A class, so that no more than that share is hidden at the asked epsilon."""
        return _rounded_up(self._edge * self.noise(self.epsilon) / hidden)

    def enough_epsilon(self, hidden: float) -> float | None:
        """So that no more than that share is hidden with the patients there are; None above `_MOST_EPSILON`."""
        low, high = self.epsilon, _MOST_EPSILON
        if self.hidden(high) > hidden:
            return None
        while high - low > 0.01 * low:
            middle = (low + high) / 2
            low, high = (middle, high) if self.hidden(middle) > hidden else (low, middle)
        return float(_rounded_up(high))

    @property
    def _edge(self) -> float:
        order = self.start.order
        return math.sqrt(order * (order + 1.0))  # sqrt(2 m) of as many cosine frequencies


def outlook(asked: Question) -> Outlook:
    """What can come of it, with what would be needed for more."""
    hidden = asked.hidden(asked.epsilon)
    band = NOTHING if hidden > DROWNED else LITTLE if hidden > CLEAR else ENOUGH
    noise = (
        kept("noise is {times:.2g} times all that the patients of a class differ by", times=hidden)
        if hidden >= 1
        else kept(
            "noise hides every way in which the patients of a class differ that makes up less than {percent:.2g} % "
            "of all their differences",
            percent=100 * hidden,
        )
    )
    more = {NOTHING: [(LITTLE, DROWNED), (ENOUGH, CLEAR)], LITTLE: [(ENOUGH, CLEAR)], ENOUGH: []}[band]
    told = kept(
        "at {members} patients in {classes} classes and epsilon {epsilon:.3g}, {what}: {note}."
        if asked.classes > 1
        else "at {members} patients in {classes} class and epsilon {epsilon:.3g}, {what}: {note}.",
        members=asked.members,
        classes=asked.classes,
        epsilon=asked.epsilon,
        what=_WORDS[band],
        note=noise,
    )
    return Outlook(band=band, hidden=hidden, told=" ".join((told, *(_needed(asked, *each) for each in more))))


def _needed(asked: Question, band: str, hidden: float) -> str:
    epsilon, patients = asked.enough_epsilon(hidden), asked.patients(hidden)
    if epsilon is None:
        return kept("For {kind}: {patients} patients a class.", kind=band, patients=patients)
    return kept(
        "For {kind}: {patients} patients a class, or epsilon {epsilon:g}.",
        kind=band,
        patients=patients,
        epsilon=epsilon,
    )


def _rounded_up(value: float) -> int:
    """To two digits.

    >>> _rounded_up(1234.0), _rounded_up(0.3), _rounded_up(150.0)
    (1300, 1, 150)
    """
    unit = int(10 ** max(0, math.floor(math.log10(max(value, 1.0))) - 1))
    return math.ceil(value / unit) * unit
