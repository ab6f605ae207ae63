"""Public images brought to what patients are like: beside formulas, beside twins, and what it must not touch."""

import pytest
import torch
from torch import Tensor

from privgan.arrays import Images
from privgan.gan.finishing import brought as module
from privgan.gan.finishing.brought import Released, brought
from privgan.gan.finishing.drawings import Described
from privgan.gan.finishing.gaussians import means_of
from privgan.gan.image_model import MixtureSettings
from privgan.gan.warm_start import Mixture, MixtureImages, MixtureShape
from privgan.gan.warm_start.movement import BENDS, REACH, bent, carried, unbent, waves
from privgan.gan.warm_start.strength import DetailBands
from privgan.images.form import ImageForm
from tests.takes import takes

SIDE, PUBLIC = 28, 300
EVERY = torch.arange(PUBLIC)
SHAPE = MixtureShape.of(
    MixtureSettings(components=2), ImageForm(side=SIDE, classes=("a", "b"), channels=1), factors=5, uneven=True
)
BANDS = DetailBands(side=SIDE, order=SHAPE.coordinates.order)


@pytest.fixture(scope="module")
def images() -> Images:
    return takes(PUBLIC, seed=3, side=SIDE)


@pytest.fixture(scope="module")
def start() -> MixtureImages:
    """Two classes of two components each, in no relation to the public images."""
    torch_rng, coordinates = torch.Generator().manual_seed(4), SHAPE.coordinates
    found, filled = Mixture.grey(SHAPE).drawn_from(), MixtureImages(SHAPE)
    random = {
        "means": 1.5 * torch.randn(2, 2, coordinates.count, generator=torch_rng),
        "loadings": 0.5 * torch.randn(2, 2, coordinates.count, SHAPE.factors, generator=torch_rng),
        "grain": 0.3 + 0.2 * torch.rand(2, 2, coordinates.count, generator=torch_rng),
        "shares": torch.tensor([[0.3, 0.7], [1.0, 0.0]]),
    }
    filled.fill(Mixture(counts=torch.tensor([30.0, 10.0]), **{**found, **random}))
    return filled


def released(start: MixtureImages, powers: float = -6.0) -> Released:
    wanted = torch.full((2, len(BANDS.numbers)), powers)
    return Released(start=start, counts=torch.tensor([30.0, 10.0]), bands=BANDS, powers=wanted)


def spread(seed: int) -> Tensor:
    values = torch.randn(40, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return torch.cov(values.T)


def test_the_map_leads_one_covariance_to_the_other_and_moves_least() -> None:
    first, then = spread(0), spread(1)
    led = module._monge(first, then)
    ridged = first + module._RIDGE * first.diagonal().mean() * torch.eye(12)
    assert torch.allclose(led @ ridged @ led, then, atol=1e-9)
    assert torch.allclose(led, led.T)
    assert bool((torch.linalg.eigvalsh(led) > 0).all())  # the gradient of a convex function: no other map moves less
    assert torch.allclose(module._monge(first.diagonal().diag(), ridged.diagonal().diag()), torch.eye(12).double())


def test_coordinates_have_the_means_and_covariances_of_the_classes(images: Images, start: MixtureImages) -> None:
    """Of public images of one class each, against moments of many draws of the mixture."""
    torch_rng = torch.Generator().manual_seed(0)
    for label, counts in enumerate((torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))):
        patients = Released(start=start, counts=counts, bands=BANDS, powers=torch.full((2, len(BANDS.numbers)), -6.0))
        found = brought(images, patients, torch_rng).described.own
        component = torch.multinomial(start.shares[label], 20000, replacement=True, generator=torch_rng)
        factors = torch.randn(20000, SHAPE.factors, generator=torch_rng)
        drawn = start.means[label, component] + torch.einsum("nmr,nr->nm", start.loadings[label, component], factors)
        drawn += start.grain[label, component] * torch.randn(drawn.shape, generator=torch_rng)
        assert torch.allclose(found.mean(0), drawn.mean(0), atol=0.05)
        wanted, got = torch.cov(drawn.T), torch.cov(found.T)
        assert float((got - wanted).norm() / wanted.norm()) < 0.1
        assert float((torch.cov(Described.of(images, SHAPE).own.T) - wanted).norm() / wanted.norm()) > 0.5  # before


def test_what_coordinates_do_not_say_is_kept_and_made_as_strong_as_patients(
    images: Images, start: MixtureImages
) -> None:
    faint = brought(images, released(start, -7.0), torch.Generator().manual_seed(0)).shown(EVERY)
    strong = brought(images, released(start, -5.0), torch.Generator().manual_seed(0)).shown(EVERY)
    means = [BANDS.powers(some).mean(0) for some in (faint, strong)]
    assert float((means[1] - means[0]).median()) == pytest.approx(2.0, abs=0.4)
    columns, mask = BANDS.columns, BANDS.masks[-1]
    high = [(columns @ ((columns.T @ some @ columns) * mask) @ columns.T).flatten(1) for some in (faint, strong)]
    assert float(torch.nn.functional.cosine_similarity(*high).median()) > 0.9  # the same lines, stronger


def test_what_is_carried_is_undone_and_done_in_one_step() -> None:
    torch_rng = torch.Generator().manual_seed(0)
    before, after = (0.6 * torch.randn(10, BENDS, generator=torch_rng) for _ in range(2))
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, 32)] * 2, indexing="ij")
    images = torch.sin(5 * x + 3 * y).expand(10, 1, 32, 32)
    field = waves(32)
    once = carried(images, before, after, field, REACH)
    twice = bent(unbent(images, before, field, REACH), after, field, REACH)
    inner = (..., slice(4, -4), slice(4, -4))
    assert float((once - twice)[inner].square().mean()) < 0.02 * float((images - twice)[inner].square().mean())
    assert torch.allclose(carried(images, before, before, field, REACH)[inner], images[inner], atol=0.03)


def test_each_class_is_drawn_in_its_share(images: Images, start: MixtureImages) -> None:
    whole = brought(images, released(start), torch.Generator().manual_seed(0))
    made = whole.shown(EVERY)
    assert made.shape == (PUBLIC, 1, SIDE, SIDE)
    assert bool(made.isfinite().all())
    near = torch.cdist(whole.described.own, means_of(start)).argmin(1)
    assert float((near == 0).float().mean()) == pytest.approx(0.75, abs=0.1)


def test_large_images_are_brought_a_few_at_a_time(
    images: Images, start: MixtureImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As small ones all at once, but for the order in which a library adds."""
    at_once = brought(images, released(start), torch.Generator().manual_seed(0)).shown(EVERY)
    monkeypatch.setattr(module, "at_once", lambda *_: 7)
    few = brought(images, released(start), torch.Generator().manual_seed(0)).shown(EVERY)
    assert torch.allclose(few, at_once, atol=1e-3)
