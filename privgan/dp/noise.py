"""Where noise and draws come from: a cryptographic generator keyed by the operating system.

A Mersenne Twister or Philox stream can be predicted from its output or its seed, and with the noise the
guarantee is gone (Garfinkel and Leclerc 2020, "Randomness concerns when deploying differential privacy").
Opacus' own secure mode needs a package that cannot be installed, so its noise is not used at all.
"""

import math
import secrets
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from torch import Tensor

from privgan.checks import positive

# Clip factors and sums of a micro-batch are float32: one patient may move a sum by more than C, never by this much.
NORM_SLACK = 1.0 + 2.0**-8
_GRID_BITS = 20
_WHOLE_BITS = 36


def secret_key() -> int:
    """256 bits of system entropy."""
    return secrets.randbits(256)


def secure_generator(key: int | None = None) -> np.random.Generator:
    """A NumPy generator over ChaCha20, keyed with 256 bits of system entropy; never seeded, never saved.

    key: of `secret_key`, for processes that draw the same; None takes one that nobody else has.
    """
    from randomgen import ChaCha

    return np.random.Generator(ChaCha(key=secret_key() if key is None else key, rounds=20))


def replayable_generator(seed: int) -> np.random.Generator:
    """A seeded generator for tests; whatever is trained with it must be stamped NOT PRIVATE."""
    return np.random.default_rng(seed)


def released(sums: Iterable[Tensor], *, bound: float, noise: float, rng: np.random.Generator) -> list[Tensor]:
    """The Gaussian mechanism, and the one place where sums over patients get their noise.

    Args:
        sums: exact and sensitive; together one patient moves them by at most `bound` in the Euclidean norm.
        bound: 1 for queries of every member, C for gradients.
        noise: the noise multiplier that was charged.
        rng: a cryptographic generator.

    Returns:
        The sums, each + N(0, (noise x bound)^2) on every number, in float64; see `noised`.
    """
    positive(bound=bound, noise=noise)
    return [noised(total, scale=noise * bound, rng=rng) for total in sums]


def as_whole(sums: Sequence[Tensor], *, bound: float) -> Tensor:
    """A piece's sums as whole numbers of a public grid, 2^-36 of the bound: added up, they are the same in any order.

    Floating-point sums differ in their last bits with the order, and so with the number of processes. 2^26 patients
    of the bound each fit into 63 bits.

    Returns:
        int64, all sums one after the other.
    """
    flat = torch.cat([total.flatten().double() for total in sums])
    return flat.div_(_whole_grid(bound)).round_().to(torch.int64)


def from_whole(whole: Tensor, shapes: Iterable[torch.Size], *, bound: float) -> list[Tensor]:
    """The inverse of `as_whole`: float64 sums of these shapes."""
    shapes = list(shapes)
    parts = torch.split(whole.double().mul_(_whole_grid(bound)), [shape.numel() for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def _whole_grid(bound: float) -> float:
    return float(2.0 ** (math.floor(math.log2(bound)) - _WHOLE_BITS))


def noised(value: Tensor, *, scale: float, rng: np.random.Generator) -> Tensor:
    """A sum + N(0, (scale x slack)^2) once, in float64, rounded to a fixed grid of about a millionth of the noise.

    The last bits of a floating-point sum tell which numbers it can be made of (Mironov 2012, "On significance of the
    least significant bits for differential privacy"); a grid that depends on `scale` alone leaves none of them.
    """
    grid = grid_of(scale)
    return (value + gaussian_like(value, scale=scale, rng=rng)).div_(grid).round_().mul_(grid)


def grid_of(scale: float) -> float:
    """What every released number is a multiple of: a power of two that depends on the noise alone.

    >>> grid_of(1.5) == 2.0**-20
    True
    """
    return float(2.0 ** (math.floor(math.log2(scale)) - _GRID_BITS))


def gaussian_like(value: Tensor, *, scale: float, rng: np.random.Generator) -> Tensor:
    """N(0, (scale x slack)^2) of the shape and device of `value`, in float64.

    The numbers are a ChaCha20 stream under a fresh key from `rng`, made normal by the transform of Box and Muller
    (1958): several times faster than drawing them one by one. With 53 bits a uniform number none lies beyond 8.6
    standard deviations. The slack covers the rounding of what is summed.
    """
    pairs = (value.numel() + 1) // 2
    words = np.frombuffer(_stream(rng.bytes(32), 16 * pairs), dtype=np.int64)
    bits = torch.from_numpy(words).to(value.device)
    # The top 53 bits: (0, 1] for the radius, so that its logarithm is finite, and [0, 1) turns for the angle.
    uniform = ((bits >> 11) & (2**53 - 1)).double().mul_(2.0**-53)
    radius = (uniform[:pairs] + 2.0**-53).log_().mul_(-2.0).sqrt_().mul_(scale * NORM_SLACK)
    angle = uniform[pairs:].mul_(2.0 * math.pi)
    noise = torch.cat([radius * angle.cos(), radius * angle.sin()])
    return noise[: value.numel()].reshape(value.shape)


def _stream(key: bytes, size: int) -> bytearray:
    content = bytearray(size)
    Cipher(ChaCha20(key, nonce=bytes(16)), mode=None).encryptor().update_into(bytes(size), content)
    return content
