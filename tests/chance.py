"""Chance of which a test can be told again: `secrets` under one seed a fixture or test.

Who is a member, a cohort's key and the noise of training come from the operating system. A safe set fails its audit
at the nominal rate, and a cohort of three patients may have no member: on some days, a test that states what happens
to one draw would state it of another. Rates have studies of their own, over many seeds.
"""

import random
import secrets
from collections.abc import Callable


def seed(word: str) -> None:
    """From now on this process's secrets follow from the word, and stay different from each other."""
    source = random.Random(word)  # noqa: S311 - to be told again is the purpose
    draws: dict[str, Callable[..., object]] = {
        "randbits": source.getrandbits,
        "token_bytes": lambda count=32: source.randbytes(count),
        "token_hex": lambda count=32: source.randbytes(count).hex(),
    }
    for name, draw in draws.items():
        setattr(secrets, name, draw)
