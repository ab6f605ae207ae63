"""Who was held back, chosen again and again: thousands of choices, a bit for each patient and choice.

As bytes ten thousand choices of a hundred thousand patients are a gigabyte, which several questions hold at once. The
head of an order, a group, or some columns are written out when they are looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from privgan.arrays import Choices, Flags, Floats, Integers
from privgan_audits.stats.columns import sums

RELABELLINGS = 10_000
_DRAWN = 32  # choices that are drawn at once
_ROWS = 4096  # patients who are written out at once
_BLOCK = 1000  # columns of products, at most
_PRODUCTS = 1 << 26  # bytes of such columns in double precision


@dataclass(frozen=True, kw_only=True, eq=False)
class Pool:
    """Choices (patients, count), ones where somebody was held back, read as an array of bytes is.

    bits: uint8 (patients, count / 8), rounded up. non_members: of every choice.
    """

    bits: Choices
    count: int
    non_members: int

    def __len__(self) -> int:
        return len(self.bits)

    @property
    def shape(self) -> tuple[int, int]:
        """As an array has it: patients, choices."""
        return len(self.bits), self.count

    def take(self, rows: Integers, axis: int = 0) -> Choices:
        """Some patients' rows (n, count), written out."""
        return np.unpackbits(self.bits.take(rows, axis=axis), axis=1, count=self.count)

    def columns(self, first: int, end: int) -> Choices:
        """Choices from `first`, a multiple of 8, to before `end`: (patients, some), written out."""
        return np.unpackbits(self.bits[:, first // 8 : -(-end // 8)], axis=1, count=min(end, self.count) - first)


Labels = Choices | Pool
"""Choices (patients, b): a few, as bytes, or a pool of them."""


def relabellings(patients: int, non_members: int, rng: np.random.Generator, count: int = RELABELLINGS) -> Pool:
    """Random choices of the non-members."""
    bits = np.empty((patients, -(-count // 8)), np.uint8)
    for first in range(0, count, _DRAWN):
        drawn = np.zeros((min(_DRAWN, count - first), patients), np.intp)  # a size that NumPy moves in one piece
        drawn[:, :non_members] = 1
        packed = np.packbits(rng.permuted(drawn, axis=1, out=drawn).astype(np.bool_), axis=0)
        bits[:, first // 8 : first // 8 + len(packed)] = packed.T
    return Pool(bits=bits, count=count, non_members=non_members)


def as_labels(non_member: Flags) -> Choices:
    """The true choice as one column."""
    return non_member.astype(np.uint8)[:, None]


def held_back(labels: Labels) -> int:
    """How many non-members every choice has."""
    return labels.non_members if isinstance(labels, Pool) else int(labels[:, 0].sum())


def held_among(labels: Labels, some: Flags) -> Integers:
    """How many of some patients, bool (patients,), each choice holds back: int64 (b,)."""
    rows = np.flatnonzero(some)
    blocks = (rows[first : first + _ROWS] for first in range(0, len(rows), _ROWS))
    nobody = np.zeros(labels.shape[1], np.int64)
    return sum((sums(labels.take(block, axis=0)).astype(np.int64) for block in blocks), start=nobody)


def by_non_members(labels: Labels, group: Flags) -> Iterator[tuple[Integers, Labels]]:
    """A group's rows, bool (patients,), by how many of it a choice holds back; without choices that are all alike.

    Yields:
        Columns of the choices with as many non-members each, and these choices of the group alone.
    """
    held, rows = held_among(labels, group), np.flatnonzero(group)
    order = np.argsort(held, kind="stable")
    columns = np.split(order, np.flatnonzero(np.diff(held[order])) + 1)
    mixed = [some for some in columns if 0 < held[some[0]] < len(rows)]
    if not isinstance(labels, Pool):
        inside = labels[rows]
        yield from ((some, np.ascontiguousarray(inside[:, some])) for some in mixed)
        return
    parts = [np.empty((len(rows), -(-len(some) // 8)), np.uint8) for some in mixed]
    for first in range(0, len(rows), _ROWS):
        block = slice(first, first + _ROWS)
        inside = labels.take(rows[block])
        for some, bits in zip(mixed, parts, strict=True):
            bits[block] = np.packbits(inside[:, some], axis=1)
    for some, bits in zip(mixed, parts, strict=True):
        yield some, Pool(bits=bits, count=len(some), non_members=int(held[some[0]]))


def products(values: Floats, labels: Labels) -> Floats:
    """Sums of values (k, patients) over whom each choice holds back: float64 (k, b)."""
    count = labels.shape[1]
    step = max(8, min(_BLOCK, _PRODUCTS // (8 * len(labels)) // 8 * 8))
    ends = [(first, min(first + step, count)) for first in range(0, count, step)]
    blocks = (labels.columns(*end) if isinstance(labels, Pool) else labels[:, slice(*end)] for end in ends)
    return np.concatenate([values @ block.astype(float) for block in blocks], axis=1)
