"""Generator and discriminator: plain convolutions, small enough for two cores.

The discriminator has no normalisation: a layer that mixes images would let one patient act through another's
gradient, and "Private GANs, Revisited" (Bie, Kamath and Zhang 2023) does best without any. The generator sees
no patients and may normalise as it likes. Both take their class as an argument: the generator through an
embedding, the discriminator through a projection (Miyato and Koyama 2018).
"""

import itertools
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from privgan.errors import IntegrityError, UsageError
from privgan.files import read_json, sha256_file, write_bytes, write_json
from privgan.gan.class_balance import ClassBalance
from privgan.gan.warm_start import Moments, cosine_basis, gaussian_coefficients
from privgan.run import WEIGHTS

Network = TypeVar("Network", bound=nn.Module)
SCHEMA_VERSION = 1
_SMALLEST_MAP = 4
# More at once leave the cache, and the C library asks the system for their maps anew each time.
FAKES_AT_ONCE = 32


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """Everything needed to rebuild a generator: public settings only.

    image_size: pixels a side. latent: dimensions of z. width: channels of the convolutional part.
    order: cosine frequencies of the linear part.
    """

    image_size: int
    classes: tuple[str, ...]
    latent: int = 64
    width: int = 32
    order: int = 15


class Generator(nn.Module):
    """(z (n, latent), labels (n,)) -> images (n, 1, size, size) in [-1, 1].

    A linear part draws the Gaussian image of the warm start, means and loadings on a cosine basis; a convolutional
    part, zero at first, adds what the discriminator asks for. Both keep learning.
    """

    basis: Tensor

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        doublings = max(0, int(math.log2(config.image_size / _SMALLEST_MAP)))
        self.start = math.ceil(config.image_size / 2**doublings)
        classes, deep = len(config.classes), config.width * 2
        self.register_buffer("basis", cosine_basis(config.image_size, config.order), persistent=False)
        self.means = nn.Parameter(torch.zeros(classes, len(self.basis)))
        self.loadings = nn.Parameter(torch.zeros(classes, len(self.basis), config.latent))
        self.embed = nn.Embedding(classes, config.latent)
        self.lift = nn.Linear(2 * config.latent, deep * self.start**2)
        channels = [deep] + [max(config.width >> max(level - 1, 0), 16) for level in range(doublings)]
        self.blocks = nn.ModuleList(_up(a + 1, b) for a, b in itertools.pairwise(channels))
        self.last = nn.Conv2d(channels[-1] + 1, 1, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]  # Optional in the stubs, present by default

    def warm_start(self, moments: Moments) -> None:
        """Begin where the released moments are."""
        with torch.no_grad():
            self.means.copy_(moments.means)
            self.loadings.copy_(moments.loadings)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """See the class."""
        size = self.config.image_size
        linear = gaussian_coefficients(self.means, self.loadings, z, labels) @ self.basis
        image = linear.reshape(-1, 1, size, size)
        x = self.lift(torch.cat([z, self.embed(labels)], dim=1)).reshape(len(z), -1, self.start, self.start)
        for block in self.blocks:
            x = block(torch.cat([x, _resized(image, x.shape[-1])], dim=1))
        detail: Tensor = self.last(torch.cat([x, _resized(image, x.shape[-1])], dim=1))
        return F.hardtanh(image + _centre_crop(detail, size))


def _up(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="nearest"),
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.GroupNorm(4, outputs),
        nn.ReLU(),
    )


def _resized(image: Tensor, side: int) -> Tensor:
    return F.adaptive_avg_pool2d(image, side) if side <= image.shape[-1] else F.interpolate(image, size=(side, side))


def _centre_crop(image: Tensor, size: int) -> Tensor:
    margin = (image.shape[-1] - size) // 2
    return image[..., margin : margin + size, margin : margin + size]


