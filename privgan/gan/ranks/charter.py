"""What ranks must all know and nobody else may: the chance of a training, told by rank 0 through named pipes.

A pipe in the run's private folder has no port, and nothing that goes through it is written to a disk.
"""

import errno
import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from privgan.dp.noise import secret_key
from privgan.errors import LostRankError
from privgan.gan.randomness import Randomness
from privgan.gan.ranks.waiting import LOOK_S


@dataclass(frozen=True, kw_only=True)
class Charter:
    """secret: key of who is drawn and of the noise. public: seed of the rest. Or replay_seed, instead of both.

    token: by which ranks know each other, hexadecimal.
    """

    secret: int
    public: int
    token: str
    replay_seed: int | None = None

    @classmethod
    def fresh(cls, replay_seed: int | None) -> Self:
        """From the operating system's entropy."""
        return cls(
            secret=secret_key(), public=secrets.randbits(63), token=secrets.token_hex(32), replay_seed=replay_seed
        )

    @property
    def randomness(self) -> Randomness:
        """The same for every rank."""
        if self.replay_seed is not None:
            return Randomness.of(self.replay_seed)
        return Randomness.keyed(secret=self.secret, public=self.public)

    def tell(self, pipe: Path, alive: Callable[[], None], *, until: float) -> None:
        """Write it into a pipe once somebody reads there.

        Args:
            pipe: of one reader, made before.
            alive: raises if that reader has ended.
            until: seconds of the monotonic clock.

        Raises:
            LostRankError: nobody came.
        """
        while True:
            try:
                writing = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:  # nobody reads yet
                    raise
                alive()
                _look_again(until)
                continue
            with os.fdopen(writing, "wb") as stream:
                stream.write(json.dumps(asdict(self)).encode())  # shorter than what a pipe takes at once
            return

    @classmethod
    def heard(cls, pipe: Path, alive: Callable[[], None], *, until: float) -> Self:
        """Read it from a pipe; see `tell`."""
        reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(reading, "rb", buffering=0) as stream:
            while not (content := stream.read(4096)):
                alive()
                _look_again(until)
        return cls(**json.loads(content))


def awaited(path: Path, alive: Callable[[], None], *, until: float) -> None:
    """Wait until somebody has made this path; see `Charter.tell`."""
    while not path.exists():
        alive()
        _look_again(until)


def _look_again(until: float) -> None:
    if time.monotonic() > until:
        raise LostRankError(
            "Expected every process of this work to begin, one did not come in time. All are stopped and nothing is "
            "released; start again, a training with --resume."
        )
    time.sleep(LOOK_S)
