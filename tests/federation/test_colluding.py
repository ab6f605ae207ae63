"""Two of five sites tell each other all they know: of the others their sum is left, with its noise."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import chi2, kstest
from torch import Tensor

from privgan.dp.noise import NORM_SLACK
from privgan.federation.adding import Masked
from privgan.federation.letters import Answer, read_joined
from privgan.federation.masks import Masks, key_of_mask_line, mask_key
from privgan.federation.together import Sites
from privgan.gan.patients import DescribedQuery
from privgan.gan.training.members import Members
from tests.federation.hospitals import World, make_world

HONEST, CONSPIRATORS = ("a", "b", "c"), ("y", "z")
ASKED = 3  # questions: the third alone has two and a half thousand numbers


@dataclass(frozen=True, kw_only=True)
class Round:
    """What a question brought. letters: int64 by site, as anybody reads them. exact: float64, no site's to tell."""

    question: int
    grid: float
    charged: float
    letters: dict[str, Tensor]
    masks: dict[str, Masks]
    exact: dict[str, Tensor]

    def known(self, site: str) -> Tensor:
        """What the conspirators can take off an honest site's letter: the masks that each of them has with it."""
        shape = tuple(self.letters[site].shape)
        total = torch.zeros(shape, dtype=torch.int64)
        for name in CONSPIRATORS:
            pair = replace(self.masks[name], others={site: self.masks[name].others[site]})
            total = total - pair.of(self.question, shape)
        return total

    def bare(self, site: str) -> Tensor:
        """A site's noised sums in units of the grid, as it alone can tell them."""
        return self.letters[site] - self.masks[site].of(self.question, tuple(self.letters[site].shape))

    def left(self) -> Tensor:
        """What the conspirators are left with of all others: float64."""
        total = torch.stack(list(self.letters.values())).sum(0)
        return (total - sum(self.bare(name) for name in CONSPIRATORS)).double() * self.grid

    def noise_of(self, sites: tuple[str, ...]) -> Tensor:
        """Of these sites together, in what was charged."""
        noised = sum(self.bare(site).double() * self.grid - self.exact[site] for site in sites)
        return torch.as_tensor(noised) / (self.charged * NORM_SLACK)


@pytest.fixture(scope="module")
def rounds(made: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> list[Round]:
    cohorts = dict(zip((*HONEST, *CONSPIRATORS), (*made.values(), *made.values()), strict=False))
    world = make_world(cohorts, tmp_path_factory.mktemp("five"), transport="masked")
    assert world.federation.invitation.colluding == len(CONSPIRATORS)
    asked: list[DescribedQuery] = []
    inner = Sites.noisy_sums

    def noted(self: Sites, query: DescribedQuery, noise: float) -> Tensor:
        if self.total.here.site.name == HONEST[0] and self.total.answered == len(asked):
            asked.append(query)
        return inner(self, query, noise)

    world.join()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Sites, "noisy_sums", noted)
        for _ in range(ASKED):
            world.round()
    return [_round(world, query, number) for number, query in enumerate(asked[:ASKED], 1)]


def _round(world: World, query: DescribedQuery, question: int) -> Round:
    federation, hospitals = world.federation, world.hospitals
    lines = {
        name: read_joined(world.exchange.yes(name) or b"", federation, hospitals[name].site) for name in hospitals
    }
    masks = {
        name: Masks(
            federation=federation.sha256,
            own=name,
            key=mask_key(hospitals[name].key, federation.sha256),
            others={other: key_of_mask_line(line) for other, line in lines.items() if other != name},
        )
        for name in hospitals
    }
    letters = {}
    for name, hospital in hospitals.items():
        answer = Answer.read(world.letter(question, name).read_bytes(), federation, hospital.site, question)
        reader = Masked(invitation=federation.invitation, masks=masks[name])
        letters[name] = reader.read(answer.numbers, question, query.shape)
    settings, cpu = federation.invitation.settings, torch.device("cpu")
    exact = {
        name: Members.of(hospitals[name].cohort, settings, cpu, np.random.default_rng(0)).described_sums(query)
        for name in HONEST
    }
    charged = hospitals[HONEST[0]].ledger.queries()[question - 1].noise_multiplier
    grid = federation.invitation.grid(question)
    return Round(question=question, grid=grid, charged=charged, letters=letters, masks=masks, exact=exact)


def uniform(values: list[Tensor]) -> float:
    """The p-value of numbers of 64 bits being so."""
    numbers = torch.cat([each.flatten() for each in values]).numpy()
    return float(kstest(numbers / 2.0**64 + 0.5, "uniform").pvalue)


def as_charged(noise: Tensor) -> float:
    """Where the sum of squares lies among those of standard normal numbers: near 0 is too little, near 1 too much."""
    return float(chi2.cdf(float(noise.square().sum()), noise.numel()))


def test_of_one_honest_site_nothing_is_left_but_chance(rounds: list[Round]) -> None:
    """Nor of two of the three. A site whose masks were all known would be told from chance at once."""
    left = [{site: asked.letters[site] - asked.known(site) for site in HONEST} for asked in rounds]
    for site in HONEST:
        assert uniform([each[site] for each in left]) > 1e-6
        assert uniform([sum(each.values(), -each[site]) for each in left]) > 1e-6
        assert uniform([asked.bare(site) for asked in rounds]) < 1e-6
    for asked, each in zip(rounds, left, strict=True):
        assert torch.equal(torch.stack(list(each.values())).sum(0).double() * asked.grid, asked.left())


def test_of_all_honest_sites_their_sum_is_left_with_the_noise_that_was_charged(rounds: list[Round]) -> None:
    """Not less, and not more. Two lies are refused: sums without noise, and with that of one site too few."""
    noise = torch.cat(
        [(asked.left() - sum(asked.exact.values())).flatten() / (asked.charged * NORM_SLACK) for asked in rounds]
    )
    assert noise.numel() > 2500
    assert 1e-6 < as_charged(noise) < 1 - 1e-6
    assert abs(float(noise.mean())) < 5 / noise.numel() ** 0.5
    for missing in range(len(HONEST)):
        fewer = tuple(site for number, site in enumerate(HONEST) if number != missing)
        assert as_charged(torch.cat([asked.noise_of(fewer).flatten() for asked in rounds])) < 1e-6
    assert as_charged(torch.zeros_like(noise)) < 1e-6
    assert as_charged(noise * 1.2) > 1 - 1e-6
