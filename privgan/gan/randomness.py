"""Where a training's chance comes from: always an argument, never a generator that a whole process shares."""

import secrets
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from privgan.dp.noise import replayable_generator, secret_key, secure_generator


@dataclass(frozen=True, kw_only=True)
class Randomness:
    """Two sources. Mutable: whoever draws moves them on.

    secret: who is drawn, and the noise; the guarantee rests on it. public: first weights, latents and labels of
    fakes; nothing rests on it. It draws on the processor, so that every device sees the same numbers.
    """

    secret: np.random.Generator
    public: torch.Generator

    @classmethod
    def of(cls, replay_seed: int | None) -> Self:
        """From the operating system's entropy, unless the run is stamped NOT PRIVATE and can be replayed."""
        if replay_seed is None:
            return cls.keyed(secret=secret_key(), public=secrets.randbits(63))
        return cls(secret=replayable_generator(replay_seed), public=torch.Generator().manual_seed(replay_seed))

    @classmethod
    def keyed(cls, *, secret: int, public: int) -> Self:
        """The same wherever the same two numbers are known: a key of `dp.noise.secret_key`, and a seed of 63 bits."""
        return cls(secret=secure_generator(secret), public=torch.Generator().manual_seed(public))
