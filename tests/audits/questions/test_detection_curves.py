"""Studies, run by `make studies`: how many copied patients the near-copy test finds, by disguise and space."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pytest

from privgan.arrays import Images
from privgan_audits.questions.controls import changes, spike_in
from privgan_audits.questions.controls.disguises import DISGUISES, Disguise
from privgan_audits.questions.controls.rule import PLAIN_COPIES
from tests.audits.bench import COUNTS, GRID, LEVEL, REPEATS, BenchOf, heading
from tests.audits.pictures import Kind, blurred_x_rays, clothes, heads, x_rays

SEVERAL = "several at once"


def in_turn(*steps: changes.Change) -> Disguise:
    """One change after the other, each rounded to whole levels."""

    def change(images: Images, others: Images, rng: np.random.Generator) -> Images:
        for step in steps:
            images = np.clip(np.rint(step(images, others, rng)), 0, 255).astype(np.uint8)
        return images

    return Disguise(family=SEVERAL, change=change)


def either(one: Disguise, other: Disguise) -> Disguise:
    """Every second image changed one way, the rest the other."""

    def change(images: Images, others: Images, rng: np.random.Generator) -> Images:
        both = [np.clip(np.rint(each.change(images, others, rng)), 0, 255).astype(np.uint8) for each in (one, other)]
        both[0][1::2] = both[1][1::2]
        return both[0]

    return Disguise(family=SEVERAL, change=change)


def _known(*names: str) -> Disguise:
    return in_turn(*(DISGUISES[name].change for name in names))


SEVERAL_CHANGES: Mapping[str, Disguise] = {
    "negatives (2 % noise)": DISGUISES["negative"],
    "at half size in a corner": DISGUISES["half_size"],
    "half negatives, half left halves": either(DISGUISES["negative"], DISGUISES["left_half"]),
    "negative (2 % noise), shifted by 6 %": _known("negative", "shift_6_percent"),
    "negative (2 % noise), rotated by 10 degrees": _known("negative", "rotation_10_degrees"),
    "left half, gamma 1.8": _known("left_half", "gamma_1_8"),
    "left half, noise 4 %": _known("left_half", "noise_4_percent"),
    "mirrored, a quarter of it elsewhere": _known("flip", "quarter_moved"),
    "mirrored, left half": _known("flip", "left_half"),
    "mirrored, mixed with 30 %": _known("flip", "blend_30_percent"),
    "mixed with 30 %, noise 10 %": _known("blend_30_percent", "noise_10_percent"),
    "mixed with 30 %, rotated by 10 degrees": _known("blend_30_percent", "rotation_10_degrees"),
    "blurred, gamma 1.8, noise 4 %": _known("blur", "gamma_1_8", "noise_4_percent"),
    "cropped to 85 %, rotated by 10 degrees, JPEG 30": _known("crop_85_percent", "rotation_10_degrees", "jpeg_30"),
}


@pytest.mark.study
@pytest.mark.parametrize("kind", [x_rays, blurred_x_rays, clothes, heads])
def test_detection_curves(bench_of: BenchOf, kind: Kind) -> None:
    """1,333 members, 667 non-members; copies of some members are planted in each disguise."""
    bench, rng = bench_of(kind), np.random.default_rng(101)
    print(f"\n{kind.__doc__} {REPEATS} repeats, level {LEVEL:.2g}")
    print(heading(("family", "disguise", *map(str, COUNTS), "limit", "alone, from 40")))
    for name, disguise in DISGUISES.items():
        rows = bench.some(3 * COUNTS[-1], rng)
        planted = spike_in.plant(bench.scores, bench.copies(rows, disguise, rng))
        turns = bench.turns(rows, rng)
        shares = bench.shares(planted, turns)
        alone = ", ".join(bench.alone(planted, turns, COUNTS[1])) or "none"
        limit = bench.limit(partial(bench.copies, disguise=disguise, rng=rng), rng)
        print(f"| {disguise.family} | {name} | {' | '.join(shares)} | {limit} | {alone} |", flush=True)
        assert name not in PLAIN_COPIES or limit is not None


@pytest.mark.study
@pytest.mark.parametrize("kind", [x_rays, heads])
def test_several_changes_at_once(bench_of: BenchOf, kind: Kind) -> None:
    """What no planted disguise does alone, and sets in which every member is copied; from how many it is seen."""
    bench, rng = bench_of(kind), np.random.default_rng(102)
    print(f"\n{kind.__doc__} {REPEATS} repeats; the fewest of {GRID} that all see; else of all members")
    print(heading(("change", "seen from", *map(str, COUNTS))))
    for name, disguise in SEVERAL_CHANGES.items():
        rows = bench.some(2 * GRID[-1], rng)
        planted = spike_in.plant(bench.scores, bench.copies(rows, disguise, rng))
        turns = bench.turns(rows, rng)
        seen, shares = bench.from_how_many(planted, turns), bench.shares(planted, turns)
        seen = seen or bench.of_all(partial(bench.copies, disguise=disguise, rng=rng), rng)
        print(f"| {name} | {seen} | {' | '.join(shares)} |", flush=True)
