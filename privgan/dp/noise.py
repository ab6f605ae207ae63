"""Where noise and draws come from: a cryptographic generator keyed by the operating system.

A Mersenne Twister or Philox stream can be predicted from its output or its seed, and with the noise the
guarantee is gone (Garfinkel and Leclerc 2020, "Randomness concerns when deploying differential privacy").
Opacus' own secure mode needs a package that cannot be installed, so its noise is not used at all.
"""

import secrets

import numpy as np
import torch
from torch import Tensor

# The clip factors are float32: a clipped norm may exceed C by rounding, never by this much.
NORM_SLACK = 1.0 + 2.0**-8


def secure_generator() -> np.random.Generator:
    """A NumPy generator over ChaCha20, keyed with 256 bits of system entropy; never seeded, never saved."""
    from randomgen import ChaCha

    return np.random.Generator(ChaCha(key=secrets.randbits(256), rounds=20))


def replayable_generator(seed: int) -> np.random.Generator:
    """A seeded generator for tests; whatever is trained with it must be stamped NOT PRIVATE."""
    return np.random.default_rng(seed)


def gaussian_like(value: Tensor, *, scale: float, rng: np.random.Generator) -> Tensor:
    """N(0, (scale x slack)^2) of the shape and device of `value`, in float64.

    The slack covers the rounding of the clip factors. What finite precision leaves open (Mironov 2012) is
    mitigated, not proven away: see the sharp edges in the documentation.
    """
    noise = rng.standard_normal(value.numel()) * (scale * NORM_SLACK)
    return torch.from_numpy(noise).reshape(value.shape).to(value.device)
