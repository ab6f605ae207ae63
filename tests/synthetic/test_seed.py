"""A set's seed: the same streams everywhere, each by itself, and normal numbers that are."""

import hashlib
import math

import numpy as np
import pytest

from privgan.errors import UsageError
from privgan.synthetic.seed import Seed
from tests.synthetic.making import SEED


def test_words_are_those_of_shake256_whatever_the_machine() -> None:
    """Known answers: another library or byte order must not draw another set."""
    stream = hashlib.shake_256(b"privgan image 7 " + bytes(range(32))).digest(24)
    expected = [int.from_bytes(stream[at : at + 8], "little") for at in (0, 8, 16)]
    assert SEED.words("image", 7, 3).tolist() == expected
    assert expected[0] == 0xCEA3789953F186E3
    assert SEED.order("labels", 6).tolist() == [5, 4, 3, 0, 1, 2]


def test_normal_numbers_are_the_slow_obvious_ones() -> None:
    words = [int(word) for word in SEED.words("image", 3, 6)]
    unit = [(word >> 11) / 2**53 for word in words]
    pairs = [(math.sqrt(-2 * math.log(r + 2**-53)), 2 * math.pi * a) for r, a in zip(unit[:3], unit[3:], strict=True)]
    slow = [r * math.cos(a) for r, a in pairs] + [r * math.sin(a) for r, a in pairs]
    np.testing.assert_allclose(SEED.normal("image", 3, 6), slow, rtol=1e-14)
    np.testing.assert_allclose(SEED.normal("image", 3, 5), slow[:5], rtol=1e-14)


def test_numbers_of_many_positions_are_standard_normal_and_unrelated() -> None:
    z = np.stack([SEED.normal("image", position, 64) for position in range(4000)])
    assert abs(z.mean()) < 5 / math.sqrt(z.size)
    assert abs((z**2).mean() - 1) < 5 * math.sqrt(2 / z.size)
    assert abs((z**4).mean() - 3) < 5 * math.sqrt(96 / z.size)
    related = np.corrcoef(z.T) - np.eye(64)
    assert np.abs(related).max() < 6 / math.sqrt(len(z))
    assert abs((z[1:] * z[:-1]).mean()) < 5 / math.sqrt(z.size)


def test_every_order_is_as_likely_as_any() -> None:
    seen = {tuple(Seed(value=bytes([n, m]) * 16).order("labels", 3)) for n in range(8) for m in range(8)}
    assert len(seen) == 6
    assert sorted(SEED.order("labels", 500).tolist()) == list(range(500))


def test_seeds_purposes_and_positions_have_streams_of_their_own() -> None:
    other = Seed(value=bytes(32))
    streams = [
        seed.words(purpose, at, 4) for seed in (SEED, other) for purpose in ("image", "labels") for at in (1, 11)
    ]
    assert len({stream.tobytes() for stream in streams}) == 8


def test_a_seed_is_fresh_and_is_not_told_by_its_digest_nor_shown() -> None:
    first, second = Seed.fresh(), Seed.fresh()
    assert first.value != second.value
    assert first.sha256 == hashlib.sha256(first.value).hexdigest()
    assert Seed.of_text(first.text.encode()) == first
    assert first.value.hex() not in repr(first)


@pytest.mark.parametrize("text", [b"", b"0" * 64, b"0" * 63 + b"\n", b"G" * 64 + b"\n", b"0" * 64 + b"\n\n"])
def test_what_is_no_seed_is_refused(text: bytes) -> None:
    with pytest.raises(UsageError, match="hexadecimal"):
        Seed.of_text(text)
    with pytest.raises(UsageError, match="32 bytes"):
        Seed(value=b"x")
