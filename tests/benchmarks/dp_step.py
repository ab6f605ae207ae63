"""What a discriminator step costs with and without privacy, side by side in one run.

    python tests/benchmarks/dp_step.py [--json]

Rows: image size in pixels, parameters, expected patients a step, images a second of a plain step and of ours
(Opacus' per-image gradients, patient averaging, clipping, noise). Medians of interleaved repetitions.
"""

import json
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

from privgan.dp.clipping import PatientGradients
from privgan.dp.mechanism import Contributions, MechanismSettings, noisy_gradient
from privgan.dp.noise import secure_generator
from privgan.gan.losses import as_targets, discriminator_losses
from privgan.gan.networks import Discriminator

BATCH, FAKES, REPEATS = 128, 128, 5
SETTINGS = MechanismSettings(clipping_norm=1.0, noise_multiplier=1.0, normaliser=float(BATCH + FAKES))


def row(size: int, width: int) -> dict[str, Any]:
    """One line of the table."""
    plain = Discriminator(image_size=size, classes=2, width=width)
    private = PatientGradients(Discriminator(image_size=size, classes=2, width=width))
    images = BATCH + FAKES
    batch = Contributions(
        images=torch.rand(images, 1, size, size) * 2 - 1,
        labels=torch.randint(0, 2, (images,)),
        targets=as_targets(BATCH, FAKES, torch.device("cpu")),
        owners=torch.arange(images),
    )
    rng = secure_generator()

    def without() -> None:
        for start in range(0, images, 64):
            part = slice(start, start + 64)
            scores = plain(batch.images[part], batch.labels[part])
            torch.autograd.backward(discriminator_losses(scores, batch.targets[part]).sum())
        plain.zero_grad(set_to_none=True)

    def with_privacy() -> None:
        noisy_gradient(private, batch, discriminator_losses, SETTINGS, rng=rng, microbatch=64)

    seconds = _interleaved([without, with_privacy])
    return {
        "size": size,
        "parameters": sum(p.numel() for p in plain.parameters()),
        "batch": BATCH,
        "non_private_images_per_s": round(images / seconds[0], 1),
        "ours_images_per_s": round(images / seconds[1], 1),
    }


def _interleaved(works: list[Callable[[], None]]) -> list[float]:
    taken: list[list[float]] = [[] for _ in works]
    for repeat in range(REPEATS + 1):
        for work, times in zip(works, taken, strict=True):
            started = time.perf_counter()
            work()
            if repeat:  # the first is a warm-up
                times.append(time.perf_counter() - started)
    return [median(times) for times in taken]


def main() -> None:
    """Print the table, or one JSON object."""
    rows = [row(size, width) for size, width in ((28, 16), (64, 16), (64, 32))]
    if "--json" in sys.argv:
        print(json.dumps({"schema_version": 1, "rows": rows}))
        return
    for line in rows:
        print("  ".join(f"{name} {value}" for name, value in line.items()))


if __name__ == "__main__":
    main()
