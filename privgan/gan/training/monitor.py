"""Whether the generator goes wrong, said while it trains, from its own images alone.

A fixed set of latents is drawn again and again and compared with what the released warm start drew from them. No real
image is looked at: a warning is post-processing, costs no privacy and may be shown to anybody. It never stops a run;
only numbers that are not finite do, because nothing can be learned from them.
"""

import logging
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from privgan.errors import UsageError
from privgan.gan.networks import Generator, fakes_at_once
from privgan.language import kept, to_tr

EVERY = 25  # generator steps from one look to the next
_LATENTS, _PER_CLASS, _MOST_CLASSES = 256, 16, 64
# Of values in [-1, 1], root mean square over the pixels.
_ALIKE = 0.02  # two images that differ by less are nearly the same picture
_NO_SPREAD = 0.01
_FAR = 0.2
_COLLAPSED = 0.5  # of the warm start's spread
_MOST_PAIRS, _MORE_PAIRS = 0.5, 0.2  # at the warm start; more of them than there
_MOST_PIXELS = 0.95
_SURE, _SURE_FOR = 0.99, 300  # share of fakes, generator steps
_FOOLED, _FOOLED_FOR = 0.01, 50

_TEXTS = to_tr(
    {
        "collapse": (
            "images of {value} vary less than half as much as the released warm start says: the generator is "
            "collapsing onto a few pictures. Lower refinement.generator_rate, raise refinement.anchor, or take "
            "another refinement.loss."
        ),
        "no-variation": (
            "{value} of the pairs of images of one class are nearly the same picture, because the warm start saw no "
            "variation above its noise. Take more patients, a larger epsilon, or a larger warm_start.share."
        ),
        "copies": (
            "{value} of the pairs of images of one class are nearly the same picture. Lower "
            "refinement.generator_rate, or take another refinement.loss."
        ),
        "saturated": (
            "{value} of all pixels are pure black or white. Lower refinement.generator_rate or raise "
            "refinement.anchor."
        ),
        "drift": (
            "brightness over large areas has moved by {value} of its range from what the released warm start says. "
            "Raise refinement.anchor or lower refinement.generator_rate."
        ),
        "discriminator-sure": (
            "for {value} generator steps the discriminator called every image fake: the generator gains nothing on "
            "it. Raise refinement.generator_rate, or lower refinement.discriminator_rate or refinement.anchor."
        ),
        "discriminator-fooled": (
            "for {value} generator steps the discriminator called no image fake: it has nothing to teach. Raise "
            "refinement.discriminator_rate, privacy.batch or epsilon."
        ),
    }
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """What was noticed at which discriminator step, in plain words and with advice."""

    kind: str
    step: int
    text: str

    def __str__(self) -> str:
        return kept("step {step}: {note}", step=self.step, note=self.text)


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """What a batch of fakes looks like.

    spread: (classes,) root mean square distance, a pixel, of a class's images from their mean; 0 for less than two.
    alike: share of the pairs of one class that are nearly the same picture. saturated: share of pixels at an end of
    the range.
    """

    spread: Tensor
    alike: float
    saturated: float

    @classmethod
    def at(cls, images: Tensor, labels: Tensor, classes: int) -> Self:
        """Look at images (n, channels, h, w) in [-1, 1] with labels (n,)."""
        flat = images.flatten(1)
        spread = torch.zeros(classes)
        for label in set(labels.tolist()):
            spread[label] = flat[labels == label].std(0, correction=0).square().mean().sqrt()
        pairs = torch.triu(labels[:, None] == labels, diagonal=1)
        distances = torch.cdist(flat, flat)[pairs] / flat.shape[1] ** 0.5
        alike = float((distances < _ALIKE).float().mean()) if len(distances) else 0.0
        return cls(spread=spread, alike=alike, saturated=float((flat.abs() >= 1).float().mean()))


@dataclass(kw_only=True)
class Monitor:
    """Watches one generator. Mutable: it counts, and warns once of each kind.

    z (n, latent), labels (n,): what is drawn every time. start: what the warm start drew of them.
    """

    z: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    start: Look
    alarms: list[Alarm] = field(default_factory=list)
    steps: int = 0
    sure: int = 0
    fooled: int = 0

    @classmethod
    def of(cls, generator: Generator, torch_rng: torch.Generator, alarms: Iterable[Alarm] = ()) -> Self:
        """For a generator, whatever it has learned since its warm start; `alarms` were told before."""
        classes, device = generator.config.form.classes, generator.basis.device
        count = min(_LATENTS, _PER_CLASS * len(classes))
        z = torch.randn(count, generator.config.latents, generator=torch_rng).to(device)
        labels = torch.arange(count, device=device) % min(len(classes), _MOST_CLASSES)
        few = fakes_at_once(generator.config.form.side)
        start = Look.at(_drawn(generator.begun, z, labels, few).clamp(-1, 1), labels, len(classes))
        return cls(z=z, labels=labels, classes=classes, start=start, alarms=list(alarms))

    def observe(self, generator: Generator, *, step: int, told_apart: float, distance: float) -> list[Alarm]:
        """Take note of one generator step, and tell of what is new.

        Args:
            generator: after it.
            step: discriminator steps so far.
            told_apart: share of the step's fakes that the discriminator calls fake.
            distance: of their low frequencies from the warm start's, mean square a pixel.
        """
        self.sure = self.sure + 1 if told_apart >= _SURE else 0
        self.fooled = self.fooled + 1 if told_apart <= _FOOLED else 0
        noticed: dict[str, str] = {}
        if self.sure >= _SURE_FOR:
            noticed["discriminator-sure"] = str(self.sure)
        if self.fooled >= _FOOLED_FOR:
            noticed["discriminator-fooled"] = str(self.fooled)
        if self.steps % EVERY == 0:
            drawn = _drawn(generator, self.z, self.labels, fakes_at_once(generator.config.form.side))
            now = Look.at(drawn, self.labels, len(self.classes))
            noticed |= dict(judged(now, self.start, distance=distance, classes=self.classes))
        self.steps += 1
        known = {alarm.kind for alarm in self.alarms}
        new = [
            Alarm(kind=kind, step=step, text=kept(_TEXTS[kind], value=found))
            for kind, found in noticed.items()
            if kind not in known
        ]
        for alarm in new:
            _log.warning("%s", alarm)
        self.alarms += new
        return new


def judged(now: Look, start: Look, *, distance: float, classes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Kind of everything that is wrong with a look, given that at the warm start, and what fills its text."""
    collapsed = (start.spread > _NO_SPREAD) & ~(now.spread >= _COLLAPSED * start.spread)
    if bool(collapsed.any()):
        yield "collapse", ", ".join(repr(name) for name, is_one in zip(classes, collapsed, strict=True) if is_one)
    if start.alike > _MOST_PAIRS:
        yield "no-variation", f"{start.alike:.0%}"
    elif not now.alike <= start.alike + _MORE_PAIRS:
        yield "copies", f"{now.alike:.0%}"
    if not now.saturated <= max(start.saturated, _MOST_PIXELS):
        yield "saturated", f"{now.saturated:.0%}"
    if not math.sqrt(distance) <= _FAR:
        yield "drift", f"{math.sqrt(distance) / 2:.0%}"


def require_finite(tensors: Iterable[Tensor], step: int) -> None:
    """Stop before anything that is not a finite number is learned.

    Raises:
        UsageError: some value of a tensor is infinite or not a number.
    """
    if not bool(torch.nn.utils.get_total_norm(list(tensors)).isfinite()):
        raise UsageError(
            f"Expected finite numbers in the generator at step {step}, got others: the training diverged. What was "
            "saved last is kept, and --resume goes on from there; if it diverges again, start another run with a "
            "lower refinement.generator_rate and discriminator_rate, or with another refinement.loss."
        )


def _drawn(images: Callable[[Tensor, Tensor], Tensor], z: Tensor, labels: Tensor, few: int) -> Tensor:
    with torch.no_grad():
        pieces = zip(torch.split(z, few), torch.split(labels, few), strict=True)
        return torch.cat([images(some, of) for some, of in pieces])
