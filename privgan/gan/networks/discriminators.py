"""Discriminators: convolutions, or their twin of dense layers, small enough for two cores.

None has normalisation: a layer that mixes images would let one patient act through another's gradient, and "Private
GANs, Revisited" (Bie, Kamath and Zhang 2023) does best without any. The class enters through a projection (Miyato and
Koyama 2018), and so does every value of a record: an image that shows what its record says is then more real.
"""

import math
from collections.abc import Mapping
from typing import Self

import torch
from torch import Tensor, nn

from privgan.checks import one_of
from privgan.gan.effects.odds import one_hot
from privgan.gan.names import CONV, MLP, NETWORKS
from privgan.gan.networks.generators import HIDDEN_PER_WIDTH, SMALLEST_MAP
from privgan.gan.networks.layers import convolution, linear
from privgan.gan.patients import classes_of
from privgan.images.form import ImageForm

_OF_RECORDS = "project_record.weight"


class Discriminator(nn.Module):
    """(images (n, channels, size, size) in [-1, 1], told) -> scores (n,); positive means real. Never released.

    told: labels (n,), or records (n, 1 + columns) where it was built for those. form: of the images. torch_rng: of
    the first weights; without it they are zero, for whoever fills them. width: channels of the first convolution;
    `mlp` has eight times as many hidden units. levels: codes of each column of a record, none without records.
    """

    def __init__(
        self,
        form: ImageForm,
        torch_rng: torch.Generator | None,
        *,
        width: int = 16,
        network: str = CONV,
        levels: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        self.levels = levels
        one_of(NETWORKS, network=network)
        if network == MLP:
            self.features, found = _dense(math.prod(form.shape), width * HIDDEN_PER_WIDTH, torch_rng)
        else:
            self.features, found = convolutions(form.side, form.channels, width, torch_rng)
        self.score = linear(found, 1, torch_rng)
        self.project = linear(found, len(form.classes), torch_rng, bias=False)
        self.project_record = linear(found, sum(levels), torch_rng, bias=False) if levels else None

    @classmethod
    def of_weights(
        cls, weights: Mapping[str, Tensor], form: ImageForm, *, network: str, levels: tuple[int, ...] = ()
    ) -> Self:
        """The discriminator that these weights belong to; told records of so many codes if any of them are of those.

        Raises:
            KeyError, RuntimeError: they are of another network, or of other images or classes.
        """
        units = len(weights["features.1.weight" if network == MLP else "features.0.weight"])
        width = units // HIDDEN_PER_WIDTH if network == MLP else units
        told = levels if _OF_RECORDS in weights else ()
        built = cls(form, None, width=width, network=network, levels=told)
        built.load_state_dict(dict(weights))
        return built

    def forward(self, images: Tensor, told: Tensor) -> Tensor:
        """See the class."""
        features = self.features(images).flatten(1)
        scores: Tensor = self.score(features).squeeze(1)
        projected: Tensor = self.project(features).gather(1, classes_of(told)[:, None]).squeeze(1)
        if self.project_record is None:
            return scores + projected
        # All columns together weigh what the class does: they shall not use up the bound of a patient's gradient.
        values = one_hot(told[:, 1:], self.levels) / math.sqrt(len(self.levels))
        of_record: Tensor = (self.project_record(features) * values).sum(1)
        return scores + projected + of_record


def convolutions(
    image_size: int, channels: int, width: int, torch_rng: torch.Generator | None
) -> tuple[nn.Sequential, int]:
    """Strided convolutions down to the smallest map, and how many numbers they leave of an image."""
    layers: list[nn.Module] = []
    inputs, side, outputs = channels, image_size, width
    while side > SMALLEST_MAP:
        # Not in place: book-keeping needs these outputs as they were.
        layers += [convolution(inputs, outputs, 4, torch_rng, stride=2), nn.LeakyReLU(0.2)]
        inputs, outputs, side = outputs, min(outputs * 2, width * 4), side // 2
    return nn.Sequential(*layers), inputs * side**2


def _dense(pixels: int, hidden: int, torch_rng: torch.Generator | None) -> tuple[nn.Sequential, int]:
    first, second = linear(pixels, hidden, torch_rng), linear(hidden, hidden, torch_rng)
    return nn.Sequential(nn.Flatten(), first, nn.LeakyReLU(0.2), second, nn.LeakyReLU(0.2)), hidden
