"""What a discriminator step costs with and without privacy, side by side in one run.

    python tests/benchmarks/dp_step.py [--json]

Images a second of a step of the discriminator at nine sizes: a plain one at its best chunk and memory layout, the
three ways that a user of Opacus and torch would take, each at its best chunk, and ours as it is shipped. The private
ones clip every image, add noise and leave a gradient. Medians of interleaved rounds, at most a minute a row.
peak_mib: the most memory that a process which only takes our steps ever held.
"""

import json
import sys
import warnings
from dataclasses import dataclass
from typing import Any

import torch
from measuring import Step, held_mib, peak_mib, timed
from opacus import GradSampleModule
from opacus.grad_sample import GradSampleModuleFastGradientClipping
from opacus.optimizers import DPOptimizer, DPOptimizerFastGradientClipping
from opacus.utils.fast_gradient_clipping_utils import DPLossFastGradientClipping
from torch import Tensor
from torch.func import functional_call, grad, vmap

from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.dp.mechanism import clipped_sums, noisy_gradient
from privgan.dp.noise import from_whole, noised, secure_generator
from privgan.dp.plan import MechanismSettings
from privgan.gan.networks import Discriminator, placed
from privgan.gan.networks.losses import as_targets, discriminator_losses
from privgan.gan.training.members import taken
from privgan.gan.training.settings import SpeedSettings
from privgan.images.form import ImageForm
from privgan.memory import keep_freed_memory

# (pixels, channels of the first layer, expected patients a step): about 0.1, 0.4 and 1.7 million parameters each.
ROWS = (
    *((28, 24, 128), (28, 48, 128), (28, 104, 128)),
    *((64, 16, 128), (64, 32, 128), (64, 64, 128)),
    *((128, 12, 128), (128, 24, 128), (128, 48, 64)),
)
SECONDS, ROUNDS = 40.0, 9


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row's images and networks."""

    size: int
    width: int
    patients: int

    @property
    def images(self) -> int:
        """Real ones and as many fakes."""
        return 2 * self.patients

    def network(self) -> Discriminator:
        """A fresh discriminator."""
        torch_rng = torch.Generator().manual_seed(0)
        return Discriminator(ImageForm(side=self.size, classes=("a", "b")), torch_rng, width=self.width)

    def batch(self) -> "Batch":
        """Noise in place of images."""
        return Batch(
            images=torch.rand(self.images, 1, self.size, self.size) * 2 - 1,
            labels=torch.randint(0, 2, (self.images,)),
            targets=as_targets(self.patients, self.patients, torch.device("cpu")),
        )

    def chunks(self, *sizes: int) -> list[int]:
        """Those of the sizes that a batch has."""
        return sorted({min(size, self.images) for size in sizes})


@dataclass(frozen=True, kw_only=True)
class Batch:
    """images: float32 (n, 1, size, size); labels: int64 (n,); targets: float32 (n,). Each is somebody's only one."""

    images: Tensor
    labels: Tensor
    targets: Tensor


def plain(case: Case, chunk: int, layout: torch.memory_format) -> Step:
    """The step without privacy."""
    network, batch = case.network().to(memory_format=layout), case.batch()

    def step() -> None:
        for part in _parts(case, chunk):
            scores = network(batch.images[part], batch.labels[part])
            torch.autograd.backward(discriminator_losses(scores, batch.targets[part]).sum())
        network.zero_grad(set_to_none=True)

    return step


def hooks(case: Case, chunk: int) -> Step:
    """Opacus' per-image gradients."""
    network, batch = GradSampleModule(case.network()), case.batch()
    optimiser = DPOptimizer(_sgd(network), noise_multiplier=1.0, max_grad_norm=1.0, expected_batch_size=case.images)

    def step() -> None:
        for part in _parts(case, chunk):
            scores = network(batch.images[part], batch.labels[part])
            torch.autograd.backward(discriminator_losses(scores, batch.targets[part]).mean())
            optimiser.signal_skip_step(do_skip=part.stop < case.images)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    return step


def ghost(case: Case, chunk: int) -> Step:
    """Opacus' ghost clipping: a second backward pass instead of kept gradients."""
    network, batch = GradSampleModuleFastGradientClipping(case.network(), max_grad_norm=1.0), case.batch()
    optimiser = DPOptimizerFastGradientClipping(
        _sgd(network), noise_multiplier=1.0, max_grad_norm=1.0, expected_batch_size=case.images
    )
    losses = DPLossFastGradientClipping(network, optimiser, _Losses())

    def step() -> None:
        for part in _parts(case, chunk):
            optimiser.signal_skip_step(do_skip=part.stop < case.images)
            losses(network(batch.images[part], batch.labels[part]), batch.targets[part]).backward()
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    return step


class _Losses:
    reduction = "mean"

    def __call__(self, scores: Tensor, targets: Tensor) -> Tensor:
        return discriminator_losses(scores, targets)


