"""How long a whole default audit takes and how much memory it holds, test by test.

    python tests/benchmarks/audit.py [--json] [--patients 5000] [--synthetic 10000] [--searches] [--stages FILE]

One JSON object: patients, images, synthetic, image_size, total_s, cpu_s, peak_mib, and stages, by task of the
progress bar: seconds of the clock and of the processor, and the most memory held meanwhile. Each stage is said on
stderr when the next one begins; with --stages a file has all of them so far, should it be cut short. --searches:
only those through every space that learns no network, which is what grows with patients times synthetic images.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from measuring.stages import Stages
from numpy.typing import NDArray

from privgan.images.stored import with_channels
from privgan.memory import hand_back_freed_memory, keep_freed_memory
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.examine import run_audit
from privgan_audits.policy import Policy
from privgan_audits.spaces.lenses.lenses import LENSES
from privgan_audits.spaces.lenses.space import LensSpace
from privgan_audits.spaces.patches import PatchSpace
from privgan_audits.spaces.pixel_space import PixelSpace
from privgan_audits.spaces.search.compared import compared_with
from privgan_audits.spaces.space import Space

SIZE, FREQUENCIES = 64, 8
_AT_ONCE = 4096  # images
_LARGE = 1 << 24  # bytes of blocks that an audit hands back


def pictures(rng: np.random.Generator, count: int) -> NDArray[np.uint8]:
    """Smooth random fields around one anatomy, uint8 (count, SIZE, SIZE)."""
    waves = np.cos(np.pi * np.outer(np.arange(FREQUENCIES), np.arange(SIZE) + 0.5) / SIZE)
    fall = 1.0 / (1 + np.add.outer(np.arange(FREQUENCIES), np.arange(FREQUENCIES)))
    anatomy, drawn = np.random.default_rng(0).normal(size=fall.shape) * fall, np.empty((count, SIZE, SIZE), np.uint8)
    for first in range(0, count, _AT_ONCE):
        own = rng.normal(size=(min(_AT_ONCE, count - first), *fall.shape)) * fall * 0.7
        grey = 120 + 25 * np.einsum("nij,iy,jx->nyx", anatomy + own, waves, waves, optimize=True)
        noisy = np.rint(grey + rng.normal(0, 2, grey.shape))
        drawn[first : first + len(own)] = np.clip(noisy, 0, 255).astype(np.uint8)
    return drawn


def sample(rng: np.random.Generator, patients: int, first: int = 0, most: int = 2) -> Sample:
    """Some patients with one to `most` images each."""
    owner = np.repeat(np.arange(patients), rng.integers(1, most + 1, patients))
    images = with_channels(pictures(rng, len(owner)))
    return Sample(images=images, labels=np.zeros(len(owner), np.int64), patients=owner + first)


def search(evidence: Evidence, stages: Stages) -> None:
    """What an audit searches before its first question, one space after the other."""
    real, others = evidence.real, evidence.synthetic.images
    sides = (evidence.members, evidence.non_members or evidence.members)
    owner = np.unique(np.concatenate([side.patients for side in sides]), return_inverse=True)[1]
    made: list[Callable[[], Space]] = [lambda: PixelSpace.of(real)]
    compared = compared_with(real)
    made += [
        lambda lens=lens: LensSpace.of(lens, real, owner, stages, compared=compared)  # type: ignore[misc]
        for lens in LENSES
    ]
    made.append(lambda: PatchSpace.of(real, owner, stages, compared=compared))
    for make in made:
        space = make()
        space.among_real(owner, stages, compared)
        space.closest(others, stages)
        del space
        hand_back_freed_memory()


def main() -> None:
    """Time one audit of independent samples."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--patients", type=int, default=5000)
    arguments.add_argument("--synthetic", type=int, default=10_000)
    arguments.add_argument("--searches", action="store_true")
    arguments.add_argument("--stages", type=Path)
    asked = arguments.parse_args()
    rng = np.random.default_rng(1)
    held = asked.patients // 3
    members, others = sample(rng, asked.patients - held), sample(rng, held, first=asked.patients)
    synthetic = sample(rng, asked.synthetic, most=1)
    stages = Stages(told=True, kept=asked.stages)
    with tempfile.TemporaryDirectory() as folder:
        evidence = Evidence(
            members=members,
            non_members=others,
            synthetic=synthetic,
            synthetic_folder=Path(folder),
            synthetic_sha256="0" * 64,
            classes=("image",),
        )
        start, worked = time.perf_counter(), time.process_time()
        stages.begin()
        if asked.searches:
            keep_freed_memory(_LARGE)
            search(evidence, stages)
            verdict = "none: searches alone"
        else:
            verdict = run_audit(evidence, Policy(), progress=stages).verdict.verdict
        total, cpu = time.perf_counter() - start, time.process_time() - worked
    found = {
        "patients": asked.patients,
        "images": len(members.images) + len(others.images),
        "synthetic": asked.synthetic,
        "image_size": SIZE,
        "verdict": verdict,
        "stages": stages.to_json(),
        "total_s": round(total, 1),
        "cpu_s": round(cpu, 1),
        "peak_mib": max(stage.mib for stage in stages.found.values()),
    }
    print(json.dumps(found) if asked.json else "\n".join(f"{key}: {value}" for key, value in found.items()))


if __name__ == "__main__":
    main()
