"""Chance of which a test can be told again: `secrets` under one seed a fixture or test.

Who is a member, a cohort's key and the noise of training come from the operating system. A safe set fails its audit
at the nominal rate, and a cohort of three patients may have no member: on some days, a test that states what happens
to one draw would state it of another. Rates have studies of their own, over many seeds.
"""

import random
import secrets

_source = random.Random()  # noqa: S311 - to be told again is the purpose


def take_over() -> None:
    """Once a process: its secrets follow from `seed`, and stay different from each other."""
    secrets.randbits = _source.getrandbits
    secrets.token_bytes = lambda nbytes=None: _source.randbytes(32 if nbytes is None else nbytes)
    secrets.token_hex = lambda nbytes=None: secrets.token_bytes(nbytes).hex()


def seed(word: str) -> None:
    """From now on, secrets follow from the word."""
    _source.seed(word.encode("utf-8", "surrogatepass"))
