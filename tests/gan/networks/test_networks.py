"""The networks: every size, no layer that mixes images, a generator that comes back as it was saved."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.errors import IntegrityError, UsageError
from privgan.files import read_json, write_json
from privgan.gan.networks import Discriminator, Generator, GeneratorConfig, generators, load_generator, save_generator
from privgan.gan.training.ladder import Ladder, LadderSettings
from privgan.gan.warm_start import Mixture, cosine_basis
from privgan.gan.warm_start.coordinates import COLOUR_WEIGHT
from privgan.images.form import ImageForm
from privgan.images.pixels import from_uint8, to_levels
from privgan.run import make_run_folders


def _generator(size: int = 28, channels: int = 1, **others: Any) -> Generator:
    torch.manual_seed(0)
    form = ImageForm(side=size, channels=channels, classes=("a", "b"))
    config = GeneratorConfig(form=form, latent=12, width=16, order=6, **others)
    generator = Generator(config, torch.default_generator)
    torch.nn.init.normal_(generator.start.loadings, std=0.3)
    return generator


@pytest.mark.parametrize(
    ("size", "channels", "network"),
    [
        *((size, 1, "conv") for size in (28, 29, 32, 37, 64, 100, 256)),
        *((size, 3, "conv") for size in (28, 37, 128)),
        *((size, channels, "mlp") for size in (28, 37, 128) for channels in (1, 3)),
    ],
)
def test_every_size_works(size: int, channels: int, network: str) -> None:
    """28 to 256 pixels, even or odd, grey or colour: forward, clipped by patient, and back to the generator."""
    generator = _generator(size, channels=channels, network=network)
    z, labels = torch.randn(2, generator.config.mixture.latent), torch.tensor([0, 1])
    images = generator(z, labels)
    assert images.shape == (2, channels, size, size)
    assert float(images.detach().abs().max()) <= 1
    discriminator = Discriminator(
        ImageForm(side=size, channels=channels, classes=("a", "b")),
        torch.default_generator,
        width=8,
        network=network,
    )
    torch.autograd.backward(-discriminator(images, labels).sum())
    learned = [p.grad is not None and float(p.grad.abs().max()) > 0 for p in generator.last.parameters()]
    assert all(learned)
    images = images.detach()
    assert discriminator(images, labels).shape == (2,)
    sums = PatientGradients(discriminator).clipped_sums(
        lambda rows: discriminator(images[rows], labels[rows]), torch.tensor([[0], [1]]), 1.0
    )
    assert all(bool(total.isfinite().all()) for total in sums)


@pytest.mark.parametrize("network", ["conv", "mlp"])
def test_a_discriminator_hears_of_every_value_and_is_built_again_of_its_weights(network: str) -> None:
    """Without records it has the weights that it always had, drawn in the same order."""
    form, levels = ImageForm(side=28, classes=("a", "b")), (3, 4)

    def built(levels: tuple[int, ...]) -> Discriminator:
        return Discriminator(form, torch.Generator().manual_seed(0), width=8, network=network, levels=levels)

    told, plain, images = built(levels), built(()), torch.rand(1, 1, 28, 28).expand(3, -1, -1, -1)
    for name, weights in plain.state_dict().items():
        assert torch.equal(weights, told.state_dict()[name])
    records = torch.tensor([[0, 1, 2], [0, 1, 3], [0, 2, 2]])
    scores = told(images, records).detach()
    assert len({float(score) for score in scores}) == 3
    values = torch.nn.functional.one_hot(records[:, 1:] + torch.tensor([0, 3]), 7).sum(1) / 2**0.5
    features = plain.features(images).flatten(1)
    of_record = (features @ told.project_record.weight.T * values).sum(1)  # type: ignore[union-attr]
    assert torch.allclose(scores, plain(images, records[:, 0]) + of_record, atol=1e-6)
    for network_of, hears in ((told, levels), (plain, ())):
        again = Discriminator.of_weights(network_of.state_dict(), form, network=network, levels=levels)
        assert again.levels == hears
        assert torch.equal(again(images, records), network_of(images, records))


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (37, 3), (64, 1), (64, 3)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_shorter_steps_make_the_same_images_and_gradients(
    size: int, channels: int, layout: torch.memory_format, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slow twin joins plainly, doubles, and convolves with torch's own layers."""
    generator = _generator(size, channels=channels).double().to(memory_format=layout)
    torch.nn.init.normal_(generator.last.weight, std=0.1)
    z, labels = torch.randn(3, generator.config.mixture.latent, dtype=torch.float64), torch.tensor([0, 1, 0])

    def told() -> list[torch.Tensor]:
        generator.zero_grad()
        images = generator(z, labels)
        torch.autograd.backward(images.pow(3).sum())
        return [images.detach(), *(p.grad.clone() for p in generator.parameters() if p.grad is not None)]

    found = told()
    monkeypatch.setattr(generators, "beside", _joined_plainly)
    monkeypatch.setattr(generators, "doubled", _doubled_plainly)
    monkeypatch.setattr(generators, "one_output", partial(F.conv2d, padding=1))
    wanted = told()
    assert len(found) > 8
    torch.testing.assert_close(found, wanted)


