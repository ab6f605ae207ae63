"""Does an accelerator give the sums that a processor gives, and how quick is it? Ten minutes there at most.

    python tests/benchmarks/accelerator.py [--device cuda] [--short]

One JSON object: for nine sizes of the discriminator, images a second of clipped sums over patients, as a private step
needs them, and how far these lie from the processor's, in units of the bound, and the share of numbers that are the
same; then a training at 64 pixels with networks four times as wide, milliseconds a step; then sums of ranks, one for
each accelerator over NCCL (over gloo, two, on the processor). --short: one size and a step of each. With `--device
cpu` it shows that it runs.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from scaling import Case, training_of

from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.dp.mechanism import clipped_sums
from privgan.dp.noise import from_whole
from privgan.gan.networks import Discriminator, placed
from privgan.gan.networks.losses import as_targets, discriminator_losses
from privgan.gan.randomness import Randomness
from privgan.gan.ranks.ranks import ALONE
from privgan.gan.ranks.together import connected
from privgan.gan.training.beginning import fresh_state
from privgan.gan.training.members import taken
from privgan.gan.training.step import step
from privgan.gan.warm_start.measure import measure_mixture
from privgan.images.form import ImageForm

# Pixels, channels of the discriminator's first layer, patients: those of dp_step.py.
ROWS = (
    *((28, 24, 128), (28, 48, 128), (28, 104, 128)),
    *((64, 16, 128), (64, 32, 128), (64, 64, 128)),
    *((128, 12, 128), (128, 24, 128), (128, 48, 64)),
)
WIDE, MICROBATCH, PIECE = 4, {"cpu": 64, "cuda": 256}, 128


def sums(device: torch.device, row: tuple[int, int, int], times: int) -> tuple[torch.Tensor, float]:
    """A step's sums, int64 as they are added up between ranks, and images a second."""
    side, width, patients = row
    rng = torch.Generator().manual_seed(0)
    network = placed(Discriminator(ImageForm(side=side, classes=("a", "b")), rng, width=width), device)
    images = (torch.rand(2 * patients, 1, side, side, generator=rng) * 2 - 1).to(device)
    labels = torch.randint(0, 2, (2 * patients,), generator=rng).to(device)
    targets, gradients = as_targets(patients, patients, device), PatientGradients(network)
    owners = torch.arange(2 * patients, device=device)

    def losses(rows: torch.Tensor) -> torch.Tensor:
        some = taken(images, rows)
        return discriminator_losses(network(some, taken(labels, rows)), taken(targets, rows))

    def once() -> torch.Tensor:
        return clipped_sums(
            gradients, losses, owners, owners // PIECE, clipping_norm=1.0, microbatch=MICROBATCH[device.type]
        )

    found = once().cpu()  # which waits for the device, and warms it up
    began = time.perf_counter()
    for _ in range(times):
        once().cpu()
    return found, 2 * patients * times / (time.perf_counter() - began)


def compared(device: torch.device, row: tuple[int, int, int], times: int) -> dict[str, Any]:
    """One size on both."""
    found, speed = sums(device, row, times)
    expected = found if device.type == "cpu" else sums(torch.device("cpu"), row, 1)[0]
    numbers, others = (from_whole(each, [each.shape], bound=1.0)[0] for each in (found, expected))
    return {
        "size": row[0],
        "width": row[1],
        "images_per_s": round(speed, 1),
        "same": round(float((found == expected).double().mean()), 4),
        "farthest": float((numbers - others).abs().max()),
    }


def trained(device: torch.device, steps: int, side: int) -> dict[str, Any]:
    """A wide training: the warm start, then some steps."""
    with tempfile.TemporaryDirectory() as folder:
        case = Case(ranks=1, threads=1, patients=300 if device.type == "cpu" else 2_000, steps=steps, side=side)
        training, randomness = training_of(ALONE, Path(folder) / "run", case, device, WIDE), Randomness.of(0)
        start, began = training.settings.warm_start, time.perf_counter()
        noise = tuple(1.0 for _ in start.noise_ratios)
        mixture = measure_mixture(training.patients, start, noise, training.config.mixture, randomness)
        warm, state = time.perf_counter() - began, fresh_state(training, mixture, randomness.public)
        critic = PatientGradients(state.discriminator)
        step(training, state, critic, randomness)
        began = time.perf_counter()
        for _ in range(steps):
            step(training, state, critic, randomness)
        finite = all(bool(torch.isfinite(p).all().cpu()) for p in state.average.parameters())
        taken_s = time.perf_counter() - began
    return {
        "width": WIDE,
        "side": side,
        "warm_start_s": round(warm, 2),
        "step_ms": round(1e3 * taken_s / steps, 1),
        "finite": finite,
    }


def of_ranks(device: torch.device, size: int) -> dict[str, Any]:
    """Whether ranks add up whole numbers to what they are: each on an accelerator of its own, if there are."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, __file__, "--device", device.type, "--folder", folder, "--size", str(size)]
        started = [subprocess.Popen([*words, "--rank", str(rank)]) for rank in range(size)]
        codes = [process.wait(timeout=300) for process in started]
    return {"ranks": size, "backend": "nccl" if device.type == "cuda" else "gloo", "added_up": codes == [0] * size}


def rank_of(rank: int, size: int, folder: Path, kind: str) -> None:
    """One of them."""
    device = torch.device(kind, rank) if kind == "cuda" else torch.device(kind)
    if kind == "cuda":
        torch.cuda.set_device(rank)
    with connected(folder / "store", rank=rank, size=size, device=device, patience_s=120.0) as ranks:
        ranks.prove(b"0" * 32)
        mine = torch.full((1 << 20,), (1 << 40) + rank, dtype=torch.int64, device=device)
        whole = ranks.total(mine, asked=7)
        rows = ranks.joined(torch.full((rank + 1, 3), float(rank), device=device), list(range(1, size + 1)))
        right = (
            int(whole[0]) == sum((1 << 40) + other for other in range(size)) and len(rows) == size * (size + 1) // 2
        )
    sys.exit(0 if right else 1)


def main() -> None:
    """Print one JSON object; each part also on stderr when it is there."""
    words = argparse.ArgumentParser()
    words.add_argument("--device", default="cuda", choices=("cpu", "cuda"))
    words.add_argument("--short", action="store_true")
    for name in ("--rank", "--size"):
        words.add_argument(name, type=int, help=argparse.SUPPRESS)
    words.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = words.parse_args()
    if asked.rank is not None:
        rank_of(asked.rank, asked.size, asked.folder, asked.device)
    device, cuda = torch.device(asked.device), asked.device == "cuda"
    rows = []
    for row in ROWS[:1] if asked.short else ROWS:
        rows.append(compared(device, (*row[:2], 16) if asked.short else row, 1 if asked.short else 20))
        print(rows[-1], file=sys.stderr, flush=True)
    training = trained(device, 1 if asked.short else 100, 28 if asked.short else 64)
    print(training, file=sys.stderr, flush=True)
    ranks = of_ranks(device, max(1, torch.cuda.device_count()) if cuda else 2)
    name = torch.cuda.get_device_name() if cuda else "cpu"
    about = {"schema_version": 1, "torch": torch.__version__, "device": name}
    print(json.dumps({**about, "rows": rows, "training": training, "ranks": ranks}))


if __name__ == "__main__":
    main()
