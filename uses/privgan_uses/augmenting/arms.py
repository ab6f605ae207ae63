"""What a hospital with few images may learn from: them alone, for longer, changed, or with a released set beside.

Adding images also means to study for longer, and that alone helps. So every arm says how long it is studied, and each
with synthetic images has a twin without them that is studied as long. Where each patient is drawn as often as any
other, images that lie there twice are no other lesson than images that are studied for longer: "duplicated" is that.
Generators have been found to be no better than duplicates (the control that a claim of augmentation needs).
"""

from dataclasses import dataclass

RATIOS = (0.25, 0.5, 1.0, 2.0)  # images added for each of one's own
_MOST = RATIOS[-1]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One lesson.

    kind: what is drawn, of `words.KINDS`. length: of the training, 1 for one's own images as they are; an arm with
    added images has 1 + ratio, so that all images of all arms are studied equally long. synthetic: the share of the
    draws that are synthetic images. whole: these come from the whole set; else from as many of its images as were
    added. changed: every draw is changed at random.
    """

    kind: str
    length: float = 1 + _MOST
    synthetic: float = 0.0
    whole: bool = False
    changed: bool = False

    @property
    def ratio(self) -> float:
        """Images added for each of one's own."""
        return self.length - 1

    @property
    def name(self) -> str:
        """As records call it."""
        return self.kind if self.whole or not self.ratio else f"{self.kind} {self.ratio:g}"


REAL = Arm(kind="real", length=1)
DUPLICATED = tuple(Arm(kind="duplicated", length=1 + ratio) for ratio in RATIOS)
CHANGED = tuple(Arm(kind="changed", length=1 + ratio, changed=True) for ratio in RATIOS)
MIXED = tuple(Arm(kind="mixed", length=1 + ratio, synthetic=ratio / (1 + ratio)) for ratio in RATIOS)
MIXED_ALL = Arm(kind="mixed all", synthetic=_MOST / (1 + _MOST), whole=True)
MIXED_ALL_CHANGED = Arm(kind="mixed all changed", synthetic=_MOST / (1 + _MOST), whole=True, changed=True)
SYNTHETIC = Arm(kind="synthetic", synthetic=1.0, whole=True)
ARMS = (REAL, *DUPLICATED, *CHANGED, *MIXED, MIXED_ALL, MIXED_ALL_CHANGED, SYNTHETIC)