def _joined_plainly(x: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    side = x.shape[-1]
    larger = side > image.shape[-1]
    resized = F.interpolate(image, size=(side, side)) if larger else F.adaptive_avg_pool2d(image, side)
    return torch.cat([x, resized], dim=1)


def _doubled_plainly(x: torch.Tensor, image: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
    return F.conv2d(F.interpolate(_joined_plainly(x, image), scale_factor=2.0), *weights, padding=1)


@pytest.mark.parametrize(("channels", "network"), [(1, "conv"), (3, "conv"), (1, "mlp"), (3, "mlp")])
def test_it_begins_at_the_released_moments(channels: int, network: str) -> None:
    """Before refinement an image is the Gaussian image of its latent: brightness, red against blue, green."""
    generator = _generator(channels=channels, network=network, align=False, bend=0.0)
    m = channels * len(cosine_basis(28, 6))
    grey = Mixture.grey(generator.config.mixture)
    mixture = replace(grey, means=torch.randn(2, 1, m), loadings=0.1 * torch.randn(2, 1, m, 12))
    generator.warm_start(mixture)
    z, labels = torch.randn(5, generator.config.mixture.latent), torch.tensor([0, 1, 1, 0, 1])
    drawn = [mixture.means[y, 0] + mixture.loadings[y, 0] @ x[:12] for x, y in zip(z, labels.tolist(), strict=True)]
    parts = torch.stack(drawn).chunk(channels, dim=1)
    planes = [(part @ generator.basis).reshape(5, 28, 28) for part in parts]
    if channels == 3:
        bright, warm, green = (
            planes[0] / 3**0.5,
            planes[1] / COLOUR_WEIGHT / 2**0.5,
            planes[2] / COLOUR_WEIGHT / 6**0.5,
        )
        planes = [bright + warm + green, bright - 2 * green, bright - warm + green]
    wanted = torch.stack(planes, dim=1).clamp(-1, 1)
    assert torch.allclose(generator(z, labels), wanted, atol=1e-5)


@pytest.mark.parametrize("network", ["conv", "mlp"])
def test_the_class_comes_from_the_released_mixture_alone(network: str) -> None:
    """Classes that look alike are drawn alike, whatever was learned: nothing can paint the label into an image."""
    generator = _generator(network=network)
    torch.nn.init.normal_(generator.last.weight, std=0.1)
    z, zeros = torch.randn(4, generator.config.mixture.latent), torch.zeros(4, dtype=torch.int64)
    generator.start.loadings[1] = generator.start.loadings[0]
    assert torch.equal(generator(z, zeros), generator(z, zeros + 1))
    generator.start.means[1] += 0.1
    assert not torch.equal(generator(z, zeros), generator(z, zeros + 1))


@pytest.mark.parametrize("kind", [{}, {"channels": 3}, {"network": "mlp"}, {"network": "mlp", "channels": 3}])
def test_saved_and_loaded_it_draws_the_same(tmp_path: Path, kind: dict[str, Any]) -> None:
    """Weights and configuration come back; the digest is the file's; colour comes last in what is drawn."""
    make_run_folders(tmp_path / "run")
    digest = save_generator(tmp_path / "run", _generator(**kind))
    loaded = load_generator(tmp_path / "run")
    assert loaded.form.channels == kind.get("channels", 1)
    assert loaded.model == digest
    z = np.random.default_rng(0).standard_normal((2, loaded.latent))
    first, second = (loaded.levels(each, 1) for each in z)
    assert first.shape == loaded.form.shape
    assert first.dtype == np.float64
    assert np.array_equal(first, load_generator(tmp_path / "run").levels(z[0], 1))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, loaded.levels(z[0], 0))


@pytest.mark.parametrize("shape", [(4, 6, 5, 1), (4, 6, 5, 3)])
def test_pixels_come_back(shape: tuple[int, ...]) -> None:
    """All levels, grey and colour, and the channel of each value is kept."""
    levels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    levels.flat[:2] = 0, 255
    values = from_uint8(levels)
    assert values.shape == (4, shape[3], 6, 5)
    assert values.stride() == torch.empty(values.shape).stride()
    assert values.is_contiguous()
    assert (float(values.min()), float(values.max())) == (-1.0, 1.0)
    assert np.array_equal(np.rint(to_levels(values)), levels)
    assert np.array_equal(to_levels(2 * values), to_levels((2 * values).clamp(-1, 1)))
    for channel in range(shape[3]):
        assert np.array_equal(np.rint(to_levels(values[:, [channel]])), levels[..., [channel]])


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """A configuration of another shape, a cut file, and no file at all."""
    run = tmp_path / "run"
    make_run_folders(run)
    with pytest.raises(UsageError):
        load_generator(run)
    save_generator(run, _generator())
    config = read_json(run / "model" / "config.json")
    write_json(run / "model" / "config.json", {**config, "latent": 13})
    with pytest.raises(IntegrityError):
        load_generator(run)
    write_json(run / "model" / "config.json", {**config, "schema_version": 1})
    with pytest.raises(IntegrityError, match="schema version 5, got 1"):
        load_generator(run)
    write_json(run / "model" / "config.json", config)
    weights = run / "model" / "generator.safetensors"
    weights.write_bytes(weights.read_bytes()[:-7])
    with pytest.raises(IntegrityError):
        load_generator(run)


def test_the_ladder_climbs_when_fakes_are_not_told_apart_and_never_descends() -> None:
    """One rung after the grace period at low accuracy; perfect accuracy keeps it where it is."""
    settings = LadderSettings(first=5, threshold=0.6, decay=0.5, grace=4)
    ladder = Ladder(steps=5)
    for _ in range(4):
        ladder = ladder.observe(0.1, settings)
    assert ladder.steps == 10
    assert ladder.since == 0
    for _ in range(20):
        ladder = ladder.observe(1.0, settings)
    assert ladder.steps == 10
