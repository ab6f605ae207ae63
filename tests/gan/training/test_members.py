"""The patients' side: what it answers is what a slow loop over patients would, and nothing but answers is needed."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import create_autospec

import numpy as np
import pytest
import torch
from torch import Tensor

from privgan.arrays import Integers
from privgan.dp.budget.ledger import Ledger
from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.gan.networks import Discriminator
from privgan.gan.networks.losses import discriminator_losses
from privgan.gan.patients import DescribedQuery, GradientQuery, Patients
from privgan.gan.randomness import Randomness
from privgan.gan.training.members import Members
from privgan.gan.training.step import fit
from privgan.images.pixels import from_uint8
from privgan.interruption import StopRequest
from tests.gan.small import FORM, SETTINGS, SIZE, members_of, small_training

EVERY_IMAGE = replace(SETTINGS, privacy=replace(SETTINGS.privacy, images_per_patient=100))


def crowd(patients: int = 30, size: int = SIZE) -> Members:
    """Noise images of patients who have one to three each, in rows that are not sorted by patient."""
    rng = np.random.default_rng(0)
    owners = rng.permutation(np.repeat(np.arange(patients), rng.integers(1, 4, patients)))
    images = rng.integers(0, 256, (len(owners), size, size), dtype=np.uint8)
    return members_of(images, rng.integers(0, 2, len(owners)), owners, settings=EVERY_IMAGE)


def owners_of(members: Members) -> Integers:
    """(rows,), whose each row is."""
    owners = np.zeros(len(members.labels), dtype=np.int64)
    owners[members.index.rows] = np.repeat(np.arange(members.index.count), np.diff(members.index.starts))
    return owners


@dataclass(frozen=True)
class TwoHospitals:
    """Another holder of the same patients: the sums of two add up, and the fakes go to one."""

    here: Patients
    there: Patients

    @classmethod
    def of(cls, members: Members) -> "TwoHospitals":
        """Every third patient is in one, the rest in the other."""
        owners = owners_of(members)
        parts = [np.flatnonzero((owners % 3 == 0) == first) for first in (True, False)]
        return cls(
            *(
                members_of(members.images[rows], members.labels[rows], owners[rows], settings=members.settings)
                for rows in parts
            )
        )

    def described_sums(self, query: DescribedQuery) -> Tensor:
        """Of everybody in either."""
        return self.here.described_sums(query) + self.there.described_sums(query)

    def clipped_gradients(self, query: GradientQuery) -> list[Tensor]:
        """Of a draw in each."""
        none = replace(query, fakes=query.fakes[:0], told=query.told[:0])
        parts = self.here.clipped_gradients(query), self.there.clipped_gradients(none)
        return [one + other for one, other in zip(*parts, strict=True)]


def described(products: bool) -> DescribedQuery:
    """Mean brightness of the halves of an image, by class."""

    def describe(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return torch.stack([half.flatten(1).mean(1) for half in images.chunk(2, dim=2)], 1), labels

    return DescribedQuery(describe=describe, cells=2, dimensions=2, products=products)


def gradients(rate: float = 1.0, fakes: int = 5, levels: tuple[int, ...] = ()) -> GradientQuery:
    """levels: of records, which fakes and patients then have."""
    torch_rng = torch.Generator().manual_seed(0)
    critic = Discriminator(FORM, torch_rng, width=8, levels=levels)
    return GradientQuery(
        critic=PatientGradients(critic),
        losses=discriminator_losses,
        fakes=torch.rand(fakes, 1, SIZE, SIZE, generator=torch_rng) * 2 - 1,
        told=torch.zeros((fakes, 1 + len(levels)) if levels else fakes, dtype=torch.int64),
        rate=rate,
        clipping_norm=0.5,
    )


@pytest.mark.parametrize("size", [SIZE, 64])
def test_everybody_is_described_once_in_batches_of_whole_patients(size: int) -> None:
    """However large the images are, each row is read once and nobody is cut in two."""
    members = crowd(2000 if size == SIZE else 600, size)
    seen: list[int] = []

    def describe(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        seen.append(len(images))
        return torch.ones(len(images), 1), torch.zeros(len(labels), dtype=torch.int64)

    query = DescribedQuery(describe=describe, cells=1, dimensions=1)
    # A patient cut in two would count twice.
    assert float(members.described_sums(query)) == pytest.approx(members.index.count)
    assert sum(seen) == len(members.labels)
    assert len(seen) > 1


def test_a_query_of_records_is_told_class_and_codes_and_a_patient_weighs_one() -> None:
    """How often each value stands among patients who have one to three records each."""
    members = crowd()
    codes = np.random.default_rng(1).integers(0, 3, (len(members.labels), 2))

    def describe(images: Tensor, records: Tensor) -> tuple[Tensor, Tensor]:
        assert len(images) == len(records)
        return torch.nn.functional.one_hot(records[:, 2], 3).float(), records[:, 0]

    query = DescribedQuery(describe=describe, cells=2, dimensions=3, records=True)
    owners, expected = owners_of(members), np.zeros((2, 3))
    for row, owner in enumerate(owners):
        expected[members.labels[row], codes[row, 1]] += 1 / (owners == owner).sum()
    assert replace(members, codes=codes).described_sums(query).numpy() == pytest.approx(expected, abs=1e-6)


def test_what_records_do_is_described_for_few_at_once() -> None:
    """Vectors that are longer than images count as much as these: of 300,000 numbers, three at a time."""
    members, seen = crowd(40), list[int]()

    def describe(images: Tensor, records: Tensor) -> tuple[Tensor, Tensor]:
        seen.append(len(images))
        return torch.ones(len(images), 1).expand(-1, 300_000) / 300_000**0.5, torch.zeros_like(records[:, 0])

    query = DescribedQuery(describe=describe, cells=1, dimensions=300_000, records=True)
    total = float(members.described_sums(query).norm())
    assert total == pytest.approx(members.index.count, rel=1e-4)
    assert sum(seen) == len(members.labels)
    assert max(seen) <= 3


@pytest.mark.parametrize("levels", [(), (3, 4)])
def test_a_gradient_is_that_of_a_loop_over_patients(levels: tuple[int, ...]) -> None:
    """Mean over a patient's images, shortened to C, added up with every fake's; only who is drawn takes part.

    With records each image's own is judged with it, and the bound is of all weights together, those of records too.
    """
    members, query = crowd(), gradients(levels=levels)
    critic, owners = query.critic.model, owners_of(members)
    images, labels = from_uint8(members.images), torch.from_numpy(members.labels)
    if levels:
        codes = np.random.default_rng(1).integers(0, levels, (len(labels), len(levels)))
        members = replace(members, codes=codes)
        labels = torch.from_numpy(np.column_stack([members.labels, codes]))

    def clipped(mine: Tensor, of: Tensor, target: float) -> Tensor:
        loss = discriminator_losses(critic(mine, of), torch.full((len(mine),), target)).mean()
        whole = torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(critic.parameters()))]).double()
        return whole * min(1.0, query.clipping_norm / float(whole.norm()))

    fakes = sum(clipped(query.fakes[[n]], query.told[[n]], -1.0) for n in range(len(query.fakes)))
    real = sum(clipped(images[owners == p], labels[owners == p], 1.0) for p in range(members.index.count))
    for rate, wanted in ((1.0, fakes + real), (1e-12, fakes)):
        found = torch.cat([part.flatten() for part in members.clipped_gradients(replace(query, rate=rate))])
        assert torch.allclose(found, wanted, atol=1e-5)
    if levels:  # whoever swapped two patients' records would ask for something else
        other = replace(members, codes=members.codes[::-1]).clipped_gradients(query)
        assert not torch.allclose(torch.cat([part.flatten() for part in other]), fakes + real, atol=1e-3)


def test_two_hospitals_answer_as_one() -> None:
    members, query = crowd(), gradients()
    both = TwoHospitals.of(members)
    for products in (False, True):
        question = described(products)
        assert torch.allclose(both.described_sums(question), members.described_sums(question), atol=1e-12)
    pairs = zip(both.clipped_gradients(query), members.clipped_gradients(query), strict=True)
    assert all(torch.allclose(ours, theirs, atol=1e-5) for ours, theirs in pairs)


@dataclass
class Nobody:
    """Answers as a cohort whose images are all blanked; notes what it was asked."""

    asked: list[DescribedQuery | GradientQuery] = field(default_factory=list)

    def described_sums(self, query: DescribedQuery) -> Tensor:
        """Zeros."""
        self.asked.append(query)
        wide = query.dimensions * (query.dimensions + 1) // 2 if query.products else query.dimensions
        return torch.zeros(query.cells, wide, dtype=torch.float64)

    def clipped_gradients(self, query: GradientQuery) -> list[Tensor]:
        """Zeros, as if there were no fakes either."""
        self.asked.append(query)
        return [torch.zeros_like(p, dtype=torch.float64) for p in query.critic.trainable]


def test_a_training_needs_nothing_but_answers(tmp_path: Path) -> None:
    """From whoever gives them; every step is asked under the plan's rate and bound, beside the plan's fakes."""
    training, nobody = small_training(tmp_path / "run"), Nobody()
    noises = tuple(1.0 for _ in training.settings.warm_start.noise_ratios)
    plan = replace(training.plan, steps=3, warm_start=noises, class_balance=1.0)
    training = replace(training, patients=nobody, plan=plan)
    ledger = create_autospec(Ledger)
    ledger.of_kind.return_value = []
    state = fit(training, ledger, Randomness.of(0), StopRequest())
    assert state.step == 3
    first, steps = nobody.asked[: len(plan.up_front)], nobody.asked[len(plan.up_front) :]
    assert all(isinstance(query, DescribedQuery) for query in first)
    assert len(steps) == 3
    for query in steps:
        assert isinstance(query, GradientQuery)
        assert (query.rate, query.clipping_norm) == (plan.sample_rate, plan.clipping_norm)
        assert len(query.fakes) == len(query.told) == plan.fakes