class Discriminator(nn.Module):
    """(images (n, 1, size, size) in [-1, 1], labels (n,)) -> scores (n,); positive means real. Never released."""

    def __init__(self, *, image_size: int, classes: int, width: int = 16) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs, side, outputs = 1, image_size, width
        while side > _SMALLEST_MAP:
            # Not in place: Opacus' backward hooks hold views of these outputs.
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
            inputs, outputs, side = outputs, min(outputs * 2, width * 4), side // 2
        self.features = nn.Sequential(*layers)
        self.score = nn.Linear(inputs * side**2, 1)
        self.project = nn.Linear(inputs * side**2, classes, bias=False)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """See the class."""
        features = self.features(images).flatten(1)
        scores: Tensor = self.score(features).squeeze(1)
        projected: Tensor = self.project(features).gather(1, labels[:, None]).squeeze(1)
        return scores + projected


def placed(network: Network, device: torch.device | str) -> Network:
    """A network on a device, its maps with the channels last: a third faster convolutions there and here."""
    return network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


@dataclass(frozen=True, kw_only=True)
class LoadedGenerator:
    """A trained generator, ready to be sampled, and the class balance if its run measured that."""

    network: Generator
    sha256: str
    class_balance: ClassBalance | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in label order."""
        return self.network.config.classes

    @property
    def image_size(self) -> int:
        """Pixels a side."""
        return self.network.config.image_size

    def sample(self, labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.uint8]:
        """One image a label: uint8 (n, size, size)."""
        device = next(self.network.parameters()).device
        pieces = [labels[at : at + FAKES_AT_ONCE] for at in range(0, len(labels), FAKES_AT_ONCE)]
        return np.concatenate([self._batch(piece, rng, device) for piece in pieces])

    def _batch(self, labels: NDArray[np.int64], rng: np.random.Generator, device: torch.device) -> NDArray[np.uint8]:
        z = rng.standard_normal((len(labels), self.network.config.latent), dtype=np.float32)
        with torch.no_grad():
            images = self.network(torch.from_numpy(z).to(device), torch.from_numpy(labels).to(device))
        return to_uint8(images)


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """(n, 1, h, w) in [-1, 1] -> uint8 (n, h, w)."""
    scaled = ((images[:, 0].clamp(-1, 1) + 1) * 127.5).round()
    levels: NDArray[np.uint8] = scaled.to(torch.uint8).cpu().numpy()
    return levels


def save_generator(run_folder: Path, network: Generator, class_balance: ClassBalance | None = None) -> str:
    """Write model/generator.safetensors and config.json; returns the SHA-256 of the weights."""
    from safetensors.torch import save

    folder = run_folder / "model"
    state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    measured = None if class_balance is None else asdict(class_balance)
    config = {"schema_version": SCHEMA_VERSION, **asdict(network.config), "class_balance": measured}
    write_json(folder / "config.json", config)
    write_bytes(run_folder / WEIGHTS, save(state))
    return sha256_file(run_folder / WEIGHTS)


def load_generator(run_folder: Path, device: str = "cpu") -> LoadedGenerator:
    """Rebuild a generator from RUN/model, checking names and shapes before anything is used.

    Raises:
        UsageError: there is no finished model.
        IntegrityError: config and weights disagree.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    weights = run_folder / WEIGHTS
    if not weights.is_file():
        raise UsageError(f"Expected a finished run in {run_folder}, it has no generator. Train it to the end first.")
    config, class_balance = _read_config(run_folder / "model" / "config.json")
    network = Generator(config)
    digest = sha256_file(weights)
    try:
        network.load_state_dict(load_file(weights), strict=True)
    except (SafetensorError, RuntimeError, KeyError):
        raise IntegrityError("Expected weights that fit the generator's config.json, they do not.") from None
    return LoadedGenerator(network=placed(network, device).eval(), sha256=digest, class_balance=class_balance)


def _read_config(path: Path) -> tuple[GeneratorConfig, ClassBalance | None]:
    table: dict[str, Any] = read_json(path)
    if table.pop("schema_version", None) != SCHEMA_VERSION:
        raise IntegrityError("Expected a generator configuration of a known schema version.")
    try:
        measured = table.pop("class_balance", None)
        config = GeneratorConfig(**{**table, "classes": tuple(table["classes"])})
        class_balance = None if measured is None else ClassBalance.from_json(measured)
    except (TypeError, KeyError, UsageError):
        raise IntegrityError("Expected the fields of a generator configuration.") from None
    if class_balance is not None and len(class_balance.counts) != len(config.classes):
        raise IntegrityError("Expected a measured count for each class in the generator's configuration.")
    return config, class_balance
