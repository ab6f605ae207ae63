"""What a restorer is compared with: a method that learns nothing, a plain network, and one that saw patients.

The published yardstick BM3D comes under terms that forbid commercial use, so non-local means stands in its place: it
looks for patches alike in the image, too, and averages them where BM3D filters them together.
"""

import itertools
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from privgan.arrays import Floats, Images
from privgan.gan.networks.layers import convolution
from privgan.images.blocks import at_once
from privgan.images.form import ImageForm
from privgan.images.geometry import by_channel
from privgan.images.pixels import from_uint8, to_levels
from privgan.progress import Progress, silent
from privgan_uses.restoring.damage import WHITE, Coarse, Damage, Noise, agreeing, damaged, levels_a_unit
from privgan_uses.restoring.request import RestoreRequest

DEPTH, CHANNELS = 7, 24  # of the plain network: DnCNN has 17 layers of 64, for images many times as large
_RATE = 1e-3
_PATCH, _REACH, _STRENGTH = 5, 6, 0.8  # pixels a side, pixels around, and how far patches may differ, in sigmas
_AT_ONCE = 32


def classical(images: Images, damage: Damage, form: ImageForm) -> Images:
    """What a method without learning makes of damaged images.

    Larger pixels: cubic splines, brought to agree with what was seen.
    Noise: non-local means (Buades, Coll and Morel 2005) of stabilised values. Artefacts: a median of 3 x 3 pixels.
    """
    if isinstance(damage, Coarse):
        return agreeing(images, images, damage)
    if isinstance(damage, Noise):
        return _without_noise(images, damage, levels_a_unit(form))
    from scipy.ndimage import median_filter

    return by_channel(lambda plane: median_filter(plane, size=(1, 3, 3)), images)


def _without_noise(images: Images, noise: Noise, unit: float) -> Images:
    from skimage.restoration import denoise_nl_means

    stable, back = _stabilised(noise, noise.spread * unit)

    def plane(values: Images) -> Images:
        found = [
            denoise_nl_means(
                stable(each.astype(np.float64)),
                patch_size=_PATCH,
                patch_distance=_REACH,
                h=_STRENGTH,
                sigma=1.0,
                fast_mode=True,
            )
            for each in values
        ]
        return np.rint(np.clip(back(np.stack(found)), 0, WHITE)).astype(np.uint8)

    return by_channel(plane, images)


def _stabilised(noise: Noise, spread: float) -> tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]:
    """Levels to values whose noise has a standard deviation of one, and back (generalised Anscombe transform)."""
    if not noise.photons:
        scale = max(spread, 1e-6)
        return (lambda levels: levels / scale), (lambda values: values * scale)
    gain = WHITE / noise.photons
    offset = 3 / 8 * gain**2 + spread**2
    return (
        lambda levels: 2 / gain * np.sqrt(np.maximum(gain * levels + offset, 0.0)),
        lambda values: ((values * gain / 2) ** 2 - offset) / gain,
    )


class Plain(nn.Module):
    """Damaged images (n, c, h, w) in [-1, 1] to restored ones: convolutions that learn what to take away.

    The shape is that of DnCNN (Zhang et al. 2017), smaller, and without batch norm.
    """

    def __init__(self, channels: int, torch_rng: torch.Generator) -> None:
        super().__init__()
        widths = [channels, *[CHANNELS] * (DEPTH - 1), channels]
        pairs = itertools.pairwise(widths)
        self.layers = nn.ModuleList(convolution(inputs, outputs, 3, torch_rng) for inputs, outputs in pairs)

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        x = images
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        wrong: Tensor = self.layers[-1](x)
        return images - wrong


def plain_network(
    images: Images,
    damage: Damage,
    form: ImageForm,
    request: RestoreRequest,
    task: str,
    progress: Progress = silent,
) -> Plain:
    """The plain network, learned from the same images in as many steps; see `lesson.learn`."""
    settings = request.settings
    torch_rng = torch.Generator().manual_seed(settings.seed)
    network = Plain(form.channels, torch_rng)
    descent = torch.optim.Adam(network.parameters(), lr=_RATE)
    cycle = torch.optim.lr_scheduler.CosineAnnealingLR(descent, settings.steps)
    for step in range(settings.steps):
        rows = torch.randint(len(images), (settings.batch,), generator=torch_rng).numpy()
        wanted = images[rows]
        made = network(from_uint8(damaged(wanted, damage, form, torch_rng)))
        descent.zero_grad(set_to_none=True)
        torch.autograd.backward(F.mse_loss(made, from_uint8(wanted)))
        descent.step()
        cycle.step()
        progress(task, step + 1, settings.steps)
    return network.eval()


def restored_plainly(network: Plain, images: Images) -> Images:
    """What the plain network makes of images uint8 (n, h, h, c)."""
    parts, step = [], at_once(_AT_ONCE, images.shape[1])
    for start in range(0, len(images), step):
        with torch.no_grad():
            parts.append(np.rint(to_levels(network(from_uint8(images[start : start + step])))).astype(np.uint8))
    return np.concatenate(parts)
