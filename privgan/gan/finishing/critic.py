"""Who tells public images from finished drawings: patch by patch, and as a whole. It never sees a patient.

Spectral norms keep it smooth (Miyato et al. 2018), which a critic of patients cannot have: a norm of weights is cheap
here, where no gradient is clipped. Scores of patches (Isola et al. 2017) look at texture, the last one at the whole.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from privgan.gan.networks.layers import convolution, linear

WIDTH = 32
_SMALLEST = 4  # pixels a side of the map that the whole is judged by
_PATCHES = 16  # and, at most, of those whose places are judged by themselves
_SETTLED = 15  # rounds, as torch's own


class Critic(nn.Module):
    """Images (n, channels, side, side) -> maps on the way, and scores (n, places) at each scale; above 0: real."""

    def __init__(self, side: int, channels: int, torch_rng: torch.Generator) -> None:
        super().__init__()
        layers, places, inputs = [convolution(channels, WIDTH, 3, torch_rng)], {}, WIDTH
        while side > _SMALLEST:
            outputs = min(2 * inputs, 4 * WIDTH) if len(layers) > 1 else WIDTH
            layers.append(convolution(inputs, outputs, 4, torch_rng, stride=2))
            inputs, side = outputs, side // 2
            if _SMALLEST < side <= _PATCHES:
                places[str(len(layers) - 1)] = spectral_norm(convolution(inputs, 1, 3, torch_rng))
        self.layers = nn.ModuleList(map(spectral_norm, layers))
        self.places = nn.ModuleDict(places)  # by the number of the layer whose map they judge
        self.whole = spectral_norm(linear(inputs * side**2, 1, torch_rng))
        _settle(self, torch_rng)

    def forward(self, images: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """See the class."""
        maps, x = [], images
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            maps.append(x)
        scores = [judge(maps[int(number)]).flatten(1) for number, judge in self.places.items()]
        return maps, [*scores, self.whole(x.flatten(1))]


def _settle(critic: nn.Module, torch_rng: torch.Generator) -> None:
    """Singular vectors from this generator: torch's own are the process's, and every learning would differ."""
    with torch.no_grad():
        for name, vector in critic.named_buffers():
            if name.endswith(("._u", "._v")):
                vector.copy_(F.normalize(torch.randn(vector.shape, generator=torch_rng), dim=0))
        for layer in critic.modules():
            for _ in range(_SETTLED * hasattr(layer, "parametrizations")):
                _ = layer.weight  # looking at it is a round of power iteration


def apart(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Hinge loss of the critic (Lim and Ye 2017), added up over the scales."""
    losses = [F.relu(1 - r).mean() + F.relu(1 + f).mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack([loss.float() for loss in losses]).sum()


def fooled(fake: list[Tensor]) -> Tensor:
    """What the detail network wants of the critic's scores of its images."""
    return -torch.stack([score.float().mean() for score in fake]).sum()


def alike(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Mean distance of the critic's maps of two sets of images (Wang et al. 2018), added up over the layers."""
    return torch.stack([(r.float() - f.float()).abs().mean() for r, f in zip(real, fake, strict=True)]).sum()
