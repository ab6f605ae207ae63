"""What is said of large images: how smooth they are without a prior, which is true, and what memory they take."""

import pytest
import torch

from privgan.gan.image_model import STARTS, ImageModel
from privgan.gan.size import memory, smoothness
from privgan.gan.warm_start import Mixture, MixtureImages, MixtureShape
from privgan.gan.warm_start.constants import cosine_columns
from privgan.images.form import ImageForm


@pytest.mark.parametrize(("side", "said"), [(28, False), (64, False), (95, False), (96, True), (256, True)])
def test_much_larger_images_than_are_asked_about_are_called_smooth(side: int, said: bool) -> None:
    for start in STARTS.values():
        told = smoothness(side, start)
        assert bool(told) == said
        assert ("images of 24 pixels that were enlarged" in told) == said
    assert "images of 15 pixels" in smoothness(256, ImageModel(align=False))


def test_it_is_true() -> None:
    """Of what a warm start draws, nearly all lies in the cosines that an image of that many pixels has."""
    model = ImageModel()
    shape = MixtureShape.of(model, ImageForm(side=128, classes=("a",)), factors=4)
    torch_rng, released = torch.Generator().manual_seed(0), Mixture.grey(shape)
    released.means.normal_(generator=torch_rng)
    released.grain.fill_(1.0)
    released.fine.normal_(generator=torch_rng)
    drawing = MixtureImages(shape)
    drawing.fill(released)
    images = drawing.gaussian(torch.randn(8, shape.latent, generator=torch_rng), torch.zeros(8, dtype=torch.int64))
    columns = torch.from_numpy(cosine_columns(128)).float()
    power = (columns.T @ images @ columns).square().mean((0, 1))
    power[0, 0] = 0.0
    assert float(power[: model.fine_order, : model.fine_order].sum() / power.sum()) > 0.95


def test_memory_grows_with_the_size() -> None:
    def numbers(side: int) -> list[float]:
        return [float(word) for word in memory(side).split() if word.replace(".", "").isdigit()][1:]

    some, more = numbers(64), numbers(256)
    assert len(some) == 4
    assert all(small < large for small, large in zip(some, more, strict=True))