def by_vmap(case: Case, chunk: int) -> Step:
    """torch.func: the gradient of one image, vectorised, then clipped and noised by hand."""
    network, batch = case.network(), case.batch()
    parameters = {name: p.detach() for name, p in network.named_parameters()}

    def loss(values: dict[str, Tensor], image: Tensor, label: Tensor, target: Tensor) -> Tensor:
        scores: Tensor = functional_call(network, values, (image[None], label[None]))
        return discriminator_losses(scores, target[None]).sum()

    each = vmap(grad(loss), in_dims=(None, 0, 0, 0))

    def step() -> list[Tensor]:
        totals = [torch.zeros_like(p) for p in parameters.values()]
        for part in _parts(case, chunk):
            gradients = list(each(parameters, batch.images[part], batch.labels[part], batch.targets[part]).values())
            norms = torch.stack([g.flatten(1).norm(dim=1) for g in gradients]).norm(dim=0)
            factors = (1.0 / norms.clamp_min(1e-12)).clamp_max(1.0)
            totals = [t + torch.tensordot(factors, g, dims=1) for t, g in zip(totals, gradients, strict=True)]
        return [(total + torch.randn_like(total)) / case.images for total in totals]

    return step


def ours(case: Case) -> Step:
    """As training does it."""
    network = placed(case.network(), "cpu")
    gradients, batch, rng = PatientGradients(network), case.batch(), secure_generator()
    settings = MechanismSettings(clipping_norm=1.0, noise_multiplier=1.0, normaliser=float(case.images))
    owners, bound, microbatch = torch.arange(case.images), settings.clipping_norm, SpeedSettings().microbatch
    pieces, shapes = owners // (microbatch // 2), [p.shape for p in gradients.trainable]

    def losses(rows: Tensor) -> Tensor:
        images, labels, targets = (taken(part, rows) for part in (batch.images, batch.labels, batch.targets))
        return discriminator_losses(network(images, labels), targets)

    def step() -> None:
        whole = clipped_sums(gradients, losses, owners, pieces, clipping_norm=bound, microbatch=microbatch)
        noisy_gradient(gradients, from_whole(whole, shapes, bound=bound), settings, rng=rng)

    return step


def row(case: Case) -> dict[str, Any]:
    """One line of the table."""
    layouts = (torch.contiguous_format, torch.channels_last)
    contenders = {
        "non_private": _best([plain(case, c, layout) for c in case.chunks(32, 64, 128, 256) for layout in layouts]),
        "opacus_hooks": _best([hooks(case, c) for c in case.chunks(16, 64)]),
        "opacus_ghost": _best([ghost(case, c) for c in case.chunks(16, 64)]),
        "vmap": _best([by_vmap(case, c) for c in case.chunks(16, 64)]),
        "ours": ours(case),
    }
    seconds = _interleaved(list(contenders.values()))
    speeds = {
        f"{name}_images_per_s": round(case.images / taken, 1) for name, taken in zip(contenders, seconds, strict=True)
    }
    parameters = sum(p.numel() for p in case.network().parameters())
    return {
        "size": case.size,
        "parameters": parameters,
        "batch": case.patients,
        **speeds,
        "peak_mib": peak_mib(__file__, case.size, case.width, case.patients),
        "noise_percent": round(100 * _noise_seconds(parameters) / seconds[-1], 2),
    }


def _best(steps: list[Step]) -> Step:
    """The quickest of a few: one round to warm up, one to count, each kind in turn."""
    return min(zip(timed(steps, rounds=2), steps, strict=True), key=lambda pair: pair[0])[1]


def _interleaved(steps: list[Step]) -> list[float]:
    slowest = sum(timed(steps, rounds=1))
    return timed(steps, rounds=max(2, min(ROUNDS, int(SECONDS / slowest))))


def _noise_seconds(parameters: int) -> float:
    value, rng = torch.zeros(parameters, dtype=torch.float64), secure_generator()
    return timed([lambda: noised(value, scale=1.0, rng=rng)], rounds=9)[0]


def _parts(case: Case, chunk: int) -> list[slice]:
    return [slice(start, min(start + chunk, case.images)) for start in range(0, case.images, chunk)]


def _sgd(network: torch.nn.Module) -> torch.optim.SGD:
    return torch.optim.SGD(network.parameters(), lr=0.0)


def main() -> None:
    """Print the table, or one JSON object."""
    warnings.simplefilter("ignore")
    keep_freed_memory()
    if "--peak" in sys.argv:
        size, width, patients = (int(number) for number in sys.argv[-3:])
        step = ours(Case(size=size, width=width, patients=patients))
        for _ in range(3):
            step()
        print(held_mib())
        return
    rows = []
    for size, width, patients in ROWS:
        rows.append(row(Case(size=size, width=width, patients=patients)))
        print("  ".join(f"{name} {value}" for name, value in rows[-1].items()), file=sys.stderr, flush=True)
    if "--json" in sys.argv:
        print(json.dumps({"schema_version": 1, "torch": torch.__version__, "rows": rows}))


if __name__ == "__main__":
    main()
