"""Ranks over torch.distributed: gloo between processors, NCCL between accelerators, of one machine.

Sums without noise pass between ranks. They never leave the machine: gloo and NCCL are told to use its loopback, and
ranks find each other through a file in the run's private folder, not through a port. Neither library asks who
connects; so before anything else every pair of ranks proves to each other that it knows what only they were told.
"""

import hmac
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate, pairwise
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import FileStore

from privgan.errors import IntegrityError, LostRankError, UsageError
from privgan.gan.ranks.ranks import Made, laid_out

_LOOPBACK = ("lo", "lo0")
_INTERFACES = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")


@dataclass(frozen=True, kw_only=True)
class Together:
    """See `Ranks`; one of several. device: where what passes between them lies."""

    rank: int
    size: int
    device: torch.device

    def total(self, part: Tensor, *, asked: int) -> Tensor:
        """See `Ranks`.

        Raises:
            LostRankError: a rank ended or does not answer, or was asked something else.
        """
        # Two more numbers: their sums are those of equal ones only where all are equal.
        asking = torch.tensor([asked, asked**2], dtype=torch.int64, device=part.device)
        whole = torch.cat([part.flatten(), asking]).to(self.device)
        _answered(lambda: dist.all_reduce(whole))
        said = [self.size * asked, self.size * asked**2]
        if whole[-2:].tolist() != said:
            raise LostRankError(
                "Expected every process to work on the same question, one went its own way. All are stopped and "
                "nothing is released; start again, a training with --resume."
            )
        return whole[:-2].reshape(part.shape).to(part.device)

    def pieces(self, shapes: Sequence[torch.Size], made: Made) -> list[Tensor]:
        """See `Ranks`; piece by piece in turn."""
        mine = {n: made(n) for n in range(self.rank, len(shapes), self.size)}
        found = []
        for number, shape in enumerate(shapes):
            piece = laid_out(mine[number], shape) if number in mine else torch.empty(shape, device=self.device)
            self._told(piece, by=number % self.size)
            found.append(piece)
        return found

    def highest(self, number: int) -> int:
        """See `Ranks`."""
        value = torch.tensor([number], dtype=torch.int64, device=self.device)
        _answered(lambda: dist.all_reduce(value, op=dist.ReduceOp.MAX))
        return int(value)

    def joined(self, part: Tensor, counts: Sequence[int]) -> Tensor:
        """See `Ranks`; part by part in turn."""
        whole = torch.empty((sum(counts), *part.shape[1:]), dtype=part.dtype, device=self.device)
        ends = list(accumulate(counts, initial=0))
        for rank, (first, end) in enumerate(pairwise(ends)):
            rows = whole[first:end]
            if rank == self.rank:
                rows.copy_(part)
            if len(rows):
                self._told(rows, by=rank)
        return whole

    def prove(self, token: bytes) -> None:
        """Every pair of ranks shows that both know the token; nothing of a patient may pass before.

        Raises:
            IntegrityError: somebody who does not know it is connected.
        """
        told = torch.stack([_proof(token, self.rank, other) for other in range(self.size)]).to(self.device)
        heard = torch.empty_like(told)
        _answered(lambda: dist.all_to_all_single(heard, told))
        wanted = torch.stack([_proof(token, other, self.rank) for other in range(self.size)])
        if not torch.equal(heard.cpu(), wanted):
            raise IntegrityError(
                "Expected the processes of this work alone, another one is connected to them. Find out which "
                "programs run on this machine before you go on."
            )

    def _told(self, piece: Tensor, *, by: int) -> None:
        _answered(lambda: dist.broadcast(piece, src=by))


@contextmanager
def connected(place: Path, *, rank: int, size: int, device: torch.device, patience_s: float) -> Iterator[Together]:
    """While the block runs, this process is one of `size` ranks that meet in a file.

    Args:
        place: a file that none of them has made yet, in a folder that nobody else can read.
        rank: 0 to size - 1.
        size: how many there are.
        device: where the training computes.
        patience_s: after so many seconds without an answer another rank counts as lost.

    Raises:
        LostRankError: not all of them came.
    """
    with _loopback_alone():
        _answered(lambda: _connect(place, rank, size, device, timedelta(seconds=patience_s)))
    try:
        yield Together(rank=rank, size=size, device=device)
    finally:
        with suppress(RuntimeError):  # of ranks that are lost
            dist.destroy_process_group()


def _connect(place: Path, rank: int, size: int, device: torch.device, waits: timedelta) -> None:
    """Let torch alone keep the file's handle, which looks into the file once more when it is let go."""
    backend, store = "nccl" if device.type == "cuda" else "gloo", FileStore(str(place), size)
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=waits)


@contextmanager
def _loopback_alone() -> Iterator[None]:
    """Left to themselves, gloo and NCCL listen at whatever address the machine's name has."""
    names = {name for _, name in socket.if_nameindex()}
    loopback = next((name for name in _LOOPBACK if name in names), None)
    if loopback is None:
        raise UsageError("Expected a loopback interface for several processes, this machine has none.")
    before = {name: os.environ.get(name) for name in _INTERFACES}
    os.environ.update(dict.fromkeys(_INTERFACES, loopback))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _proof(token: bytes, teller: int, hearer: int) -> Tensor:
    """uint8 (32,)."""
    return torch.frombuffer(
        bytearray(hmac.digest(token, b"%d to %d" % (teller, hearer), "sha256")), dtype=torch.uint8
    )


def _answered(call: Callable[[], object]) -> None:
    """Make a call that others have to answer.

    Raises:
        LostRankError: torch's message is not told on: it names addresses.
    """
    try:
        call()
    except RuntimeError as error:
        raise LostRankError(
            "Expected an answer of every process, one ended or does not answer. All are stopped and nothing is "
            "released; start again, a training with --resume, with as many processes as you like."
        ) from error
